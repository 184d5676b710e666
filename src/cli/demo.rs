//! `demo`: from nothing to a decision, on the invented data of one of the demo projects.
//! Does what a person would do with the other commands, by the same use cases; a second time it reuses what is there.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::batches;
use crate::app::datasets::{self, DataSource};
use crate::app::decisions::{self, Asked, Content};
use crate::app::error::check_absent;
use crate::app::home::{self, App};
use crate::app::registry::promotion::{self, MoveAs, PromoteRequest};
use crate::app::registry::versions;
use crate::app::training::{self, TrainRequest};
use crate::base::clock::SystemClock;
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::decision::answer;
use crate::cli::score;
use crate::cli::speak::output::Answer;
use crate::cli::speak::progress::Bar;
use crate::cli::speak::wait::wait_for;
use crate::cli::train::on_interrupt;
use crate::config::project::Project;
use crate::demo::project::{self, DemoProject, PROJECTS};
use crate::demo::sheet::SEED_DEFAULT;
use crate::http::views::decision::AnswerView;
use crate::registry::version::{Alias, ModelRef, Which};
use crate::serve::batch::BatchOrder;
use crate::serve::batch::output::{BatchOptions, OutputFormat};

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tallystick demo\n  tallystick demo --project bank-churn --dir /tmp/demo --rows 50000\n  tallystick demo data --project loan-approval --rows 5000 --seed 3 --out applications.csv"
)]
pub struct DemoArguments {
    /// Where the demo's home (unless --home says another), project, data and scores go
    #[arg(long, default_value = "tallystick-demo", value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    which: WhichProject,
    #[command(flatten)]
    drawn: Drawn,
    #[command(subcommand)]
    part: Option<DemoPart>,
}

#[derive(Args)]
struct WhichProject {
    /// loan-default, loan-approval, subscription-churn, bank-churn or course-completion
    #[arg(long = "project", default_value = PROJECTS[0].name, value_name = "NAME")]
    name: String,
}

impl WhichProject {
    fn find(&self) -> Result<&'static DemoProject, Failure> {
        Ok(project::find(&self.name)?)
    }
}

#[derive(Args)]
struct Drawn {
    /// Invented rows to train on [default: some thousands]
    #[arg(long)]
    rows: Option<usize>,
    /// Another seed invents other rows
    #[arg(long, default_value_t = SEED_DEFAULT)]
    seed: u64,
}

impl Drawn {
    fn rows(&self, project: &DemoProject) -> usize {
        self.rows.unwrap_or(project.rows_default)
    }
}

#[derive(Subcommand)]
enum DemoPart {
    /// Only write the invented rows of a project as CSV
    Data {
        #[command(flatten)]
        which: WhichProject,
        #[command(flatten)]
        drawn: Drawn,
        /// A file that does not exist yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Only write a demo project's folder
    Project {
        #[command(flatten)]
        which: WhichProject,
        /// A folder that does not exist yet
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// New rows that the demo scores in a batch; of another seed than the training's.
const BATCH_ROWS: usize = 2_000;

pub fn run(arguments: DemoArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    match arguments.part {
        Some(DemoPart::Data { which, drawn, out }) => {
            check_absent(&out)?;
            let project = which.find()?;
            let (rows, seed) = (drawn.rows(project), drawn.seed);
            project.write_csv(&out, rows, seed)?;
            let text = format!("{rows} invented {} are in {}.", project.rows_are, out.display());
            Ok(Answer::new(text, json!({"project": project.name, "rows": rows, "seed": seed, "out": out})))
        }
        Some(DemoPart::Project { which, out }) => {
            check_absent(&out)?;
            let project = which.find()?;
            write_project(project, &out)?;
            let text = format!("The project {} is in {}.", project.name, out.display());
            Ok(Answer::new(text, json!({"project": project.name, "out": out})))
        }
        None => show(&Demo::new(arguments, invocation)?),
    }
}

fn write_project(project: &DemoProject, folder: &Path) -> Result<(), Failure> {
    for (name, text) in project.files {
        let path = folder.join(name);
        files::create_folder(path.parent().unwrap_or(folder))?;
        files::write_atomic(&path, text.as_bytes(), 0o644)?;
    }
    Ok(())
}

/// The demo's places, and what it says on the way.
struct Demo<'a> {
    which: &'static DemoProject,
    folder: PathBuf,
    project: PathBuf,
    data: PathBuf,
    rows: usize,
    seed: u64,
    invocation: &'a Invocation,
}

impl<'a> Demo<'a> {
    fn new(arguments: DemoArguments, invocation: &'a Invocation) -> Result<Self, Failure> {
        let which = arguments.which.find()?;
        let folder = arguments.dir;
        files::create_folder(&folder)?;
        let (rows, seed) = (arguments.drawn.rows(which), arguments.drawn.seed);
        let data = folder.join(format!("{}-{rows}-{seed}.csv", which.rows_are));
        Ok(Self { which, project: folder.join(which.name), data, folder, rows, seed, invocation })
    }

    fn say(&self, line: &str) {
        self.invocation.output.say(line);
    }

    fn home(&self) -> PathBuf {
        self.invocation.home.clone().unwrap_or_else(|| self.folder.join("home"))
    }

    /// Others than those the model is trained on: another seed, and a file of their own for each.
    fn new_rows(&self) -> PathBuf {
        self.folder.join(format!("new-{}-{}.csv", self.which.rows_are, self.seed + 1))
    }

    /// Makes what is not there yet: home, project, data.
    fn prepare(&self) -> Result<App, Failure> {
        self.generate(&self.data, self.rows, self.seed)?;
        let home = self.home();
        if home.join("home.json").exists() {
            self.say(&format!("Reusing the home {}.", home.display()));
        } else {
            home::init(&home, &home::local_person()?, &SystemClock)?;
            self.say(&format!("Made the home {}, with a signing key of its own.", home.display()));
        }
        if !self.project.join("project.toml").exists() {
            write_project(self.which, &self.project)?;
        }
        App::open(&home, home::local_person()?, Box::new(SystemClock))
    }

    fn generate(&self, path: &Path, rows: usize, seed: u64) -> Result<(), Failure> {
        if path.exists() {
            self.say(&format!("Reusing {}.", path.display()));
            return Ok(());
        }
        self.which.write_csv(path, rows, seed)?;
        self.say(&format!("Invented {rows} {}: {}.", self.which.rows_are, path.display()));
        Ok(())
    }

    fn train(&self, app: &App) -> Result<Value, Failure> {
        let request = TrainRequest {
            project: self.project.clone(),
            source: DataSource::File(self.data.clone()),
            overrides: Vec::new(),
        };
        let bar = Bar::new(self.invocation.output);
        let trained = training::train(app, &request, &on_interrupt, &mut |event| bar.hear(event));
        bar.finish();
        let trained = trained?;
        let version = &trained.registered.version;
        let auc = trained.evaluation.intervals.get("auc");
        let auc_text =
            auc.map_or(String::new(), |i| format!(", AUC {:.3} ({:.3} to {:.3})", i.value, i.low, i.high));
        let how =
            if trained.registered.reused { "Trained again to the same digest" } else { "Trained and signed" };
        self.say(&format!("{how}: {}@{}{auc_text}.", version.name, version.version));
        Ok(json!({
            "name": version.name, "version": version.version, "digest": version.model,
            "reused": trained.registered.reused, "auc": auc, "run_id": trained.run_id,
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
        let new_rows = self.new_rows();
        self.generate(&new_rows, BATCH_ROWS, self.seed + 1)?;
        let out = self.folder.join("scores");
        let order = BatchOrder {
            input: &new_rows,
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
    let row = find_telling_row(&app, &project, &model, &demo.new_rows())?;
    let path = demo.folder.join("row.json");
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

/// The first row that does not simply get the best outcome: a decision with reasons shows more.
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
