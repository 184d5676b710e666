//! `demo`: from nothing to a decision, on invented loans.
//! Does what a person would do with the other commands, by the same use cases; a second time it reuses what is there.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::batches;
use crate::app::datasets;
use crate::app::decisions::{self, Asked, Content};
use crate::app::error::check_absent;
use crate::app::home::{self, App};
use crate::app::registry::promotion::{self, MoveAs, PromoteRequest};
use crate::app::registry::versions;
use crate::base::clock::SystemClock;
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::api::orders::{Source, TrainOrder, train_here};
use crate::cli::decision::answer;
use crate::cli::score;
use crate::cli::speak::output::Answer;
use crate::cli::speak::progress::Bar;
use crate::cli::speak::wait::wait_for;
use crate::cli::train::{on_interrupt, trained_of};
use crate::config::project::Project;
use crate::demo::loan_default::{ROWS_DEFAULT, SEED_DEFAULT, write_csv};
use crate::demo::project::FILES;
use crate::http::metrics::Figures;
use crate::http::routes::ROUTES;
use crate::http::server::Server;
use crate::http::views::decision::AnswerView;
use crate::registry::version::{Alias, ModelRef, Which};
use crate::serve::batch::BatchOrder;
use crate::serve::batch::output::{BatchOptions, OutputFormat};

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tallystick demo\n  tallystick demo --dir /tmp/demo --rows 50000\n  tallystick demo data --rows 5000 --seed 3 --out loans.csv"
)]
pub struct DemoArguments {
    /// Where the demo's home (unless --home says another), project, data and scores go
    #[arg(long, default_value = "tallystick-demo", value_name = "DIR")]
    dir: PathBuf,
    /// Invented loans to train on
    #[arg(long, default_value_t = ROWS_DEFAULT)]
    rows: usize,
    /// Another seed invents other loans
    #[arg(long, default_value_t = SEED_DEFAULT)]
    seed: u64,
    #[command(subcommand)]
    part: Option<DemoPart>,
}

#[derive(Subcommand)]
enum DemoPart {
    /// Only write invented loans as CSV
    Data {
        /// How many loans
        #[arg(long, default_value_t = ROWS_DEFAULT)]
        rows: usize,
        /// Another seed invents other loans
        #[arg(long, default_value_t = SEED_DEFAULT)]
        seed: u64,
        /// A file that does not exist yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Only write the demo's project folder
    Project {
        /// A folder that does not exist yet
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// Rows of the new applicants that the demo scores in a batch; another seed than the training's.
const APPLICANTS: usize = 2_000;

pub fn run(arguments: DemoArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    match arguments.part {
        Some(DemoPart::Data { rows, seed, out }) => {
            check_absent(&out)?;
            write_csv(&out, rows, seed)?;
            let text = format!("{rows} invented loans are in {}.", out.display());
            Ok(Answer::new(text, json!({"rows": rows, "seed": seed, "out": out})))
        }
        Some(DemoPart::Project { out }) => {
            check_absent(&out)?;
            write_project(&out)?;
            Ok(Answer::new(format!("The project is in {}.", out.display()), json!({"out": out})))
        }
        None => show(&Demo::new(arguments, invocation)?),
    }
}

fn write_project(folder: &Path) -> Result<(), Failure> {
    for (name, text) in FILES {
        let path = folder.join(name);
        files::create_folder(path.parent().unwrap_or(folder))?;
        files::write_atomic(&path, text.as_bytes(), 0o644)?;
    }
    Ok(())
}

/// The demo's places, and what it says on the way.
struct Demo<'a> {
    folder: PathBuf,
    project: PathBuf,
    loans: PathBuf,
    rows: usize,
    seed: u64,
    invocation: &'a Invocation,
}

impl<'a> Demo<'a> {
    fn new(arguments: DemoArguments, invocation: &'a Invocation) -> Result<Self, Failure> {
        let folder = arguments.dir;
        files::create_folder(&folder)?;
        let loans = folder.join(format!("loans-{}-{}.csv", arguments.rows, arguments.seed));
        let (rows, seed) = (arguments.rows, arguments.seed);
        Ok(Self { project: folder.join("project"), loans, folder, rows, seed, invocation })
    }

    fn say(&self, line: &str) {
        self.invocation.output.say(line);
    }

    fn home(&self) -> PathBuf {
        self.invocation.home.clone().unwrap_or_else(|| self.folder.join("home"))
    }

    /// Other people than those the model is trained on: another seed, and a file of their own for each.
    fn applicants(&self) -> PathBuf {
        self.folder.join(format!("applicants-{}.csv", self.seed + 1))
    }

    /// Makes what is not there yet: home, project, data.
    fn prepare(&self) -> Result<App, Failure> {
        self.generate(&self.loans, self.rows, self.seed)?;
        let home = self.home();
        if home.join("home.json").exists() {
            self.say(&format!("Reusing the home {}.", home.display()));
        } else {
            home::init(&home, &home::local_person()?, &SystemClock)?;
            self.say(&format!("Made the home {}, with a signing key of its own.", home.display()));
        }
        if !self.project.join("project.toml").exists() {
            write_project(&self.project)?;
        }
        App::open(&home, home::local_person()?, Box::new(SystemClock))
    }

    fn generate(&self, path: &Path, rows: usize, seed: u64) -> Result<(), Failure> {
        if path.exists() {
            self.say(&format!("Reusing {}.", path.display()));
            return Ok(());
        }
        write_csv(path, rows, seed)?;
        self.say(&format!("Invented {rows} loans: {}.", path.display()));
        Ok(())
    }

    fn train(&self, app: &App) -> Result<Value, Failure> {
        let project = Project::load(&self.project, &[])?;
        let source = Source::File(self.loans.clone());
        let order = TrainOrder { project: &project, overrides: Vec::new(), source };
        let bar = Bar::new(self.invocation.output);
        let server = Server::new(app, Figures::local(ROUTES))?;
        let ended = train_here(&server, app, &order, &bar);
        bar.finish();
        let trained = trained_of(ended?)?;
        let (name, version) = (&trained.view.name, trained.view.version);
        let auc = trained.view.intervals.get("auc");
        let auc_text = auc.map_or(String::new(), |interval| {
            let number = |name: &str| interval[name].as_f64().unwrap_or(f64::NAN);
            format!(", AUC {:.3} ({:.3} to {:.3})", number("value"), number("low"), number("high"))
        });
        let how = if trained.view.reused { "Trained again to the same digest" } else { "Trained and signed" };
        self.say(&format!("{how}: {name}@{version}{auc_text}."));
        Ok(json!({
            "name": name, "version": version, "digest": trained.view.digest,
            "reused": trained.view.reused, "auc": auc, "run_id": trained.run_id,
        }))
    }

    /// The newest version passes its gates into production, unless it is there already.
    fn promote(&self, app: &App) -> Result<Value, Failure> {
        let name = Project::load(&self.project, &[])?.settings.name;
        let newest = ModelRef { name: name.clone(), which: Which::Unstated };
        let (version, _) = versions::find_version(app, &newest, false)?;
        let now = match versions::find_version(app, &newest, true) {
            Ok((serving, _)) => Some(serving.version),
            Err(error) if error.code() == "model.unknown_alias" => None,
            Err(error) => return Err(error),
        };
        if now == Some(version.version) {
            self.say(&format!("{name}@{} is in production already.", version.version));
            return Ok(json!({"alias": "production", "version": version.version, "moved": false}));
        }
        let request = PromoteRequest {
            model: newest,
            to: Alias::Production,
            why: "the demo".into(),
            policy: None,
            gates: None,
            move_as: MoveAs::default(),
        };
        let promoted = promotion::promote(app, &request)?;
        self.say(&format!("Promoted to production: all {} gates passed.", promoted.gate.rules.len()));
        Ok(json!({"alias": "production", "version": version.version, "moved": true, "gate": promoted.gate}))
    }

    fn batch(&self, app: &App, model: &ModelRef) -> Result<Value, Failure> {
        let applicants = self.applicants();
        self.generate(&applicants, APPLICANTS, self.seed + 1)?;
        let out = self.folder.join("scores");
        let order = BatchOrder {
            input: &applicants,
            out: &out,
            options: BatchOptions { format: OutputFormat::Csv },
            chunk_rows: limits::BATCH_CHUNK_ROWS,
        };
        let (bar, cancel) = (Bar::new(self.invocation.output), on_interrupt()?);
        let result = batches::run(app, model, &order, &cancel, &bar);
        bar.finish();
        let answer = score::batch_answer(&result?);
        self.say(&format!("Scored a file: {}", answer.text.replace('\n', " in ")));
        Ok(answer.json)
    }
}

fn show(demo: &Demo<'_>) -> Result<Answer, Failure> {
    let app = demo.prepare()?;
    let trained = demo.train(&app)?;
    let promoted = demo.promote(&app)?;
    let project = Project::load(&demo.project, &[])?;
    let model = ModelRef { name: project.settings.name.clone(), which: Which::Unstated };
    let batch = demo.batch(&app, &model)?;
    let applicants = demo.applicants();
    let row = find_telling_row(&app, &project, &model, &applicants)?;
    let path = demo.folder.join("applicant.json");
    files::write_atomic(&path, row.to_string().as_bytes(), 0o600)?;
    let answered = wait_for(decisions::decide(&app, asked(&model, &row.to_string())))?;
    let decision = answer::any(&AnswerView::of(answered));
    let audit = crate::app::integrity::verify_log(&app)?;
    let text = format!(
        "\n{}\n\nThe tally log holds {} records, verified. Go on with\n  tallystick --home {} decide {} --row {}\n  tallystick --home {} model show {}",
        decision.text,
        audit.records,
        demo.home().display(),
        model.name,
        path.display(),
        demo.home().display(),
        model.name
    );
    let json = json!({
        "home": demo.home(), "trained": trained, "promoted": promoted, "batch": batch,
        "row": row, "decision": decision.json, "records": audit.records,
    });
    Ok(Answer::new(text, json))
}

fn asked<'a>(model: &'a ModelRef, row: &'a str) -> Asked<'a> {
    Asked { model, row, key: None, simulated: false, started: Instant::now() }
}

/// The first applicant who is not simply approved: a decision with reasons shows more.
fn find_telling_row(app: &App, project: &Project, model: &ModelRef, file: &Path) -> Result<Value, Failure> {
    const LOOKED_AT: u64 = 50;
    let mut first = None;
    for number in 1..=LOOKED_AT {
        let row = datasets::row_as_json(project, file, number)?;
        let answered = wait_for(decisions::decide(app, asked(model, &row.to_string())))?;
        if matches!(&answered.content, Content::Decision(decision) if !decision.reasons.list.is_empty()) {
            return Ok(row);
        }
        first.get_or_insert(row);
    }
    Ok(first.unwrap_or_else(|| json!({})))
}
