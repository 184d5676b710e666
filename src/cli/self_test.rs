//! `self-test`: an installed program shows on this very machine that all its parts work, in a folder of its own.
//! Never touches a home that is there, and leaves nothing behind.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use crate::app::decisions::replay::replay;
use crate::app::home::App;
use crate::app::integrity;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::demo::show::{Served, choose_port};
use crate::cli::demo::stage::Demo;
use crate::cli::speak::output::{Answer, Output, columns};
use crate::client::target::Target;
use crate::demo::project::PROJECTS;
use crate::http::views::decision::AnswerView;
use crate::ledger::receipt::{Anchor, Receipt};
use crate::security::key::SigningKey;

/// Enough for the first project's expectations and gates.
const ROWS: usize = 6_000;
const SEED: u64 = 11;
/// SHA-256 of `abc`, FIPS 180-4.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tallystick self-test\n  tallystick self-test --dir /var/lib/tallystick --json"
)]
pub struct SelfTestArguments {
    /// Where the test makes its folder: the disk that is to be tested [default: the system's place for such files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum TestFault {
    #[error("{what} is not what it must be")]
    Wrong { what: &'static str },
    #[error("a damaged store was taken for a sound one")]
    Unnoticed,
}

impl Fact for TestFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Wrong { .. } => "self_test.wrong",
            Self::Unnoticed => "self_test.unnoticed",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        Some("Do not use this installation: install the program again, and have the machine's memory and disk looked at.".into())
    }
}

/// One part after the other; what a part needs, those before it have left here.
struct Bench<'a> {
    demo: Demo<'a>,
    app: Option<App>,
    case: String,
}

type Step = fn(&mut Bench<'_>) -> Result<String, Failure>;

const STEPS: [(&str, Step); 9] = [
    ("cryptography", cryptography),
    ("stores", stores),
    ("training", training),
    ("promotion", promotion),
    ("server", server),
    ("replay", replayed),
    ("batch", batch),
    ("tally log", tally_log),
    ("damage", damage),
];

pub fn run(arguments: SelfTestArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let name = format!("tallystick-self-test-{}", std::process::id());
    let folder = arguments.dir.unwrap_or_else(std::env::temp_dir).join(name);
    files::create_folder(&folder)?;
    let quiet = Invocation {
        home: None,
        remote: Default::default(),
        output: Output { json: invocation.output.json, quiet: true },
    };
    let demo = Demo::at(&PROJECTS[0], folder.clone(), (ROWS, SEED), &quiet);
    let bench = Bench { demo, app: None, case: String::new() };
    let answer = take_steps(bench, invocation.output);
    files::remove_folder(&folder)?;
    Ok(answer)
}

fn take_steps(mut bench: Bench<'_>, output: Output) -> Answer {
    let (mut rows, mut steps, mut failed) = (Vec::new(), Vec::new(), None);
    for (name, step) in STEPS {
        if failed.is_some() {
            rows.push(vec![format!("  {name}"), "not run".to_string()]);
            steps.push(json!({"step": name, "ok": null}));
            continue;
        }
        let begun = Instant::now();
        let outcome = step(&mut bench);
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (ok, said) = match &outcome {
            Ok(said) => ("ok", said.clone()),
            Err(error) => ("FAILED", format!("{error} [{}]", error.code())),
        };
        output.say(&format!("  {name}: {ok}"));
        rows.push(vec![format!("  {name}"), ok.to_string(), format!("{ms} ms"), said.clone()]);
        steps.push(json!({"step": name, "ok": outcome.is_ok(), "ms": ms, "said": said}));
        failed = outcome.err();
    }
    let verdict = match &failed {
        None => "All parts work on this machine.".to_string(),
        Some(error) => error.next_step().unwrap_or_else(|| "This machine cannot be relied on yet.".into()),
    };
    let json = json!({"ok": failed.is_none(), "steps": steps});
    let answer = Answer::new(format!("{}{verdict}", columns(&rows)), json);
    match failed {
        None => answer,
        Some(error) => answer.ending(error.class()),
    }
}

fn must(good: bool, what: &'static str) -> Result<(), TestFault> {
    if good { Ok(()) } else { Err(TestFault::Wrong { what }) }
}

fn cryptography(_: &mut Bench<'_>) -> Result<String, Failure> {
    must(Digest::of(b"abc").to_hex() == ABC, "the digest of a known text")?;
    let key = SigningKey::generate()?;
    let mut signature = key.sign(b"tally");
    must(key.public().verify(b"tally", &signature).is_ok(), "a signature")?;
    signature[0] ^= 1;
    must(key.public().verify(b"tally", &signature).is_err(), "the refusal of a changed signature")?;
    Ok("digest, signature, refusal of a changed one".into())
}

fn stores(bench: &mut Bench<'_>) -> Result<String, Failure> {
    bench.app = Some(bench.demo.prepare()?);
    Ok("a home with two stores and a key of its own".into())
}

impl Bench<'_> {
    fn app(&self) -> Result<&App, TestFault> {
        self.app.as_ref().ok_or(TestFault::Wrong { what: "the home" })
    }
}

fn training(bench: &mut Bench<'_>) -> Result<String, Failure> {
    let trained = bench.demo.train(bench.app()?)?;
    let auc = trained["auc"]["value"].as_f64().unwrap_or_default();
    Ok(format!("checked data, a child process, a signed release; AUC {auc:.3}"))
}

fn promotion(bench: &mut Bench<'_>) -> Result<String, Failure> {
    let promoted = bench.demo.promote(bench.app()?)?;
    must(promoted["moved"] == Value::Bool(true), "the promotion")?;
    Ok("through its gates".into())
}

/// A decision over HTTPS, and its receipt.
fn server(bench: &mut Bench<'_>) -> Result<String, Failure> {
    let app = bench.app()?.clone();
    let (key, row) = (bench.demo.make_key(&app)?, bench.demo.choose_row(&app)?);
    let server = Served::start(&app, choose_port(None)?)?;
    let asked = || -> Result<(String, Vec<u8>), Failure> {
        let client = server.client(&key)?;
        let target = Target::of(["v1", "models", bench.demo.which.name, "decisions"]);
        let AnswerView::Decision(view) = client.post_text::<AnswerView>(&target, row)? else {
            return Err(TestFault::Wrong { what: "the answer" }.into());
        };
        let case = view.record.case.unwrap_or_default();
        let receipt = Target::of(["v1", "decisions", &case, "receipt"]);
        let receipt = client.bytes(&receipt, limits::RECEIPT_BYTES_MAX as usize)?;
        Ok((case, receipt.to_vec()))
    };
    let answered = asked();
    server.stop()?;
    let (case, receipt) = answered?;
    let trust = integrity::trust_root(&app)?;
    let verified = Receipt::parse(&receipt)?.verify(Anchor::Trust(&trust))?;
    let told = verified.header.decision.as_ref().and_then(|facts| facts.case).map(|case| case.to_string());
    must(told.as_deref() == Some(&case), "the receipt's case")?;
    bench.case = case;
    Ok(format!("TLS, case {}, its receipt verified", bench.case))
}

fn replayed(bench: &mut Bench<'_>) -> Result<String, Failure> {
    let replay = replay(bench.app()?, &bench.case)?;
    must(replay.again.is_some() && replay.differences.is_empty(), "the same decision made once more")?;
    Ok("the decision made once more is the same to the bit".into())
}

fn batch(bench: &mut Bench<'_>) -> Result<String, Failure> {
    let done = bench.demo.batch(bench.app()?)?;
    Ok(format!("{} rows scored from a file", done["rows"]))
}

fn tally_log(bench: &mut Bench<'_>) -> Result<String, Failure> {
    let records = integrity::verify_log(bench.app()?)?.records;
    // Closed, so that its files can be looked at.
    bench.app = None;
    let rows = integrity::check_store(&bench.demo.home())?.rows;
    Ok(format!("{records} records and {rows} rows verified"))
}

/// One changed bit of a record, in a store that nobody needs any more, must be noticed.
fn damage(bench: &mut Bench<'_>) -> Result<String, Failure> {
    let ledger = bench.demo.home().join("ledger.redb");
    let mut bytes = files::read_at_most(&ledger, limits::BLOB_BYTES_MAX)?;
    let Some(place) = find_record_text(&bytes) else {
        return Err(TestFault::Wrong { what: "the store's content" }.into());
    };
    bytes[place] ^= 1;
    std::fs::write(&ledger, &bytes).map_err(files::at(Path::new(&ledger)))?;
    match integrity::check_store(&bench.demo.home()) {
        Err(error) if error.class() == Class::Integrity => {
            Ok(format!("one changed bit is noticed: {}", error.code()))
        }
        _ => Err(TestFault::Unnoticed.into()),
    }
}

/// Where a record says what it is: a place that is in use.
fn find_record_text(bytes: &[u8]) -> Option<usize> {
    let text = b"\"kind\":\"decision_made\"";
    bytes.windows(text.len()).rposition(|window| window == text)
}
