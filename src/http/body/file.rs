//! Bodies that are files: read piece by piece by a use case that may wait for a disk, and sent piece by piece.
//! Never holds more of one than a piece.

use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::fs::File;
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::base::limits;
use crate::http::problem::HttpError;

pub const OCTETS: &str = "application/octet-stream";
const PIECE_BYTES: usize = 256 << 10;

/// Refuses a body that is no plain file.
pub fn check_octets(headers: &HeaderMap) -> Result<(), HttpError> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return Err(HttpError::Octets) };
    let plain = |value: &[u8]| value.eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(|value| plain(value.as_bytes())) {
        return Err(HttpError::ContentEncoding);
    }
    if only.as_bytes().eq_ignore_ascii_case(OCTETS.as_bytes()) { Ok(()) } else { Err(HttpError::Octets) }
}

/// A body as something to read from, on a thread that may wait.
pub struct BodyReader {
    body: Body,
    piece: Bytes,
    runtime: Handle,
    fault: Option<HttpError>,
}

impl BodyReader {
    /// To be made where the request is answered; a body that says it is larger than `max` is refused at once.
    pub fn new(body: Body, max: u64) -> Result<Self, HttpError> {
        use axum::body::HttpBody as _;
        if body.size_hint().lower() > max {
            return Err(HttpError::BodyTooLarge { max: usize::try_from(max).unwrap_or(usize::MAX) });
        }
        Ok(Self { body, piece: Bytes::new(), runtime: Handle::current(), fault: None })
    }

    /// Why reading ended early, where the body was the reason.
    pub fn take_fault(&mut self) -> Option<HttpError> {
        self.fault.take()
    }

    fn next_piece(&mut self) -> Result<Option<Bytes>, HttpError> {
        let (body, max_ms) = (&mut self.body, limits::UPLOAD_IDLE_MS);
        let arriving = async { timeout(Duration::from_millis(max_ms), body.frame()).await };
        match self.runtime.block_on(arriving) {
            Err(_) => Err(HttpError::BodyTimeout { max_ms }),
            Ok(None) => Ok(None),
            Ok(Some(Err(_))) => Err(HttpError::BodyCut),
            // What is no data is a trailer, which says nothing here.
            Ok(Some(Ok(frame))) => Ok(Some(frame.into_data().unwrap_or_default())),
        }
    }
}

impl Read for BodyReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.next_piece() {
                Ok(Some(piece)) => self.piece = piece,
                Ok(None) => return Ok(0),
                Err(fault) => {
                    self.fault = Some(fault);
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
        let taken = self.piece.split_to(self.piece.len().min(into.len()));
        into[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}

/// A file as a body.
pub struct FileBody {
    file: File,
    left: u64,
    piece: Vec<u8>,
}

impl FileBody {
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::of(std::fs::File::open(path)?)
    }

    /// An open file from its beginning, as long as it is now.
    pub fn of(file: std::fs::File) -> io::Result<Self> {
        let left = file.metadata()?.len();
        Ok(Self { file: File::from_std(file), left, piece: vec![0; PIECE_BYTES] })
    }
}

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Self { file, left, piece } = &mut *self;
        if *left == 0 {
            return Poll::Ready(None);
        }
        let most = piece.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        let mut buffer = ReadBuf::new(&mut piece[..most]);
        match ready!(Pin::new(file).poll_read(cx, &mut buffer)) {
            Ok(()) if buffer.filled().is_empty() => {
                Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())))
            }
            Ok(()) => {
                *left -= buffer.filled().len() as u64;
                Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(buffer.filled())))))
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_file_goes_out_whole_and_is_read_back_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let bytes: Vec<u8> = (0..(3 * PIECE_BYTES + 7)).map(|at| at as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let read = runtime.block_on(async {
            let body = Body::new(FileBody::open(&path).unwrap());
            let mut reader = BodyReader::new(body, u64::MAX).unwrap();
            tokio::task::spawn_blocking(move || {
                let mut read = Vec::new();
                reader.read_to_end(&mut read).unwrap();
                read
            })
            .await
            .unwrap()
        });
        assert!(read == bytes);
    }

    #[test]
    fn a_file_that_becomes_shorter_while_it_is_sent_is_no_whole_body() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, vec![7; 2 * PIECE_BYTES]).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sent = runtime.block_on(async {
            let body = FileBody::open(&path).unwrap();
            std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(9).unwrap();
            body.collect().await.map(|whole| whole.to_bytes().len())
        });
        assert!(sent.is_err());
    }

    #[test]
    fn only_plain_bytes_are_a_file() {
        let mut headers = HeaderMap::new();
        assert!(matches!(check_octets(&headers), Err(HttpError::Octets)));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(OCTETS));
        assert!(check_octets(&headers).is_ok());
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(matches!(check_octets(&headers), Err(HttpError::ContentEncoding)));
        headers.append(CONTENT_TYPE, HeaderValue::from_static("text/csv"));
        assert!(matches!(check_octets(&headers), Err(HttpError::Octets)));
    }
}
