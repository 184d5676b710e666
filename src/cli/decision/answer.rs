//! A prediction or a decision as a person reads it.
//! Never rounds what the JSON says.

use serde_json::json;

use crate::cli::registry::model::short;
use crate::cli::speak::output::{Answer, columns};
use crate::http::views::decision::{
    AnswerView, DecisionView, NotesView, PredictionView, ReasonView, RecordView,
};

pub fn any(answer: &AnswerView) -> Answer {
    match answer {
        AnswerView::Prediction(view) => prediction(view),
        AnswerView::Decision(view) => decision(view),
    }
}

pub fn prediction(p: &PredictionView) -> Answer {
    let mut text = format!("{:.4} probability  (margin {:+.4})\n", p.probability, p.margin);
    let mut rows = vec![vec!["  base".to_string(), format!("{:+.4}", p.base)]];
    rows.extend(p.contributions.iter().map(|c| vec![format!("  {}", c.field), format!("{:+.4}", c.value)]));
    text += &columns(&rows);
    text += &notes_text(&p.notes);
    text += &format!("by {}, record {}", named(&p.record), p.record.seq);
    Answer::new(text, json!(p))
}

pub fn decision(d: &DecisionView) -> Answer {
    let case = d.record.case.as_deref().unwrap_or("-");
    let Some(scored) = &d.scored else {
        let text = format!(
            "REFER\nno release of this model can score; a person decides\ncase {case}, record {}",
            d.record.seq
        );
        return Answer::new(text, json!(d));
    };
    let in_hundred = (100.0 * scored.probability).round();
    let mut text = format!(
        "{}\nabout {in_hundred} in 100 such cases turn out {:?} ({:.4})\n",
        d.outcome.to_uppercase(),
        scored.positive,
        scored.probability
    );
    for reason in &scored.reasons.list {
        text += &reason_line(reason);
    }
    text += &notes_text(&scored.notes);
    text += &format!(
        "by {}, policy {}\ncase {case}, record {}",
        named(&d.record),
        short(&scored.policy),
        d.record.seq
    );
    Answer::new(text, json!(d))
}

pub fn reason_line(reason: &ReasonView) -> String {
    let value = reason.value.as_ref().map_or("missing".into(), |v| format!("{} = {v}", reason.field));
    format!("  - {} ({value})\n", reason.text)
}

/// The release by which a record was made.
pub fn named(record: &RecordView) -> String {
    record
        .version
        .map_or(format!("{}, no version", record.name), |version| format!("{}@{version}", record.name))
}

/// Which record it is and what came of it.
pub fn headline(record: &RecordView, outcome: Option<&str>) -> String {
    let what = record
        .case
        .as_ref()
        .map_or(format!("prediction {}", record.decision_id), |case| format!("case {case}"));
    let outcome = outcome.map_or(String::new(), |outcome| format!(": {}", outcome.to_uppercase()));
    format!("{what}{outcome}, {} by {}", record.time, named(record))
}

fn notes_text(notes: &NotesView) -> String {
    let mut text = String::new();
    let mut add = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            text += &format!("  {what}: {}\n", names.join(", "));
        }
    };
    add("missing", notes.missing.clone());
    add("defaulted", notes.defaulted.clone());
    add(
        "never seen in training",
        notes.unseen.iter().map(|u| format!("{} = {}", u.field, u.level)).collect(),
    );
    add("outside the training range", notes.out_of_range.clone());
    text
}
