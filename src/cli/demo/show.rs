//! The demo itself: serves the home on this machine, decides one row by its own HTTPS API, and says how to go on.
//! Sees of the server what any client sees.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::app::home::App;
use crate::app::integrity;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::limits;
use crate::cli::decision::answer;
use crate::cli::demo::stage::{Demo, Login};
use crate::cli::serve::{Opened, Opening, serve_until};
use crate::cli::speak::output::Answer;
use crate::client::call::Client;
use crate::client::pin::Anchor;
use crate::client::remote::{Address, Remote, read_token};
use crate::client::target::Target;
use crate::http::listen::drain::Drained;
use crate::http::views::decision::AnswerView;
use crate::ledger::receipt::{Anchor as Witness, Receipt};
use crate::security::certificate::TLS_CHAIN_FILE;

const PORT: u16 = 8443;
/// How many ports are tried where the first is taken.
const PORTS_TRIED: u16 = 64;

pub struct How {
    pub port: Option<u16>,
    pub once: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum DemoFault {
    #[error("the ports {first} to {last} of this machine are taken")]
    NoPort { first: u16, last: u16 },
    #[error("the demo's server stopped before it was asked")]
    Stopped,
    #[error("the answer names no case")]
    NoCase,
}

impl Fact for DemoFault {
    fn code(&self) -> &'static str {
        match self {
            Self::NoPort { .. } => "demo.no_port",
            Self::Stopped => "demo.stopped",
            Self::NoCase => "demo.no_case",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NoPort { .. } => Class::Unavailable,
            Self::Stopped | Self::NoCase => Class::Failed,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::NoPort { .. } => Some("Name a free one with --port.".into()),
            Self::Stopped => Some("Its log is serve.log in the demo's folder.".into()),
            Self::NoCase => None,
        }
    }
}

pub fn show(demo: &Demo<'_>, how: &How) -> Result<Answer, Failure> {
    let app = demo.prepare()?;
    let trained = demo.train(&app)?;
    let promoted = demo.promote(&app)?;
    let batch = demo.batch(&app)?;
    let (login, key_file) = (demo.make_login(&app)?, demo.make_key(&app)?);
    let row = demo.choose_row(&app)?;
    let server = Served::start(&app, choose_port(how.port)?)?;
    demo.say(&format!("Serving {} on this machine.", server.url));
    let decided = decide(demo, &app, &server, &key_file, row)?;
    let records = integrity::verify_log(&app)?.records;
    let told = Told { demo, server: &server, login: &login, key_file: &key_file, decided: &decided, records };
    let mut answer = told.answer();
    if let Value::Object(fields) = &mut answer.json {
        fields.extend([
            ("trained".to_string(), trained),
            ("promoted".to_string(), promoted),
            ("batch".to_string(), batch),
        ]);
    }
    if how.once {
        server.stop()?;
        return Ok(answer);
    }
    let output = demo.invocation.output;
    output.answer(&answer).map_err(files::at(Path::new("standard output")))?;
    demo.say("Ctrl-C ends the demo; what it made stays.");
    server.wait()?;
    Ok(Answer::new("", Value::Null))
}

/// A decision as a core-banking system gets it, with its receipt.
struct Decided {
    answer: Answer,
    case: String,
    receipt: PathBuf,
}

fn decide(
    demo: &Demo<'_>,
    app: &App,
    server: &Served,
    key_file: &Path,
    row: String,
) -> Result<Decided, Failure> {
    let client = server.client(key_file)?;
    let model = demo.which.name;
    let decision: AnswerView = client.post_text(&Target::of(["v1", "models", model, "decisions"]), row)?;
    let case = match &decision {
        AnswerView::Decision(view) => view.record.case.clone().ok_or(DemoFault::NoCase)?,
        AnswerView::Prediction(_) => return Err(DemoFault::NoCase.into()),
    };
    let target = Target::of(["v1", "decisions", &case, "receipt"]);
    let bytes = client.bytes(&target, limits::RECEIPT_BYTES_MAX as usize)?;
    let trust = integrity::trust_root(app)?;
    Receipt::parse(&bytes)?.verify(Witness::Trust(&trust))?;
    let receipt = demo.folder.join(format!("receipt-{case}.json"));
    files::write_atomic(&receipt, &bytes, 0o600)?;
    Ok(Decided { answer: answer::any(&decision), case, receipt })
}

/// What the demo says at its end.
struct Told<'a> {
    demo: &'a Demo<'a>,
    server: &'a Served,
    login: &'a Login,
    key_file: &'a Path,
    decided: &'a Decided,
    records: u64,
}

impl Told<'_> {
    fn answer(&self) -> Answer {
        let (demo, url) = (self.demo, &self.server.url);
        let password = match &self.login.password {
            Some(password) => format!("{} (shown this once)", password.as_str()),
            None => format!(
                "as shown the first time; a new one: tallystick --home {} user password {}",
                demo.home().display(),
                self.login.name
            ),
        };
        let curl = self.curl();
        let text = format!(
            "\n{}\nreceipt {}, verified; the tally log holds {} records, verified\n\n\
             page      {url}/\n          certificate SHA-256 {}\nlogin     {}\npassword  {password}\n\n\
             The same decision as a core-banking system asks for it:\n  {curl}\n\
             All that it stands on:\n  tallystick --home {} why {}",
            self.decided.answer.text,
            self.decided.receipt.display(),
            self.records,
            self.server.fingerprint,
            self.login.name,
            demo.home().display(),
            self.decided.case,
        );
        let json = json!({
            "project": demo.which.name,
            "home": demo.home(),
            "url": url,
            "fingerprint": self.server.fingerprint,
            "certificate": self.certificate(),
            "login": {"name": self.login.name, "password": self.login.password.as_ref().map(|p| p.as_str())},
            "key_file": self.key_file,
            "row_file": demo.row_file(),
            "decision": self.decided.answer.json,
            "case": self.decided.case,
            "receipt": self.decided.receipt,
            "records": self.records,
            "curl": curl,
        });
        Answer::new(text, json)
    }

    fn certificate(&self) -> PathBuf {
        self.demo.home().join("keys").join(TLS_CHAIN_FILE)
    }

    fn curl(&self) -> String {
        format!(
            "curl --cacert '{}' -H \"Authorization: Bearer $(cat '{}')\" -H 'Content-Type: application/json' \
             --data '@{}' {}/v1/models/{}/decisions",
            self.certificate().display(),
            self.key_file.display(),
            self.demo.row_file().display(),
            self.server.url,
            self.demo.which.name,
        )
    }
}

/// The port that was named, or the first free one.
pub fn choose_port(named: Option<u16>) -> Result<u16, DemoFault> {
    let (first, last) = named.map_or((PORT, PORT + PORTS_TRIED), |port| (port, port));
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (first..=last).find(is_free).ok_or(DemoFault::NoPort { first, last })
}

/// The home's server, on a thread of this process.
pub struct Served {
    pub url: String,
    pub fingerprint: String,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<Drained, Failure>>,
}

impl Served {
    pub fn start(app: &App, port: u16) -> Result<Self, Failure> {
        let (told, hears) = sync_channel::<(SocketAddr, String)>(1);
        let (stop, stopped) = oneshot::channel::<()>();
        let opened = move |opened: &Opened| {
            if let Some(address) = opened.addresses.first() {
                let _ = told.send((*address, opened.fingerprint.clone()));
            }
        };
        let opening = Opening {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))],
            sockets: true,
            worker: true,
            opened: Box::new(opened),
            stop: Box::pin(async move { drop(stopped.await) }),
        };
        let app = app.clone();
        let thread = std::thread::spawn(move || serve_until(&app, opening));
        match hears.recv() {
            Ok((address, fingerprint)) => {
                Ok(Self { url: format!("https://{address}"), fingerprint, stop, thread })
            }
            // It ended without opening: its own error says why.
            Err(_) => Err(join(thread).err().unwrap_or(DemoFault::Stopped.into())),
        }
    }

    pub fn client(&self, key_file: &Path) -> Result<Client, Failure> {
        client(&self.url, &self.fingerprint, key_file)
    }

    pub fn stop(self) -> Result<(), Failure> {
        let _ = self.stop.send(());
        join(self.thread).map(drop)
    }

    /// Until the system says stop.
    fn wait(self) -> Result<(), Failure> {
        let Self { stop, thread, .. } = self;
        let ended = join(thread).map(drop);
        drop(stop);
        ended
    }
}

fn join(thread: JoinHandle<Result<Drained, Failure>>) -> Result<Drained, Failure> {
    thread.join().map_err(|_| DemoFault::Stopped)?
}

/// A client that knows the server by its certificate.
pub fn client(url: &str, fingerprint: &str, key_file: &Path) -> Result<Client, Failure> {
    let remote = Remote {
        address: Address::parse(url)?,
        anchor: Anchor::parse(fingerprint)?,
        token: read_token(key_file)?,
    };
    Ok(Client::at(remote)?)
}
