//! Who answers for a model reference: the champion it names, or what stands in where that cannot serve.
//! Kept ready between requests and exchanged whole when an alias moves; nobody waits for a model to load twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use arc_swap::ArcSwap;
use metrics::{Counter, Histogram};

use crate::app::decisions::Wish;
use crate::app::home::App;
use crate::app::registry::{approvals, promotion, versions};
use crate::base::clock::parse_millis;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Failure};
use crate::base::figures;
use crate::base::limits;
use crate::data::row::RowParser;
use crate::data::table::Table;
use crate::registry::release::Fallback;
use crate::registry::version::{Alias, ModelRef, Which};
use crate::serve::answer::inputs_of_contract;
use crate::serve::champion::Champion;
use crate::store::rows::registry::VersionRow;

/// A champion made ready for requests.
pub struct Standing {
    pub champion: Champion,
    pub parser: RowParser,
    /// Columns of a row that name its subject.
    pub subject: Vec<usize>,
    /// The column of each of the reference's fields.
    pub fields: Vec<usize>,
    ends_ms: Option<i64>,
}

impl Standing {
    fn new(champion: Champion) -> Self {
        let content = &champion.loaded().content;
        let names: Vec<&str> = inputs_of_contract(&champion).map(|(name, _)| name).collect();
        let place = |wanted: &str| names.iter().position(|name| *name == wanted);
        let ids = content.contract.columns().iter().filter(|c| c.role == crate::data::contract::Role::Id);
        let subject = match &content.subject {
            Some(subject) => place(subject).into_iter().collect(),
            None => ids.filter_map(|column| place(&column.name)).collect(),
        };
        let reference = &champion.loaded().reference;
        let fields = reference.fields.iter().filter_map(|field| place(&field.field)).collect();
        let ends = champion.release().release().serve_until.as_deref().and_then(parse_millis);
        Self { parser: RowParser::new(&content.contract), subject, fields, ends_ms: ends, champion }
    }

    pub fn has_ended(&self, now_ms: i64) -> bool {
        self.ends_ms.is_some_and(|end| now_ms > end)
    }

    /// For each of the reference's fields, and then for the score where both are known, the bin a row counts to,
    /// among how many.
    pub fn bins_of(&self, table: &Table, margin: Option<f64>) -> Vec<(u32, u32)> {
        let reference = &self.champion.loaded().reference;
        let fields = reference.fields.iter().zip(&self.fields).map(|(field, column)| {
            let bin = field.bin_of(table.columns()[*column].cell(0));
            (bin as u32, field.bins() as u32)
        });
        let score = reference.score.as_ref().zip(margin);
        fields
            .chain(score.map(|(score, margin)| (score.bin_of(margin) as u32, score.bins() as u32)))
            .collect()
    }
}

/// What answers for one reference.
pub struct Seat {
    /// The version the reference means.
    pub asked: VersionRow,
    /// What scores: the version itself, or its stand-in; nothing where none is left.
    pub standing: Option<Arc<Standing>>,
    /// Why the version itself does not score.
    pub degraded: Option<String>,
    /// A stand-in's score leads to a person, whatever it is.
    pub refers: bool,
    /// Whether an approver ever put this version with this policy in force: nothing else decides in earnest.
    pub approved: bool,
    counters: Counters,
}

impl Seat {
    pub fn is_degraded(&self) -> bool {
        self.degraded.is_some()
    }

    /// Counts an answer for operators; what monitoring reads is counted in the record's own transaction.
    pub fn count(&self, wish: Wish, outcome: &str, latency_us: u64) {
        self.counters.find(wish, &self.asked.name, outcome).increment(1);
        let seconds = || metrics::histogram!(figures::DECISION_SECONDS);
        self.counters.seconds.get_or_init(seconds).record(latency_us as f64 / 1e6);
    }
}

/// The figures of a seat's answers, each looked up once: a name with labels is dear to find.
#[derive(Default)]
struct Counters {
    by_outcome: RwLock<Vec<(Wish, String, Counter)>>,
    seconds: OnceLock<Histogram>,
}

impl Counters {
    fn find(&self, wish: Wish, model: &str, outcome: &str) -> Counter {
        let known = self.by_outcome.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((.., counter)) = known.iter().find(|(w, o, _)| *w == wish && o == outcome) {
            return counter.clone();
        }
        drop(known);
        let text = |text: &str| text.to_string();
        let labels = [("kind", text(wish.as_str())), ("model", text(model)), ("outcome", text(outcome))];
        let counter = metrics::counter!(figures::DECISIONS, &labels);
        let mut known = self.by_outcome.write().unwrap_or_else(PoisonError::into_inner);
        known.push((wish, outcome.to_string(), counter.clone()));
        counter
    }
}

/// The seats that are kept ready, and champions by which old records are shown.
#[derive(Default)]
pub struct Lineup {
    seats: ArcSwap<BTreeMap<ModelRef, Arc<Seat>>>,
    archive: Mutex<BTreeMap<(Digest, Digest), Arc<Standing>>>,
    loading: Mutex<()>,
}

impl Lineup {
    /// The seat, if it is ready.
    pub fn find(&self, model: &ModelRef) -> Option<Arc<Seat>> {
        self.seats.load().get(model).cloned()
    }

    fn keep(&self, model: &ModelRef, seat: &Arc<Seat>) {
        self.seats.rcu(|seats| {
            let mut seats = BTreeMap::clone(seats);
            while seats.len() >= limits::SEATS_MAX {
                seats.pop_first();
            }
            seats.insert(model.clone(), Arc::clone(seat));
            seats
        });
    }

    /// Every seat that is ready, with the reference it answers for.
    pub fn list(&self) -> Vec<(ModelRef, Arc<Seat>)> {
        self.seats.load().iter().map(|(model, seat)| (model.clone(), Arc::clone(seat))).collect()
    }
}

/// The seat of a reference, made ready if it is not. Loading reads and verifies files: not for a thread that
/// answers others.
pub fn seat(app: &App, model: &ModelRef) -> Result<Arc<Seat>, Failure> {
    let lineup = &app.answering.lineup;
    if let Some(seat) = lineup.find(model) {
        return Ok(seat);
    }
    let _one_at_a_time = lineup.loading.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(seat) = lineup.find(model) {
        return Ok(seat);
    }
    let seat = Arc::new(fill(app, model)?);
    lineup.keep(model, &seat);
    Ok(seat)
}

/// Exchanges the seats of a name after its aliases moved. Requests keep the old seat until the new one is ready.
pub fn refresh(app: &App, name: &str) {
    let lineup = &app.answering.lineup;
    for (model, _) in lineup.list().into_iter().filter(|(model, _)| model.name == name) {
        match fill(app, &model) {
            Ok(seat) => lineup.keep(&model, &Arc::new(seat)),
            Err(_) => drop(lineup.seats.rcu(|seats| {
                let mut seats = BTreeMap::clone(seats);
                seats.remove(&model);
                seats
            })),
        }
    }
}

fn fill(app: &App, model: &ModelRef) -> Result<Seat, Failure> {
    let (asked, policy) = versions::resolve(app, model, true)?;
    let now = app.now().millis();
    let approved = was_in_force(app, model, &asked, &policy)?;
    let why = match open(app, &asked, &policy) {
        Ok(standing) => {
            let standing = Some(Arc::new(standing));
            return Ok(Seat {
                asked,
                standing,
                degraded: None,
                refers: false,
                approved,
                counters: Counters::default(),
            });
        }
        // A version asked for by its number has no stand-in: another would be a lie.
        Err(error) if matches!(model.which, Which::Number(_)) => return Err(error),
        Err(error) if error.class() == Class::Usage => return Err(error),
        Err(error) => format!("{}: {error}", error.code()),
    };
    tracing::error!(model = %model, version = asked.version, why = %why, "a release cannot serve");
    let standing = stand_in(app, model, &asked, now)?;
    let refers = standing
        .as_ref()
        .is_none_or(|standing| standing.champion.release().release().fallback == Fallback::Refer);
    let standing = standing.map(Arc::new);
    Ok(Seat { asked, standing, degraded: Some(why), refers, approved, counters: Counters::default() })
}

/// What an alias points to was approved when it was moved there; a number names any version there is. Where two people
/// put a version into production, one who stages it puts nothing in force.
fn was_in_force(app: &App, model: &ModelRef, asked: &VersionRow, policy: &Digest) -> Result<bool, Failure> {
    let in_production = matches!(model.which, Which::Unstated | Which::Alias(Alias::Production));
    let by_two = !in_production && approvals::needs_second_person(app, asked);
    let aliases: &[Alias] = if by_two { &[Alias::Production] } else { &[Alias::Production, Alias::Staging] };
    if in_production || matches!(model.which, Which::Alias(alias) if aliases.contains(&alias)) {
        return Ok(true);
    }
    for alias in aliases {
        let moves = promotion::moves(app, &model.name, *alias)?;
        if moves.iter().any(|step| step.to.version == asked.version && step.to.policy == *policy) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The chain: what the alias pointed to before, newest first; then a baseline; then nothing, which refers.
fn stand_in(
    app: &App,
    model: &ModelRef,
    asked: &VersionRow,
    now_ms: i64,
) -> Result<Option<Standing>, Failure> {
    let alias = match model.which {
        Which::Alias(alias) => alias,
        _ => Alias::Production,
    };
    let mut earlier = promotion::moves(app, &model.name, alias)?;
    earlier.reverse();
    for step in earlier.into_iter().filter(|step| step.to.version != asked.version) {
        let found = app.store.read_ledger(|l| l.find_version(&model.name, step.to.version))?;
        let opened = found.map(|version| open(app, &version, &step.to.policy));
        if let Some(Ok(standing)) = opened
            && !standing.has_ended(now_ms)
        {
            return Ok(Some(standing));
        }
    }
    let mut baselines = Vec::new();
    app.store.read_ledger(|ledger| {
        ledger.each_version_of(&model.name, &mut |version| {
            baselines.push(version);
            Ok(())
        })
    })?;
    let opened = baselines.iter().rev().filter_map(|version| open(app, version, &version.policy).ok());
    let is_baseline = |standing: &Standing| standing.champion.loaded().content.family == "baseline";
    Ok(opened.into_iter().find(|standing| is_baseline(standing) && !standing.has_ended(now_ms)))
}

fn open(app: &App, version: &VersionRow, policy: &Digest) -> Result<Standing, Failure> {
    Ok(Standing::new(versions::open_champion(app, version, policy)?))
}

/// The champion by which a record was made, from its release and policy; kept for the next look.
pub fn of_record(app: &App, version: &VersionRow, policy: &Digest) -> Result<Arc<Standing>, Failure> {
    let key = (version.release, *policy);
    let archive = || app.answering.lineup.archive.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(standing) = archive().get(&key) {
        return Ok(Arc::clone(standing));
    }
    let ready = app.answering.lineup.list().into_iter().find_map(|(_, seat)| {
        seat.standing.clone().filter(|standing| {
            let champion = &standing.champion;
            champion.release().digest() == version.release && champion.policy_digest() == Some(*policy)
        })
    });
    let standing = match ready {
        Some(standing) => standing,
        None => Arc::new(open(app, version, policy)?),
    };
    let mut archive = archive();
    while archive.len() >= limits::SEATS_MAX {
        archive.pop_first();
    }
    archive.insert(key, Arc::clone(&standing));
    Ok(standing)
}
