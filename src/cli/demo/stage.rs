//! What the demo stands on: home, project, data, a trained and promoted model, a login and a key.
//! Made where it is not there yet, by the use cases of the other commands; reused where it is, and told so.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::app::batches;
use crate::app::datasets;
use crate::app::decisions::{self, Asked, Content};
use crate::app::home::{self, App};
use crate::app::people::{keys, users};
use crate::app::registry::promotion::{self, MoveAs, PromoteRequest};
use crate::app::registry::versions;
use crate::base::clock::SystemClock;
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::api::orders::{Source, TrainOrder, train_here};
use crate::cli::demo::{DemoArguments, write_project};
use crate::cli::score;
use crate::cli::speak::progress::Bar;
use crate::cli::speak::wait::wait_for;
use crate::cli::train::{on_interrupt, trained_of};
use crate::config::project::Project;
use crate::demo::project::DemoProject;
use crate::http::metrics::Figures;
use crate::http::routes::ROUTES;
use crate::http::server::Server;
use crate::registry::version::{Alias, ModelRef, Which};
use crate::security::actor::Role;
use crate::security::password;
use crate::serve::batch::BatchOrder;
use crate::serve::batch::output::{BatchOptions, OutputFormat};

/// New rows that the demo scores in a batch; of another seed than the training's.
const BATCH_ROWS: usize = 2_000;
/// The officer who may log in.
const OFFICER: &str = "officer";
/// The core-banking system that the demo plays.
const CORE: &str = "core@demo";

/// Who may log in; the password only where it was made just now.
pub struct Login {
    pub name: &'static str,
    pub password: Option<Zeroizing<String>>,
}

/// The demo's places, and what it says on the way.
pub struct Demo<'a> {
    pub which: &'static DemoProject,
    pub folder: PathBuf,
    project: PathBuf,
    data: PathBuf,
    rows: usize,
    seed: u64,
    pub invocation: &'a Invocation,
}

impl<'a> Demo<'a> {
    pub fn new(arguments: DemoArguments, invocation: &'a Invocation) -> Result<Self, Failure> {
        let which = arguments.which.find()?;
        files::create_folder(&arguments.dir)?;
        let drawn = (arguments.drawn.rows(which), arguments.drawn.seed);
        Ok(Self::at(which, arguments.dir, drawn, invocation))
    }

    /// In a folder that is there, with so many rows of a seed.
    pub fn at(
        which: &'static DemoProject,
        folder: PathBuf,
        (rows, seed): (usize, u64),
        invocation: &'a Invocation,
    ) -> Self {
        let data = folder.join(format!("{}-{rows}-{seed}.csv", which.rows_are));
        Self { which, project: folder.join(which.name), data, folder, rows, seed, invocation }
    }

    pub fn say(&self, line: &str) {
        self.invocation.output.say(line);
    }

    pub fn home(&self) -> PathBuf {
        self.invocation.home.clone().unwrap_or_else(|| self.folder.join("home"))
    }

    /// Others than those the model is trained on: another seed, and a file of their own for each.
    fn make_new_rows(&self) -> Result<PathBuf, Failure> {
        let path = self.folder.join(format!("new-{}-{}.csv", self.which.rows_are, self.seed + 1));
        if !path.exists() {
            self.generate(&path, BATCH_ROWS, self.seed + 1)?;
        }
        Ok(path)
    }

    /// Makes what is not there yet: home, project, data.
    pub fn prepare(&self) -> Result<App, Failure> {
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

    pub fn train(&self, app: &App) -> Result<Value, Failure> {
        let project = Project::load(&self.project, &[])?;
        let source = Source::File(self.data.clone());
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
    pub fn promote(&self, app: &App) -> Result<Value, Failure> {
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

    pub fn batch(&self, app: &App) -> Result<Value, Failure> {
        let model = &self.model();
        let new_rows = self.make_new_rows()?;
        let out = self.folder.join(format!("scores-{}", self.which.name));
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

    pub fn model(&self) -> ModelRef {
        ModelRef { name: self.which.name.to_string(), which: Which::Unstated }
    }

    /// Somebody to log in as. The password is drawn, told once and kept nowhere.
    pub fn make_login(&self, app: &App) -> Result<Login, Failure> {
        if users::find(app, OFFICER).is_ok() {
            return Ok(Login { name: OFFICER, password: None });
        }
        let drawn = password::draw()?;
        users::add(app, OFFICER, &[Role::Officer], &drawn)?;
        Ok(Login { name: OFFICER, password: Some(drawn) })
    }

    /// The file with the key that a core-banking system would ask with.
    pub fn make_key(&self, app: &App) -> Result<PathBuf, Failure> {
        let path = self.folder.join("core.key");
        let now = app.now().millis();
        let known = keys::list(app, None, limits::LIST_MAX)?;
        let holds = |key: &keys::ApiKey| key.name == CORE && key.revoked_ms.is_none() && key.expires_ms > now;
        if !path.exists() || !known.iter().any(holds) {
            let made = keys::create(app, CORE, Role::CoreBanking, None)?;
            files::write_atomic(&path, format!("{}\n", made.secret.as_str()).as_bytes(), 0o600)?;
        }
        Ok(path)
    }

    pub fn row_file(&self) -> PathBuf {
        self.folder.join(format!("row-{}.json", self.which.name))
    }

    /// The row that is decided: the one of the last time, or the first new one that does not simply get the best
    /// outcome: a decision with reasons shows more.
    pub fn choose_row(&self, app: &App) -> Result<String, Failure> {
        let path = self.row_file();
        if path.exists() {
            let bytes = files::read_at_most(&path, limits::ROW_JSON_BYTES_MAX)?;
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        let new_rows = self.make_new_rows()?;
        let project = Project::load(&self.project, &[])?;
        let row = find_telling_row(app, &project, &self.model(), &new_rows)?.to_string();
        files::write_atomic(&path, row.as_bytes(), 0o600)?;
        Ok(row)
    }

    /// Rows nobody has decided yet, one after the other.
    pub fn rows(&self, count: u64) -> Result<Vec<Value>, Failure> {
        let new_rows = self.make_new_rows()?;
        let project = Project::load(&self.project, &[])?;
        (1..=count).map(|number| datasets::row_as_json(&project, &new_rows, number)).collect()
    }
}

/// Looked at as rehearsals: only the one that is chosen is decided.
fn find_telling_row(app: &App, project: &Project, model: &ModelRef, file: &Path) -> Result<Value, Failure> {
    const LOOKED_AT: u64 = 50;
    let mut first = None;
    for number in 1..=LOOKED_AT {
        let row = datasets::row_as_json(project, file, number)?;
        let text = row.to_string();
        let asked = Asked { model, row: &text, key: None, simulated: true, started: Instant::now() };
        let answered = wait_for(decisions::decide(app, asked))?;
        if matches!(&answered.content, Content::Decision(decision) if !decision.reasons.list.is_empty()) {
            return Ok(row);
        }
        first.get_or_insert(row);
    }
    Ok(first.unwrap_or_else(|| json!({})))
}
