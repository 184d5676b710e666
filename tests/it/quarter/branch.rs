//! A branch whose days are played: its home, its clock, its applicants, what becomes of them, and who is told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use tallystick::app::alerts::telling;
use tallystick::app::chains::{beat, inbox, projects, runs};
use tallystick::app::decisions::{self, Asked};
use tallystick::app::home::App;
use tallystick::app::registry::approvals;
use tallystick::app::watch::outcomes::{self, Reported};
use tallystick::cli::serve::beats::tell;
use tallystick::config::project::Project;
use tallystick::data::contract::Role;
use tallystick::data::import::reader::Purpose;
use tallystick::data::import::whole::read_table;
use tallystick::data::table::{Cell, Column, Kind, Table, Values};
use tallystick::demo::project::DemoProject;
use tallystick::demo::sheet;
use tallystick::notify::Ground;
use tallystick::registry::version::{ModelRef, Which};
use tallystick::schedule::chain_run::Status;
use tallystick::security::actor::{Person, Role as Duty};
use tallystick::store::views::chains::ChainRunSpan;

use super::super::support::Place;
use super::super::support::hand_worker::work_off;
use super::super::support::receivers::Receiver;
use super::super::support::test_app::ManualClock;

pub const MINUTE_MS: i64 = 60_000;
pub const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// A Monday, at midnight in UTC.
pub const BEGIN_MS: i64 = 1_799_020_800_000;

/// One decision that waits for its outcome.
struct Waiting {
    due_day: i64,
    case: String,
    value: String,
    groups: BTreeMap<String, String>,
}

pub struct Branch {
    pub name: &'static str,
    pub clock: ManualClock,
    pub place: Place,
    pub mail: Receiver,
    pub hook: Receiver,
    project: Project,
    table: Table,
    next_row: usize,
    waiting: Vec<Waiting>,
    app: Option<App>,
    runtime: tokio::runtime::Runtime,
    /// Changed on the way in, by the day's rule.
    pub shift: Option<(&'static str, f64)>,
    pub cuts: usize,
}

impl Branch {
    pub fn open(demo: &'static DemoProject, edit: impl Fn(&str, String) -> String) -> Self {
        let place = Place::with_home();
        let files: BTreeMap<String, String> =
            demo.files.iter().map(|(name, text)| (name.to_string(), edit(name, text.to_string()))).collect();
        let project = Project::from_texts(files.clone(), &[]).unwrap();
        let (mail, hook) = (Receiver::mail(), Receiver::hook());
        std::fs::write(place.path("home/alerts.toml"), alerts_toml(&mail, &hook)).unwrap();
        let clock = ManualClock::at(BEGIN_MS);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let table = shuffled(&demo.table(16_000, 11).unwrap());
        let mut branch = Self {
            name: demo.name,
            clock,
            place,
            mail,
            hook,
            project,
            table,
            next_row: 0,
            waiting: Vec::new(),
            app: None,
            runtime,
            shift: None,
            cuts: 0,
        };
        branch.switch_on();
        projects::apply(branch.app(), files).unwrap();
        branch
    }

    pub fn app(&self) -> &App {
        self.app.as_ref().unwrap()
    }

    pub fn switch_on(&mut self) {
        let person = Person::owner("olga").unwrap();
        let app = App::open(&self.place.path("home"), person, Box::new(self.clock.clone())).unwrap();
        self.app = Some(app);
    }

    /// What was at work in the process is lost; what was written down is not.
    pub fn cut_power(&mut self) {
        self.app().hands.wait();
        self.app = None;
        self.cuts += 1;
        self.switch_on();
    }

    fn take_rows(&mut self, count: usize) -> Table {
        let rows: Vec<usize> = (0..count).map(|i| (self.next_row + i) % self.table.rows()).collect();
        self.next_row += count;
        let table = self.table.select(&rows);
        match self.shift {
            Some((field, factor)) => scaled(&table, field, factor),
            None => table,
        }
    }

    /// Puts a file of rows with their outcomes into the inbox.
    pub fn drop_training(&mut self, name: &str, rows: usize, spoiled: Spoiled) {
        let target = self.project.contract.target().name.clone();
        let table = spoiled.spoil(&self.take_rows(rows), &target);
        let path = self.inbox().join(name);
        sheet::write_csv(&path, &table).unwrap();
        if matches!(spoiled, Spoiled::Cut) {
            std::fs::write(&path, cut(&std::fs::read_to_string(&path).unwrap())).unwrap();
        }
    }

    /// The same rows in another file.
    pub fn drop_again(&self, known: &str, name: &str) {
        std::fs::copy(self.inbox().join(known), self.inbox().join(name)).unwrap();
    }

    pub fn inbox(&self) -> PathBuf {
        inbox::inbox(self.app(), self.name)
    }

    /// A day's applicants: decided one by one, and left as a file for the night's batch.
    pub fn decide(&mut self, day: i64, count: usize, batch: &str) {
        let table = self.take_rows(count);
        let path = self.inbox().join(format!("{batch}-{day:03}.csv"));
        sheet::write_csv(&path, &table).unwrap();
        let target = self.project.contract.target().name.clone();
        let (read, _) = read_table(&path, &self.project.contract, Purpose::Scoring, count).unwrap();
        assert_eq!(read.rows(), count, "{}: every applicant keeps the contract", self.name);
        for row in 0..table.rows() {
            let json = row_json(&self.project, &read, row);
            let model = ModelRef { name: self.name.to_string(), which: Which::Unstated };
            let asked =
                Asked { model: &model, row: &json, key: None, simulated: false, started: Instant::now() };
            let answered = self.runtime.block_on(decisions::decide(self.app(), asked)).unwrap();
            let case = answered.header.decision.unwrap().case.unwrap().to_string();
            let value = text_of(table.find_column(&target).unwrap(), row);
            let group = if row % 2 == 0 { "f" } else { "m" };
            let groups = self.project.watching.attributes.iter().map(|a| (a.clone(), group.to_string()));
            self.waiting.push(Waiting { due_day: day + 10, case, value, groups: groups.collect() });
        }
    }

    /// What has become known by that day is reported.
    pub fn report(&mut self, day: i64) -> u64 {
        let (due, rest) = std::mem::take(&mut self.waiting).into_iter().partition(|one| one.due_day <= day);
        self.waiting = rest;
        let due: Vec<Waiting> = due;
        let reported: Vec<Reported> = due
            .into_iter()
            .map(|one| Reported { decision: one.case, value: one.value, known_ms: None, groups: one.groups })
            .collect();
        if reported.is_empty() {
            return 0;
        }
        let said = outcomes::report(self.app(), self.name, reported).unwrap();
        assert!(said.refused.is_empty(), "{:?}", said.refused.first());
        said.recorded
    }

    /// Beats until nothing moves; now and then the power goes while steps are at work.
    pub fn run_down(&mut self, cut: bool) {
        let mut cut = cut;
        for _ in 0..40 {
            beat::beat(self.app()).unwrap();
            work_off(self.app());
            if cut && self.open_runs() > 0 {
                self.cut_power();
                cut = false;
                continue;
            }
            self.app().hands.wait();
            if self.open_runs() == 0 {
                break;
            }
        }
        beat::beat(self.app()).unwrap();
        self.tell();
    }

    fn open_runs(&self) -> usize {
        let runs = runs::list(self.app(), &ChainRunSpan { of: None, after: None, limit: 20 }).unwrap();
        runs.iter().filter(|row| row.run.status() == Status::Running).count()
    }

    pub fn tell(&self) {
        let ground = Ground::of_home(self.app().alerts_folder(), None);
        loop {
            let due = telling::take_due(self.app(), 8).unwrap();
            if due.is_empty() {
                return;
            }
            due.into_iter().for_each(|one| tell(self.app(), &self.runtime, &ground, one).unwrap());
        }
    }

    /// The approver's morning: whatever is proposed is approved.
    pub fn approve_all(&self) -> usize {
        let paul = self.app().as_person(Person::of("paul", &[Duty::Approver]).unwrap());
        let listed =
            approvals::list(&paul, &approvals::Wanted { limit: 20, ..approvals::Wanted::default() }).unwrap();
        let open: Vec<u64> = listed.proposals.iter().filter(|row| row.is_open()).map(|row| row.id).collect();
        open.iter().for_each(|id| drop(approvals::approve(&paul, *id, "looks right").unwrap()));
        open.len()
    }
}

/// What is wrong with a file.
#[derive(Clone, Copy)]
pub enum Spoiled {
    Not,
    /// It lost its separators half way.
    Cut,
    /// Each row has the outcome of another: it teaches nothing.
    Scrambled,
    /// Each row has the other outcome: it teaches the opposite, and well.
    Opposite,
}

impl Spoiled {
    fn spoil(self, table: &Table, target: &str) -> Table {
        let rows = table.rows();
        let column = table.find_column(target).unwrap();
        let other = |row: usize| (0..rows).find(|at| column.cell(*at) != column.cell(row)).unwrap_or(row);
        let from: Vec<usize> = match self {
            Self::Not | Self::Cut => return table.clone(),
            Self::Scrambled => (0..rows).map(|row| (row + rows / 3 + 1) % rows).collect(),
            Self::Opposite => (0..rows).map(other).collect(),
        };
        let moved = table.select(&from);
        let columns = table.columns().iter().map(|own| match own.name == target {
            true => moved.find_column(target).unwrap().clone(),
            false => own.clone(),
        });
        Table::new(columns.collect()).unwrap()
    }
}

fn cut(text: &str) -> String {
    let half = text.lines().count() / 2;
    let line = |(at, line): (usize, &str)| if at > half { line.replace(',', " ") } else { line.to_string() };
    text.lines().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn alerts_toml(mail: &Receiver, hook: &Receiver) -> String {
    format!(
        "[[channel]]\nname = \"mail\"\ntype = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
         from = \"box@bank.example\"\nto = [\"risk@bank.example\"]\n\
         [[channel]]\nname = \"chat\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:{}/hook\"\nshape = \"plain\"\n\
         [[route]]\nchannels = [\"mail\", \"chat\"]\nquiet = \"30d\"\n",
        mail.port, hook.port
    )
}

/// In an order that has nothing to do with time, the same each time.
fn shuffled(table: &Table) -> Table {
    let rows = table.rows();
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by_key(|row| (*row as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20);
    table.select(&order)
}

fn scaled(table: &Table, field: &str, factor: f64) -> Table {
    let is_number = matches!(table.find_column(field).unwrap().values, Values::Number(_));
    assert!(is_number, "{field} is text in the rows that are drawn, and would not shift");
    let columns = table.columns().iter().map(|column| match &column.values {
        Values::Number(values) if column.name == field => {
            let round = |x: f64| if column.kind == Kind::Integer { x.round() } else { x };
            let values = Values::Number(values.iter().map(|x| round(x * factor)).collect());
            Column { name: column.name.clone(), kind: column.kind, values }
        }
        _ => column.clone(),
    });
    Table::new(columns.collect()).unwrap()
}

fn text_of(column: &Column, row: usize) -> String {
    match (column.cell(row), column.kind) {
        (Cell::Text(text), _) => text.to_string(),
        (Cell::Number(x), Kind::Boolean) => (x != 0.0).to_string(),
        (Cell::Number(x), _) => x.to_string(),
        (Cell::Missing, _) => String::new(),
    }
}

/// What the contract asks of an applicant.
fn row_json(project: &Project, table: &Table, row: usize) -> String {
    let mut fields = serde_json::Map::new();
    for spec in project.contract.columns() {
        if !matches!(spec.role, Role::Feature | Role::Id) {
            continue;
        }
        let Some(column) = table.find_column(&spec.name) else { continue };
        let value = match (column.cell(row), column.kind) {
            (Cell::Missing, _) => continue,
            (Cell::Number(x), Kind::Boolean) => serde_json::json!(x != 0.0),
            (Cell::Number(x), Kind::Date) => serde_json::json!(tallystick::base::clock::iso_date(x)),
            (Cell::Number(x), Kind::Integer) => serde_json::json!(x as i64),
            (Cell::Number(x), _) => serde_json::json!(x),
            (Cell::Text(text), _) => serde_json::json!(text),
        };
        fields.insert(spec.name.clone(), value);
    }
    serde_json::Value::Object(fields).to_string()
}
