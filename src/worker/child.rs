//! A run's child process, seen from the parent: started, listened to, stopped, buried.
//! The child holds no store; its death is an error value here and nothing more.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact, known_code};
use crate::base::limits;
use crate::pipeline::child::events::Event;

#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    #[error("the training process could not be started: {source}")]
    Start { source: std::io::Error },
    #[error("the training process was ended by signal {signal}")]
    Killed { signal: i32 },
    #[error("the training process ended with code {code} and no result{tail}")]
    Died { code: i32, tail: String },
    #[error("the training process spoke out of turn: {why}")]
    Protocol { why: String },
    #[error("{message}")]
    Refused {
        code: &'static str,
        class: Class,
        message: String,
        next: Option<String>,
        details: Option<Value>,
    },
    #[error("cancelled; the run is recorded as KILLED and nothing was registered")]
    Cancelled,
    #[error("the worker was told to end; the run is recorded as KILLED and nothing was registered")]
    Stopped,
}

impl Fact for ChildError {
    fn code(&self) -> &'static str {
        match self {
            Self::Start { .. } => "run.start",
            Self::Killed { .. } => "run.killed",
            Self::Died { .. } => "run.died",
            Self::Protocol { .. } => "run.protocol",
            Self::Refused { code, .. } => code,
            Self::Cancelled => "run.cancelled",
            Self::Stopped => "run.stopped",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Refused { class, .. } => *class,
            _ => Class::Failed,
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::Refused { details, .. } => details.clone(),
            _ => None,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Refused { next, .. } => next.clone(),
            Self::Killed { .. } | Self::Died { .. } | Self::Stopped => {
                Some("Run the same command again; training starts afresh and gives the same model.".into())
            }
            _ => None,
        }
    }
}

/// Whoever listens to a child.
pub trait Listener {
    fn hear(&mut self, event: Event);

    /// Called many times a second, also while the child is silent: says whether the child may go on.
    fn may_go_on(&mut self) -> bool;
}

/// Runs `tallystick child ...` on a spec and hears its events until it ends. A child that may not go on is asked to
/// stop and ended if it does not; the answer is then `Cancelled`.
pub fn run(words: &[&str], spec: &Path, listener: &mut dyn Listener) -> Result<Digest, ChildError> {
    let log = spec.with_extension("log");
    let mut child = start(words, spec, &log)?;
    // Held open as long as the child may run: its end tells the child that nobody waits any more.
    let mut lifeline = child.stdin.take();
    let lines = listen(&mut child)?;
    let mut last = None;
    let mut stopping: Option<Instant> = None;
    loop {
        match lines.recv_timeout(Duration::from_millis(50)) {
            Ok(Ok(event)) => {
                last = Some(event.clone());
                listener.hear(event);
            }
            Ok(Err(why)) => return Err(abandon(child, why)),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if stopping.is_some() || !listener.may_go_on() {
            lifeline = None;
            stop_in_time(&mut child, stopping.get_or_insert_with(Instant::now));
        }
    }
    drop(lifeline);
    let status = child.wait().map_err(|source| ChildError::Start { source })?;
    if stopping.is_some() { Err(ChildError::Cancelled) } else { conclude(last, status, &log) }
}

fn start(words: &[&str], spec: &Path, log: &Path) -> Result<Child, ChildError> {
    let started = || -> std::io::Result<Child> {
        let program: PathBuf = std::env::current_exe()?;
        Command::new(program)
            .arg("child")
            .args(words)
            .arg(spec)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            // A group of its own: Ctrl-C reaches the parent, which asks the child to stop.
            .process_group(0)
            .spawn()
    };
    started().map_err(|source| ChildError::Start { source })
}

fn listen(child: &mut Child) -> Result<Receiver<Result<Event, String>>, ChildError> {
    let stdout = child.stdout.take().ok_or_else(|| ChildError::Protocol { why: "no stdout".into() })?;
    let (sender, receiver) = sync_channel(256);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        while let Some(item) = next_event(&mut reader).transpose() {
            let bad = item.is_err();
            if sender.send(item).is_err() || bad {
                return;
            }
        }
    });
    Ok(receiver)
}

fn next_event(reader: &mut impl BufRead) -> Result<Option<Event>, String> {
    let mut line = Vec::new();
    let most = limits::EVENT_BYTES_MAX as u64;
    reader.take(most).read_until(b'\n', &mut line).map_err(|e| e.to_string())?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => serde_json::from_slice(&line).map(Some).map_err(|e| e.to_string()),
        Some(_) if line.len() as u64 == most => Err(format!("an event of more than {most} bytes")),
        // The child died in the middle of a line; its status says how.
        Some(_) => Ok(None),
    }
}

fn abandon(mut child: Child, why: String) -> ChildError {
    let _ = child.kill();
    let _ = child.wait();
    ChildError::Protocol { why }
}

fn stop_in_time(child: &mut Child, since: &Instant) {
    if since.elapsed() > Duration::from_millis(limits::CHILD_STOP_MS) {
        let _ = child.kill();
    }
}

fn conclude(last: Option<Event>, status: ExitStatus, log: &Path) -> Result<Digest, ChildError> {
    if let Some(signal) = status.signal() {
        return Err(ChildError::Killed { signal });
    }
    match last {
        Some(Event::Done { model }) if status.success() => Ok(model),
        Some(Event::Failed { code, exit_code, message, next_step, details }) => {
            let (code, class) = (known_code(&code), Class::find(exit_code).unwrap_or(Class::Failed));
            Err(ChildError::Refused { code, class, message, next: next_step, details })
        }
        _ => Err(ChildError::Died { code: status.code().unwrap_or(-1), tail: log_tail(log) }),
    }
}

/// The last line the child wrote to stderr, for the error message.
fn log_tail(log: &Path) -> String {
    let mut tail = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(limits::CHILD_LOG_TAIL_BYTES)))?;
        file.take(limits::CHILD_LOG_TAIL_BYTES).read_to_end(&mut tail)
    });
    match (read, String::from_utf8_lossy(&tail).trim().lines().last()) {
        (Ok(_), Some(line)) => format!(": {line}"),
        _ => String::new(),
    }
}
