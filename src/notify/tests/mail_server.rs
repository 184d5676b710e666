//! A mail server of this process: it speaks as much SMTP as a client needs, and fails as it is told.
//! Never keeps a mail whose last dot it has not seen.

use std::sync::{Arc, Mutex};

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::notify::tests::{Certificate, acceptor};

/// What the server does with one connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    Willing,
    /// 451 for every recipient.
    Later,
    /// The mail is kept, and the line is cut before the answer.
    CutAfterMail,
    /// 550 for whoever is not risk@bank.example.
    OnlyRisk,
    /// 554 for the mail itself.
    RefuseMail,
    /// Says 220 to STARTTLS and a forged reply behind it.
    ForgedReply,
    /// Accepts the connection and says nothing.
    Silent,
    /// One reply that never ends.
    Endless,
}

#[derive(Default)]
pub struct Kept {
    pub mails: Vec<String>,
    /// Every line a client said, those of mails left out; `TLS` where TLS began.
    pub said: Vec<String>,
}

pub struct MailServer {
    pub port: u16,
    pub kept: Arc<Mutex<Kept>>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Tls {
    None,
    Starttls,
    AtOnce,
}

impl MailServer {
    /// One mood for each connection; whoever comes after the last finds nobody.
    pub async fn start(moods: Vec<Mood>, tls: Tls, certificate: &Certificate) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let (of_server, acceptor) = (Arc::clone(&kept), acceptor(certificate));
        tokio::spawn(async move {
            for mood in moods {
                let (stream, _) = listener.accept().await.unwrap();
                let kept = Arc::clone(&of_server);
                let acceptor = acceptor.clone();
                tokio::spawn(async move { drop(greet(stream, mood, (tls, acceptor), kept).await) });
            }
        });
        Self { port, kept }
    }

    pub fn mails(&self) -> Vec<String> {
        self.kept.lock().unwrap().mails.clone()
    }

    pub fn said(&self) -> String {
        self.kept.lock().unwrap().said.join("\n")
    }
}

type Kind = std::io::Result<()>;

async fn greet(
    stream: TcpStream,
    mood: Mood,
    (tls, acceptor): (Tls, TlsAcceptor),
    kept: Arc<Mutex<Kept>>,
) -> Kind {
    if tls == Tls::AtOnce {
        let stream = acceptor.accept(stream).await?;
        kept.lock().unwrap().said.push("TLS".into());
        return talk(BufReader::new(stream), mood, false, &kept, true).await.map(drop);
    }
    let begun = talk(BufReader::new(stream), mood, tls == Tls::Starttls, &kept, true).await?;
    if let Some(plain) = begun {
        let stream = acceptor.accept(plain).await?;
        kept.lock().unwrap().said.push("TLS".into());
        talk(BufReader::new(stream), mood, false, &kept, false).await?;
    }
    Ok(())
}

/// Answers with the stream where TLS is to begin.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    mood: Mood,
    starttls: bool,
    kept: &Mutex<Kept>,
    greets: bool,
) -> std::io::Result<Option<S>> {
    match mood {
        Mood::Silent => {
            stream.read_u8().await?;
            std::future::pending::<()>().await;
        }
        Mood::Endless => loop {
            stream.write_all(&[b'2'; 4096]).await?;
        },
        _ if greets => stream.write_all(b"220 mail.test ready\r\n").await?,
        _ => {}
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_string();
        kept.lock().unwrap().said.push(line.clone());
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" if starttls => b"250-mail.test\r\n250-8BITMIME\r\n250 STARTTLS\r\n",
            "EHLO" => b"250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n",
            "STARTTLS" if mood == Mood::ForgedReply => b"220 go\r\n250 forged\r\n",
            "STARTTLS" => b"220 go\r\n",
            "AUTH" if line.ends_with("AGJveABzM2NyZXQ=") => b"235 welcome\r\n",
            "AUTH" => b"535 5.7.8 who are you\r\n",
            "MAIL" => b"250 ok\r\n",
            "RCPT" if mood == Mood::Later => b"451 4.7.1 come back later\r\n",
            "RCPT" if mood == Mood::OnlyRisk && !line.contains("risk@") => {
                b"550 5.1.1 nobody of that name\r\n"
            }
            "RCPT" => b"250 ok\r\n",
            "DATA" => b"354 go on\r\n",
            _ => b"221 bye\r\n",
        };
        stream.write_all(answer).await?;
        stream.flush().await?;
        match verb.as_str() {
            "STARTTLS" => return Ok(Some(stream.into_inner())),
            "QUIT" => return Ok(None),
            "DATA" => {
                let mail = read_mail(&mut stream).await?;
                if mood == Mood::RefuseMail {
                    stream.write_all(b"554 5.6.0 not like this\r\n").await?;
                    continue;
                }
                kept.lock().unwrap().mails.push(mail);
                if mood == Mood::CutAfterMail {
                    return Ok(None);
                }
                stream.write_all(b"250 kept\r\n").await?;
            }
            _ => {}
        }
        stream.flush().await?;
    }
}

async fn read_mail<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<String> {
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(mail);
        }
        mail += line.strip_prefix('.').unwrap_or(&line);
    }
}
