//! Answers read within their limits, and problems turned back into the failures they were.
//! Never guesses at an answer that is not one of this API.

use std::io::Write as _;
use std::path::Path;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use hyper::{Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::base::fact::{Class, known_code};
use crate::base::files::{PendingFile, at};
use crate::base::limits;
use crate::client::error::ClientError;
use crate::http::problem::Problem;

/// A whole answer.
pub struct Answer {
    pub status: StatusCode,
    pub bytes: Bytes,
    /// What the server says of how long it took, where it was asked to.
    pub timing: Option<String>,
}

const SERVER_TIMING: &str = "server-timing";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where an answer goes, and how many bytes of it at most. What is no success is read into memory in every case.
#[derive(Clone, Copy)]
pub enum Sink<'a> {
    Memory(usize),
    File(&'a Path, u64),
}

/// Reads an answer within its limit.
pub async fn read<B>(response: Response<B>, sink: Sink<'_>, to: &str) -> Result<Answer, ClientError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let status = response.status();
    let timing = response.headers().get(SERVER_TIMING).and_then(|value| value.to_str().ok());
    let timing = timing.map(String::from);
    let max = match sink {
        Sink::File(path, max) if status.is_success() => {
            read_to_file(response.into_body(), path, max, to).await?;
            return Ok(Answer { status, bytes: Bytes::new(), timing });
        }
        Sink::File(..) => limits::CLIENT_ANSWER_BYTES_MAX,
        Sink::Memory(max) => max,
    };
    match Limited::new(response.into_body(), max).collect().await {
        Ok(body) => Ok(Answer { status, bytes: body.to_bytes(), timing }),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ClientError::TooLarge { to: to.to_string(), max })
        }
        Err(error) => Err(ClientError::Broken { to: to.to_string(), why: error.to_string() }),
    }
}

/// What arrived is no file before all of it did.
async fn read_to_file<B>(mut body: B, path: &Path, max: u64, to: &str) -> Result<(), ClientError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let mut file = PendingFile::create(path, 0o600)?;
    let mut bytes = 0u64;
    while let Some(frame) = body.frame().await {
        let broken =
            |error: B::Error| ClientError::Broken { to: to.to_string(), why: error.into().to_string() };
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        bytes += data.len() as u64;
        if bytes > max {
            let max = usize::try_from(max).unwrap_or(usize::MAX);
            return Err(ClientError::TooLarge { to: to.to_string(), max });
        }
        file.write_all(&data).map_err(at(path))?;
    }
    Ok(file.finish()?)
}

impl Answer {
    /// The bytes that were asked for, or why there are none.
    pub fn into_bytes(self, to: &str) -> Result<Bytes, ClientError> {
        if self.status.is_success() { Ok(self.bytes) } else { Err(refusal(&self, to)) }
    }

    pub fn into_view<T: DeserializeOwned>(self, to: &str) -> Result<T, ClientError> {
        let status = self.status.as_u16();
        let strange = |_| ClientError::Strange { to: to.to_string(), status };
        serde_json::from_slice(&self.into_bytes(to)?).map_err(strange)
    }
}

fn refusal(answer: &Answer, to: &str) -> ClientError {
    let status = answer.status.as_u16();
    let Ok(problem) = serde_json::from_slice::<Problem>(&answer.bytes) else {
        return ClientError::Strange { to: to.to_string(), status };
    };
    ClientError::Refused {
        code: known_code(&problem.code),
        class: Class::find(problem.exit_code).unwrap_or(Class::Failed),
        details: problem.joined_details(),
        message: problem.detail,
        next_step: problem.next_step,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fact::{Fact, Failure};
    use crate::http::problem::{Hearer, HttpError};
    use http_body_util::Full;

    fn answer(status: u16, bytes: impl Into<Bytes>) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), bytes: bytes.into(), timing: None }
    }

    #[test]
    fn a_failure_comes_back_as_it_was() {
        let field = HttpError::Field { pointer: "/a".into(), code: "type", message: "a number".into() };
        let before = Failure::from(field);
        let problem = Problem::of(&before, "c", "/", Hearer::Anybody);
        let bytes = serde_json::to_vec(&problem).unwrap();
        let after = answer(422, bytes).into_bytes("box").unwrap_err();
        assert_eq!((after.code(), after.class()), (before.code(), before.class()));
        assert_eq!(after.to_string(), before.to_string());
        assert_eq!((after.next_step(), after.details()), (before.next_step(), before.details()));
    }

    #[test]
    fn what_is_none_of_the_api_is_said_to_be_so() {
        for (status, text) in [(502, "<html>bad gateway</html>"), (200, "<html>"), (404, "{}")] {
            let refused = answer(status, text).into_view::<Problem>("box").unwrap_err();
            assert!(matches!(refused, ClientError::Strange { status: s, .. } if s == status), "{refused}");
        }
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_its_limit() {
        let response = || Response::new(Full::new(Bytes::from_static(b"12345678")));
        assert_eq!(&read(response(), Sink::Memory(8), "box").await.unwrap().bytes[..], b"12345678");
        assert!(matches!(
            read(response(), Sink::Memory(7), "box").await,
            Err(ClientError::TooLarge { max: 7, .. })
        ));
    }
}
