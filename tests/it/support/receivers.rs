//! A mail server and a receiver of webhooks on loopback, real as far as a sender can tell; each can be away.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Clone)]
pub struct Receiver {
    pub port: u16,
    up: Arc<AtomicBool>,
    kept: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    pub fn mail() -> Self {
        Self::start(take_mail)
    }

    pub fn hook() -> Self {
        Self::start(take_hook)
    }

    fn start(take: fn(&mut TcpStream) -> Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = Self { port, up: Arc::new(AtomicBool::new(true)), kept: Arc::default() };
        let own = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                // Away: the line is cut before a word is said.
                if !own.up.load(Ordering::SeqCst) {
                    continue;
                }
                if let Some(taken) = take(&mut stream) {
                    own.kept.lock().unwrap().push(taken);
                }
            }
        });
        receiver
    }

    pub fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::SeqCst);
    }

    pub fn kept(&self) -> Vec<String> {
        self.kept.lock().unwrap().clone()
    }
}

fn take_mail(stream: &mut TcpStream) -> Option<String> {
    let mut out = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream).lines();
    let mut say = |text: &str| out.write_all(format!("{text}\r\n").as_bytes()).ok();
    say("220 mail.test")?;
    let mut mail = None;
    while let Some(Ok(line)) = lines.next() {
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match word.as_str() {
            "EHLO" | "HELO" => say("250 mail.test")?,
            "DATA" => {
                say("354 go on")?;
                let mut text = String::new();
                for line in lines.by_ref() {
                    let line = line.ok()?;
                    if line == "." {
                        break;
                    }
                    text += &line;
                    text.push('\n');
                }
                mail = Some(text);
                say("250 kept")?;
            }
            "QUIT" => {
                say("221 bye")?;
                return mail;
            }
            _ => say("250 well")?,
        }
    }
    mail
}

fn take_hook(stream: &mut TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").ok()?;
    Some(format!("{head}\n{}", String::from_utf8_lossy(&body)))
}
