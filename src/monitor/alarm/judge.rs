//! Holds a report, and the days before it, against the rules.
//! Never raises an alarm of too few rows: a verdict of `Insufficient` says nothing, neither for nor against.

use crate::monitor::alarm::rules::{Rule, Rules, When};
use crate::monitor::alarm::watch::Watch;
use crate::monitor::alarm::{Alarm, limits, sentence};
use crate::monitor::compared;
use crate::monitor::drift::FieldDrift;
use crate::monitor::report::Report;
use crate::monitor::trend::error::TrendError;
use crate::monitor::trend::{Day, Reading, names};
use crate::monitor::verdict::Verdict;

/// What is known from before the report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Past<'a> {
    /// What the reports of days before left, in any order; of other models too. Of two of one day the later counts.
    pub days: &'a [Day],
    /// The AUC the model was released with; without it no rule on its drop holds.
    pub released_auc: Option<f64>,
}

/// Every alarm the report gives cause for: rules in their order, and the worst of a rule first.
pub fn judge(rules: &Rules, report: &Report, past: &Past<'_>) -> Result<Vec<Alarm>, TrendError> {
    let today = report.points()?;
    let concerned = |rule: &&Rule| rule.model.as_ref().is_none_or(|model| *model == report.model);
    let rules = rules.list().iter().filter(concerned);
    Ok(rules.flat_map(|rule| Judgement { rule, report, past }.alarms(&today)).collect())
}

/// A reading for which the rule held today, and on all the days it asks for.
pub(super) struct Held<'a> {
    pub(super) reading: &'a Reading,
    /// What was compared.
    pub(super) value: Option<f64>,
    /// The limit that was passed.
    pub(super) limit: Option<f64>,
}

struct Judgement<'a> {
    rule: &'a Rule,
    report: &'a Report,
    past: &'a Past<'a>,
}

/// What one reading says of a rule.
#[derive(PartialEq)]
enum Says {
    Nothing,
    No,
    Yes,
}

impl Judgement<'_> {
    fn alarms(&self, today: &Day) -> Vec<Alarm> {
        let mut held: Vec<Held<'_>> = self
            .watched(today)
            .filter(|reading| self.says(reading) == Says::Yes && self.held_before(reading))
            .map(|reading| self.held(reading))
            .collect();
        held.sort_by(|a, b| worse(a).cmp(&worse(b)).then(excess(b).total_cmp(&excess(a))));
        let rest = held.split_off(held.len().min(limits::RULE_ALARMS_MAX));
        let mut alarms: Vec<Alarm> = held.iter().map(|held| self.alarm(held)).collect();
        if !rest.is_empty() {
            alarms.push(self.alarm_of_rest(rest.len() as u64));
        }
        alarms
    }

    fn watched<'d>(&self, day: &'d Day) -> impl Iterator<Item = &'d Reading> {
        day.readings.iter().filter(|reading| is_watched(self.rule, reading))
    }

    fn says(&self, reading: &Reading) -> Says {
        if reading.point.verdict == Verdict::Insufficient {
            return Says::Nothing;
        }
        let holds = match self.rule.when {
            When::At(verdict) => Some(reading.point.verdict >= verdict),
            When::Beyond { .. } => self.value(reading).map(|value| self.passed(reading, value).is_some()),
        };
        match holds {
            None => Says::Nothing,
            Some(false) => Says::No,
            Some(true) => Says::Yes,
        }
    }

    /// What is compared with the limits.
    fn value(&self, reading: &Reading) -> Option<f64> {
        let value = reading.point.value.filter(|v| v.is_finite())?;
        match self.rule.watch {
            Watch::AucDrop => self.past.released_auc.map(|released| released - value),
            _ => Some(value),
        }
    }

    /// The value that lies beyond a limit, and that limit. What is said of a release must be sure: its whole interval lies
    /// beyond.
    fn passed(&self, reading: &Reading, value: f64) -> Option<(f64, f64)> {
        let When::Beyond { below, above } = self.rule.when else { return None };
        let (least, most) = match self.rule.watch {
            Watch::ReleaseAucDrop | Watch::ReleaseCalibration => reading.point.low.zip(reading.point.high)?,
            _ => (value, value),
        };
        let over = above.filter(|limit| least > *limit).map(|limit| (least, limit));
        over.or(below.filter(|limit| most < *limit).map(|limit| (most, limit)))
    }

    /// Whether the days before hold as well. A day that says nothing neither counts nor breaks the row.
    fn held_before(&self, reading: &Reading) -> bool {
        let (today, needed) = (reading.point.day, self.rule.for_days - 1);
        let back = (1..self.rule.reach()).filter_map(|days| today.checked_sub(days));
        let said = back.map(|day| self.said_on(day, reading)).filter(|says| *says != Says::Nothing);
        let row = said.take_while(|says| *says == Says::Yes).take(needed as usize);
        row.count() as u64 == needed
    }

    fn said_on(&self, day: u64, reading: &Reading) -> Says {
        let same = |past: &&Day| past.day == day && past.model == self.report.model;
        let Some(past) = self.past.days.iter().rev().find(same) else { return Says::Nothing };
        // Drift may have been judged by another method then.
        let before = self.watched(past).find(|r| r.about == reading.about);
        before.map_or(Says::Nothing, |before| self.says(before))
    }

    fn held<'r>(&self, reading: &'r Reading) -> Held<'r> {
        let value = self.value(reading);
        match self.rule.when {
            When::Beyond { .. } => {
                let passed = value.and_then(|value| self.passed(reading, value));
                Held { reading, value: passed.map(|(value, _)| value), limit: passed.map(|(_, limit)| limit) }
            }
            When::At(_) => {
                let judged = self.judged(reading);
                let value = judged.map_or(value, compared::value);
                Held { reading, value, limit: judged.map(compared::limit) }
            }
        }
    }

    /// The drift a verdict came from.
    fn judged(&self, reading: &Reading) -> Option<&FieldDrift> {
        let drift = &self.report.drift;
        match self.rule.watch {
            Watch::Drift => drift.fields.iter().find(|d| Some(&d.field) == reading.about.as_ref()),
            Watch::ScoreDrift => drift.score.as_ref(),
            _ => None,
        }
    }

    fn alarm(&self, held: &Held<'_>) -> Alarm {
        let about = held.reading.about.clone();
        Alarm {
            value: held.value,
            limit: held.limit,
            about: about.unwrap_or_else(|| sentence::figure_of(self.rule).to_string()),
            sentence: sentence::of(self.rule, held, self.report),
            ..self.empty()
        }
    }

    fn alarm_of_rest(&self, rest: u64) -> Alarm {
        let (about, sentence) = sentence::of_rest(self.rule, rest);
        Alarm { about, sentence, ..self.empty() }
    }

    fn empty(&self) -> Alarm {
        Alarm {
            rule: self.rule.name.clone(),
            severity: self.rule.severity,
            about: String::new(),
            value: None,
            limit: None,
            sentence: String::new(),
            actions: self.rule.actions.clone(),
        }
    }
}

fn is_watched(rule: &Rule, reading: &Reading) -> bool {
    let figure = rule.figure.as_deref();
    let by_verdict = matches!(rule.when, When::At(_));
    let name = reading.name.as_str();
    let series = match rule.watch {
        Watch::Drift => names::is_drift(name),
        Watch::ScoreDrift => name.strip_prefix(names::SCORE_PREFIX).is_some_and(names::is_drift),
        Watch::Missing => name == names::MISSING_RATE,
        Watch::Unseen => name == names::UNSEEN_RATE,
        Watch::Quality => name == names::QUALITY,
        Watch::AucDrop => name == names::AUC,
        Watch::Performance => name == names::PERFORMANCE,
        Watch::Release => name == names::RELEASE,
        Watch::ReleaseAucDrop => names::of_release(name) == Some(names::AUC_DROP),
        Watch::ReleaseCalibration => names::of_release(name) == Some(names::OBSERVED_OVER_EXPECTED),
        Watch::Fairness if by_verdict => name == names::FAIRNESS,
        Watch::Calibration | Watch::Fairness => Some(name) == figure,
        Watch::ApprovalRate => name == names::APPROVAL_RATE,
        Watch::BadRate => name == names::BAD_RATE_OF_APPROVED,
        Watch::Volume => name == names::ROWS,
        Watch::Degraded => name == names::DEGRADED_RATE,
    };
    // The verdict on the day's data is one; that on a field is asked for by its name.
    let any = rule.about.is_none() && rule.watch != Watch::Quality;
    series && (any || rule.about == reading.about)
}

fn worse(held: &Held<'_>) -> std::cmp::Reverse<Verdict> {
    std::cmp::Reverse(held.reading.point.verdict)
}

/// How far beyond the limit, as a share of it where it has a size.
fn excess(held: &Held<'_>) -> f64 {
    match (held.value, held.limit) {
        (Some(value), Some(limit)) if limit != 0.0 => ((value - limit) / limit).abs(),
        (Some(value), _) => value.abs(),
        (None, _) => 0.0,
    }
}
