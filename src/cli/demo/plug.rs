//! `demo --pull-the-plug`: a server that is killed in the middle of a stream of decisions, and what is there afterwards.
//! Counts as a client would: what was answered must be there once, what was not may be asked again under its key.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::home::{self, App};
use crate::app::integrity;
use crate::app::server::identity;
use crate::base::clock::SystemClock;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::cli::demo::show::{choose_port, client};
use crate::cli::demo::stage::Demo;
use crate::cli::speak::output::{Answer, columns};
use crate::client::call::Client;
use crate::client::target::Target;
use crate::http::views::decision::AnswerView;
use crate::ledger::receipt::{Anchor, Receipt};
use crate::security::trust::TrustRoot;

/// Clients that ask at the same time.
const CLIENTS: usize = 8;
/// Answers before the plug is pulled, while the stream goes on.
const ANSWERS_BEFORE: usize = 400;
const ROWS: u64 = 64;
const START_MS: u64 = 20_000;
const LOOK_MS: u64 = 25;

#[derive(Debug, thiserror::Error)]
enum PlugFault {
    #[error("the server could not be started: {0}")]
    Start(std::io::Error),
    #[error("the server did not answer within {START_MS} ms; its log is {log}", log = log.display())]
    Silent { log: PathBuf },
    #[error("the server answered nobody")]
    NoStream,
}

impl Fact for PlugFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Start(_) => "demo.start",
            Self::Silent { .. } => "demo.silent",
            Self::NoStream => "demo.no_stream",
        }
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}

pub fn pull(demo: &Demo<'_>, port: Option<u16>) -> Result<Answer, Failure> {
    let app = demo.prepare()?;
    demo.train(&app)?;
    demo.promote(&app)?;
    let scene = Scene {
        demo,
        key_file: demo.make_key(&app)?,
        url: format!("https://127.0.0.1:{}", choose_port(port)?),
        fingerprint: identity::open(&app)?.facts().fingerprint.clone(),
        trust: integrity::trust_root(&app)?,
        rows: demo.rows(ROWS)?,
        stream: RunId::draw().to_string(),
    };
    // The home is the server's from here on.
    drop(app);
    let (mut server, cut) = scene.stream()?;
    demo.say(&format!(
        "Pulled the plug: killed the server (process {}) after {} answers, {} requests under way.",
        server.id(),
        cut.answered.len(),
        cut.unanswered.len()
    ));
    let _ = server.wait();
    let mut server = scene.start()?;
    let found = scene.look(&cut);
    rustix::process::kill_process(pid_of(&server), rustix::process::Signal::TERM)
        .map_err(|error| PlugFault::Start(error.into()))?;
    let _ = server.wait();
    let found = found?;
    let app = App::open(&demo.home(), home::local_person()?, Box::new(SystemClock))?;
    let records = integrity::verify_log(&app)?.records;
    Ok(found.answer(&cut, records))
}

fn pid_of(child: &Child) -> rustix::process::Pid {
    rustix::process::Pid::from_child(child)
}

/// A request by its key and the row it sends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Request {
    key: String,
    row: usize,
}

/// What the clients know at the cut.
#[derive(Default)]
struct Cut {
    /// Case and record of each answer.
    answered: Vec<(Request, String, u64)>,
    unanswered: Vec<Request>,
}

/// What was found afterwards.
struct Found {
    lost: Vec<String>,
    /// Requests without an answer that were on record all the same, and those that were not.
    replayed: usize,
    decided_now: usize,
}

struct Scene<'a> {
    demo: &'a Demo<'a>,
    key_file: PathBuf,
    url: String,
    fingerprint: String,
    trust: TrustRoot,
    rows: Vec<Value>,
    /// Tells this stream's keys from those of the last time.
    stream: String,
}

impl Scene<'_> {
    fn start(&self) -> Result<Child, Failure> {
        let log = self.demo.folder.join("plug.log");
        let file = File::options().create(true).append(true).open(&log).map_err(files::at(&log))?;
        let listen = self.url.trim_start_matches("https://");
        let program = std::env::current_exe().map_err(PlugFault::Start)?;
        let home = self.demo.home();
        let child = Command::new(program)
            .arg("--home")
            .arg(&home)
            .args(["serve", "--listen", listen, "--log-level", "error"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .map_err(PlugFault::Start)?;
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(START_MS) {
            if self.client().is_ok() {
                return Ok(child);
            }
            std::thread::sleep(Duration::from_millis(LOOK_MS));
        }
        end(child);
        Err(PlugFault::Silent { log }.into())
    }

    fn client(&self) -> Result<Client, Failure> {
        client(&self.url, &self.fingerprint, &self.key_file)
    }

    /// Clients ask until the server is gone; it is killed while they do.
    fn stream(&self) -> Result<(Child, Cut), Failure> {
        let mut server = self.start()?;
        let (answers, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let cuts = std::thread::scope(|scope| {
            let ask = |number| {
                let (answers, over) = (&answers, &over);
                scope.spawn(move || self.ask(number, answers, over))
            };
            let clients: Vec<_> = (0..CLIENTS).map(ask).collect();
            let begun = Instant::now();
            while answers.load(Ordering::Relaxed) < ANSWERS_BEFORE
                && begun.elapsed() < Duration::from_millis(START_MS)
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            let _ = server.kill();
            over.store(true, Ordering::Relaxed);
            clients.into_iter().filter_map(|client| client.join().ok()).collect::<Vec<Cut>>()
        });
        let mut all = Cut::default();
        for cut in cuts {
            all.answered.extend(cut.answered);
            all.unanswered.extend(cut.unanswered);
        }
        if all.answered.is_empty() { Err(PlugFault::NoStream.into()) } else { Ok((server, all)) }
    }

    fn ask(&self, client_number: usize, answers: &AtomicUsize, over: &AtomicBool) -> Cut {
        let mut cut = Cut::default();
        let Ok(client) = self.client() else { return cut };
        for turn in 0.. {
            let key = format!("{}-{client_number}-{turn}", self.stream);
            let request = Request { key, row: (client_number + turn * CLIENTS) % self.rows.len() };
            match self.send(&client, &request) {
                Ok((case, seq)) => {
                    cut.answered.push((request, case, seq));
                    answers.fetch_add(1, Ordering::Relaxed);
                }
                Err(_) => {
                    cut.unanswered.push(request);
                    break;
                }
            }
            if over.load(Ordering::Relaxed) {
                break;
            }
        }
        cut
    }

    fn send(&self, client: &Client, request: &Request) -> Result<(String, u64), Failure> {
        let target = Target::of(["v1", "models", self.demo.which.name, "decisions"]);
        let row = self.rows.get(request.row).map(Value::to_string).unwrap_or_default();
        let answer: AnswerView = client.post_once(&target, &request.key, row)?;
        match answer {
            AnswerView::Decision(view) => Ok((view.record.case.unwrap_or_default(), view.record.seq)),
            AnswerView::Prediction(view) => Ok((String::new(), view.record.seq)),
        }
    }

    /// Every answer is looked up by its case and proved by its receipt; what had none is asked again.
    fn look(&self, cut: &Cut) -> Result<Found, Failure> {
        let client = self.client()?;
        let mut lost = Vec::new();
        let mut seen = BTreeSet::new();
        for (_, case, seq) in &cut.answered {
            if !self.is_there(&client, case, *seq) || !seen.insert(*seq) {
                lost.push(case.clone());
            }
        }
        // The first record of the new server parts what was on record from what is decided now.
        let first = Request { key: format!("{}-again", self.stream), row: 0 };
        let (_, first_new) = self.send(&client, &first)?;
        let mut replayed = 0;
        for request in &cut.unanswered {
            let (_, seq) = self.send(&client, request)?;
            replayed += usize::from(seq < first_new);
        }
        Ok(Found { lost, replayed, decided_now: cut.unanswered.len() - replayed })
    }

    fn is_there(&self, client: &Client, case: &str, seq: u64) -> bool {
        let target = Target::of(["v1", "decisions", case, "receipt"]);
        let receipt = client.bytes(&target, limits::RECEIPT_BYTES_MAX as usize);
        let verified = receipt
            .ok()
            .and_then(|bytes| Receipt::parse(&bytes).ok())
            .and_then(|receipt| receipt.verify(Anchor::Trust(&self.trust)).ok());
        verified.is_some_and(|verified| verified.header.seq == seq)
    }
}

fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

impl Found {
    fn answer(&self, cut: &Cut, records: u64) -> Answer {
        let row = |what: &str, count: usize, said: String| vec![what.to_string(), count.to_string(), said];
        let found = cut.answered.len() - self.lost.len();
        let again = format!("{} on record and replayed, {} decided now", self.replayed, self.decided_now);
        let rows = [
            row("answered", cut.answered.len(), "before the plug was pulled".into()),
            row("found again", found, "each once, by its case, with a receipt that verifies".into()),
            row("unanswered", cut.unanswered.len(), again),
            row("lost", self.lost.len(), self.lost.join(", ")),
        ];
        let text = format!("\n{}The tally log holds {records} records, verified.", columns(&rows));
        let json = json!({
            "answered": cut.answered.len(), "found": found, "lost": self.lost,
            "unanswered": cut.unanswered.len(), "replayed": self.replayed, "decided_now": self.decided_now,
            "records": records,
        });
        let answer = Answer::new(text, json);
        if self.lost.is_empty() { answer } else { answer.ending(Class::Integrity) }
    }
}
