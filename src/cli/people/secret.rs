//! A password as a person gives it: typed twice at the terminal without being shown, or the first line of a file.
//! Never an argument, never in the environment, never on a screen.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::base::fact::{Class, Fact, Failure};
use crate::base::files::{at, read_at_most};
use crate::base::limits;

const TERMINAL: &str = "/dev/tty";
/// A password of the longest kind, in UTF-8, and the end of its line.
const BYTES_MAX: usize = limits::PASSWORD_CHARS_MAX * 4 + 2;

#[derive(Debug, thiserror::Error)]
enum SecretError {
    #[error("a password is needed, and there is no terminal to ask at")]
    NoTerminal,
    #[error("the two passwords differ")]
    Differ,
    #[error("no password was given")]
    GivenUp,
    #[error("the password is longer than is read, or no UTF-8 text")]
    NotText,
}

impl Fact for SecretError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoTerminal => "password.no_terminal",
            Self::Differ => "password.differ",
            Self::GivenUp => "password.given_up",
            Self::NotText => "password.not_text",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::NoTerminal => Some("Give --password-file FILE, or `-` to read standard input.".into()),
            Self::Differ => Some("Run the command again.".into()),
            Self::GivenUp | Self::NotText => None,
        }
    }
}

/// The password from a file, from standard input (`-`), or, where neither is named, from the terminal.
pub fn read_password(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let bytes = match file {
        None => return ask_twice(),
        Some(path) if path == Path::new("-") => {
            let mut bytes = Zeroizing::new(Vec::with_capacity(BYTES_MAX + 1));
            let most = BYTES_MAX as u64 + 1;
            io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(at(path))?;
            bytes
        }
        Some(path) => Zeroizing::new(read_at_most(path, BYTES_MAX as u64)?),
    };
    Ok(first_line(&bytes)?)
}

fn first_line(bytes: &[u8]) -> Result<Zeroizing<String>, SecretError> {
    if bytes.len() > BYTES_MAX {
        return Err(SecretError::NotText);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| SecretError::NotText)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() { Err(SecretError::GivenUp) } else { Ok(Zeroizing::new(line.to_string())) }
}

fn ask_twice() -> Result<Zeroizing<String>, Failure> {
    if !io::stdin().is_terminal() {
        return Err(SecretError::NoTerminal.into());
    }
    let path = Path::new(TERMINAL);
    let tty = OpenOptions::new().read(true).write(true).open(path).map_err(at(path))?;
    let first = ask(&tty, "Password: ")?;
    let second = ask(&tty, "The same again: ")?;
    if *first == *second { Ok(first) } else { Err(SecretError::Differ.into()) }
}

fn ask(mut tty: &File, question: &str) -> Result<Zeroizing<String>, Failure> {
    let path = Path::new(TERMINAL);
    let failed = |error: rustix::io::Errno| at(path)(error.into());
    let before = tcgetattr(tty).map_err(failed)?;
    let _restored = Restored { tty, before: before.clone() };
    let mut silent = before;
    // Keys come one by one: Ctrl-C is one of them, so that it does not leave a terminal that shows nothing.
    silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    tcsetattr(tty, OptionalActions::Flush, &silent).map_err(failed)?;
    tty.write_all(question.as_bytes()).map_err(at(path))?;
    let line = read_keys(tty);
    tty.write_all(b"\n").map_err(at(path))?;
    Ok(line?)
}

/// Puts the terminal back as it was, whatever happened.
struct Restored<'a> {
    tty: &'a File,
    before: Termios,
}

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.tty, OptionalActions::Flush, &self.before);
    }
}

/// One line, key by key.
fn read_keys(mut keys: impl Read) -> Result<Zeroizing<String>, SecretError> {
    const CTRL_C: u8 = 3;
    const CTRL_D: u8 = 4;
    const CTRL_U: u8 = 21;
    let mut line = Zeroizing::new(Vec::with_capacity(BYTES_MAX + 1));
    let mut key = [0u8];
    while matches!(keys.read(&mut key), Ok(1)) {
        match key[0] {
            b'\n' | b'\r' => return first_line(&line),
            CTRL_C | CTRL_D => return Err(SecretError::GivenUp),
            CTRL_U => line.clear(),
            // The last character may have several bytes.
            8 | 127 => while line.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {},
            _ if line.len() > BYTES_MAX => return Err(SecretError::NotText),
            byte => line.push(byte),
        }
    }
    Err(SecretError::GivenUp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_a_line_and_can_be_taken_back() {
        let typed = |keys: &str| read_keys(keys.as_bytes()).map(|line| line.to_string());
        assert_eq!(typed("secret\r").unwrap(), "secret");
        assert_eq!(typed("wrong\u{15}grüx\u{7f}\u{7f}\u{7f}un\n").unwrap(), "grun");
        for given_up in ["half\u{3}", "half", "\n", "\u{4}"] {
            assert!(matches!(typed(given_up), Err(SecretError::GivenUp)), "{given_up:?}");
        }
        assert!(matches!(typed(&"x".repeat(2_000)), Err(SecretError::NotText)));
    }

    #[test]
    fn a_file_gives_its_first_line_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "seven green lamps \r\nnot this\n").unwrap();
        assert_eq!(read_password(Some(&path)).unwrap().as_str(), "seven green lamps ");
        std::fs::write(&path, "").unwrap();
        assert_eq!(read_password(Some(&path)).unwrap_err().code(), "password.given_up");
    }
}
