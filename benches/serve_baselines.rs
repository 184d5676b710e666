//! Two servers that `tests/bench/serve/run.py` measures `tallystick serve` against. Owns the floor, `echo`: TLS, HTTP,
//! JSON in and out and nothing else; and `durable`, which adds the one durable write that a record costs.
//! Neither ever scores a row, checks a key or opens a home.

use std::error::Error;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, thread};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use clap::{Args, Parser};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;

/// As in the product: an allocator of its own is part of what is compared.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PATH: &str = "/v1/models/loan-default/decisions";
const BODY_BYTES_MAX: usize = 64 * 1024;
const CELLS_MAX: usize = 512;
const QUEUE_MAX: usize = 1024;
const GROUP_MAX: usize = 512;
const RECORD_BYTES: usize = 600;
const RECORDS: TableDefinition<u64, &[u8]> = TableDefinition::new("records");

type Fault = Box<dyn Error + Send + Sync>;

#[derive(Parser)]
#[command(
    about = "The servers that tallystick serve is measured against; tests/bench/serve/run.py starts them"
)]
enum Command {
    /// TLS, HTTP and JSON only
    Echo(Listen),
    /// the same, and one durable write a request
    Durable {
        #[command(flatten)]
        listen: Listen,
        /// where the file with the records is made
        #[arg(long)]
        dir: PathBuf,
    },
    /// writes cert.pem and key.pem for a server that cannot make its own
    Certificate {
        #[arg(long)]
        dir: PathBuf,
    },
}

#[derive(Args)]
struct Listen {
    /// 0 takes any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

fn main() -> Result<(), Fault> {
    // `cargo bench` adds a word of its own.
    let words: Vec<String> = std::env::args().filter(|word| word != "--bench").collect();
    if words.len() < 2 {
        return say("nothing measured: tests/bench/serve/run.py starts these servers and drives the load");
    }
    match Command::parse_from(words) {
        Command::Echo(listen) => serve(&listen, Router::new().route(PATH, post(echo))),
        Command::Durable { listen, dir } => {
            let queue = start_writer(&dir)?;
            serve(&listen, Router::new().route(PATH, post(durable)).with_state(queue))
        }
        Command::Certificate { dir } => write_certificate(&dir),
    }
}

fn say(line: &str) -> Result<(), Fault> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

// -- connections ---------------------------------------------------------------------------------

fn serve(listen: &Listen, app: Router) -> Result<(), Fault> {
    let acceptor = TlsAcceptor::from(Arc::new(tls()?));
    let app = app.layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(listen.workers.max(1))
        .enable_all()
        .build()?;
    let port = listen.port;
    // Spawned, so that the accept loop runs on the workers and not on this thread beside them.
    runtime.block_on(async { tokio::spawn(accept(port, acceptor, app)).await })?
}

async fn accept(port: u16, acceptor: TlsAcceptor, app: Router) -> Result<(), Fault> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    say(&format!("ready {}", listener.local_addr()?.port()))?;
    loop {
        let (socket, _) = listener.accept().await?;
        let (acceptor, app) = (acceptor.clone(), app.clone());
        // A client that leaves in the middle is no fault of the server's.
        tokio::spawn(async move { drop(converse(socket, acceptor, app).await) });
    }
}

async fn converse(socket: TcpStream, acceptor: TlsAcceptor, app: Router) -> Result<(), Fault> {
    socket.set_nodelay(true)?;
    let stream = acceptor.accept(socket).await?;
    let service = TowerToHyperService::new(app);
    Ok(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await?)
}

fn tls() -> Result<rustls::ServerConfig, Fault> {
    let made = self_signed()?;
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?)
}

fn self_signed() -> Result<rcgen::CertifiedKey<rcgen::KeyPair>, Fault> {
    Ok(rcgen::generate_simple_self_signed(vec!["localhost".to_string(), "127.0.0.1".to_string()])?)
}

fn write_certificate(dir: &Path) -> Result<(), Fault> {
    let made = self_signed()?;
    std::fs::write(dir.join("cert.pem"), made.cert.pem())?;
    std::fs::write(dir.join("key.pem"), made.signing_key.serialize_pem())?;
    Ok(())
}

// -- requests ------------------------------------------------------------------------------------

async fn echo(body: Bytes) -> Response {
    match answer_to(&body) {
        Ok(answer) => json(answer),
        Err(e) => (StatusCode::BAD_REQUEST, e.to_string()).into_response(),
    }
}

async fn durable(State(queue): State<mpsc::Sender<Record>>, body: Bytes) -> Response {
    let answer = match answer_to(&body) {
        Ok(answer) => answer,
        Err(e) => return (StatusCode::BAD_REQUEST, e.to_string()).into_response(),
    };
    let mut value = Vec::with_capacity(RECORD_BYTES.max(answer.len() + body.len()));
    value.extend_from_slice(&answer);
    value.extend_from_slice(&body);
    value.resize(RECORD_BYTES, b' ');
    let (kept, done) = oneshot::channel();
    let queued = queue.send(Record { value, kept }).await.is_ok();
    if queued && done.await.is_ok() { json(answer) } else { StatusCode::SERVICE_UNAVAILABLE.into_response() }
}

fn json(answer: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], answer).into_response()
}

/// About 400 bytes that depend on the row, so that the parsing cannot be left out.
fn answer_to(body: &[u8]) -> serde_json::Result<Vec<u8>> {
    let Row(cells) = serde_json::from_slice(body)?;
    let id = cells.iter().find_map(|(name, cell)| match cell {
        Cell::Text(text) if name == "loan_id" => Some(text.as_str()),
        _ => None,
    });
    let sum: f64 = cells.iter().map(|(_, cell)| cell.figure()).sum();
    serde_json::to_vec(&Answer {
        id: id.unwrap_or_default(),
        model: "loan-default@1",
        policy: "132b0d9cb04b",
        decision: if sum > 1e5 { "decline" } else { "approve" },
        probability: 1.0 / (1.0 + sum.abs().ln_1p()),
        reasons: [
            Reason { field: "open_acc", text: "There are many open credit lines." },
            Reason { field: "int_rate", text: "The loan was priced at a high rate because of its risk." },
            Reason {
                field: "inq_last_6mths",
                text: "There were many credit inquiries in the last six months.",
            },
        ],
    })
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a str,
    model: &'a str,
    policy: &'a str,
    decision: &'a str,
    probability: f64,
    reasons: [Reason<'a>; 3],
}

#[derive(Serialize)]
struct Reason<'a> {
    field: &'a str,
    text: &'a str,
}

/// A flat JSON object, in the order it came.
struct Row(Vec<(String, Cell)>);

enum Cell {
    Missing,
    Flag(bool),
    Number(f64),
    Text(String),
}

impl Cell {
    fn figure(&self) -> f64 {
        match self {
            Self::Missing => 0.0,
            Self::Flag(flag) => f64::from(u8::from(*flag)),
            Self::Number(number) => *number,
            Self::Text(text) => text.len() as f64,
        }
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "an object of at most {CELLS_MAX} cells")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let mut cells = Vec::with_capacity(32);
        while let Some(cell) = map.next_entry()? {
            if cells.len() == CELLS_MAX {
                return Err(serde::de::Error::custom("too many cells"));
            }
            cells.push(cell);
        }
        Ok(Row(cells))
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl Visitor<'_> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a number, a text, true, false or null")
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::Missing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Cell, E> {
        Ok(Cell::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(text.to_string()))
    }
}

// -- records -------------------------------------------------------------------------------------

/// What is to be on the disk before the answer to `kept` is given.
struct Record {
    value: Vec<u8>,
    kept: oneshot::Sender<u64>,
}

/// One thread owns the file. When it fails it ends, and every request after that is answered 503.
fn start_writer(dir: &Path) -> Result<mpsc::Sender<Record>, Fault> {
    let database = Database::create(dir.join("records.redb"))?;
    let next = first_free(&database)?;
    let (queue, waiting) = mpsc::channel(QUEUE_MAX);
    thread::Builder::new().name("writer".to_string()).spawn(move || {
        if let Err(e) = write_groups(&database, waiting, next) {
            drop(writeln!(std::io::stderr().lock(), "the writer stopped: {e}"));
        }
    })?;
    Ok(queue)
}

fn first_free(database: &Database) -> Result<u64, Fault> {
    let making = database.begin_write()?;
    making.open_table(RECORDS)?;
    making.commit()?;
    let reading = database.begin_read()?;
    let last = reading.open_table(RECORDS)?.last()?.map(|(seq, _)| seq.value());
    Ok(last.map_or(0, |seq| seq + 1))
}

/// Whatever waits when a commit ends goes into the next one.
fn write_groups(
    database: &Database,
    mut waiting: mpsc::Receiver<Record>,
    mut next: u64,
) -> Result<(), Fault> {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while waiting.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
        let first = next;
        let mut writing = database.begin_write()?;
        writing.set_two_phase_commit(true);
        let mut table = writing.open_table(RECORDS)?;
        for record in &group {
            table.insert(next, record.value.as_slice())?;
            next += 1;
        }
        drop(table);
        writing.commit()?;
        for (record, seq) in group.drain(..).zip(first..) {
            // Whoever asked may have gone.
            let _ = record.kept.send(seq);
        }
    }
    Ok(())
}
