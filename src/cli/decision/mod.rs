//! `decision list|show|explain|receipt|replay`, `why` and `bench`: recorded answers, and what stands behind them.
//! Never changes one; what a list shows was never sealed.

pub mod answer;
pub mod bench;
pub mod why;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::error::{UseCaseError, check_absent};
use crate::base::fact::{Class, Failure};
use crate::base::files;
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::api::pages::typed;
use crate::cli::speak::output::{Answer, columns, list_limit};
use crate::client::call::Client;
use crate::client::target::Target;
use crate::http::views::decision::{AnswerView, DecisionList, ExplanationView, ListedDecision, ReplayView};

#[derive(Subcommand)]
#[command(
    after_help = "A decision is named by its case number, such as 0421-26-00317-K, or by its id.\n\nExamples:\n  tallystick decision list --model loan-default --outcome decline\n  tallystick decision show 0421-26-00317-K\n  tallystick decision receipt 0421-26-00317-K --out receipt.json"
)]
pub enum DecisionCommand {
    /// Recorded answers, the newest first
    List {
        /// Only those by this model
        #[arg(long)]
        model: Option<String>,
        /// Only those with this outcome
        #[arg(long)]
        outcome: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 20, value_parser = list_limit)]
        limit: usize,
        /// Go on where another list ended
        #[arg(long)]
        cursor: Option<String>,
    },
    /// One answer as it was given
    Show {
        /// The case number or the id
        decision: String,
    },
    /// What every field added to the score
    Explain {
        /// The case number or the id
        decision: String,
    },
    /// Write what proves, without this box, that the answer was recorded so
    Receipt {
        /// The case number or the id
        decision: String,
        /// A file that does not exist yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Score the recorded inputs once more and compare to the bit; exit 5 where anything differs
    Replay {
        /// The case number or the id
        decision: String,
    },
}

/// What is asked about one decision; a name of nothing is the name of none.
pub fn of_decision(wanted: &str, rest: &[&str]) -> Result<Target, UseCaseError> {
    if wanted.is_empty() {
        return Err(UseCaseError::NoDecision { wanted: String::new() });
    }
    Ok(Target::of(["v1", "decisions", wanted].into_iter().chain(rest.iter().copied())))
}

pub fn run(command: DecisionCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    let client = invocation.client()?;
    match command {
        DecisionCommand::List { model, outcome, limit, cursor } => {
            let mut target = Target::of(["v1", "decisions"]).with("limit", limit);
            for (name, value) in [("model", model), ("outcome", outcome), ("cursor", cursor)] {
                if let Some(value) = value {
                    target = target.with(name, value);
                }
            }
            Ok(list(&client.get(&target)?))
        }
        DecisionCommand::Show { decision } => {
            let shown: AnswerView = client.get(&of_decision(&decision, &[])?)?;
            Ok(answer::any(&shown))
        }
        DecisionCommand::Explain { decision } => {
            Ok(explain(&client.get(&of_decision(&decision, &["explanation"])?)?))
        }
        DecisionCommand::Receipt { decision, out } => receipt(&client, &decision, &out),
        DecisionCommand::Replay { decision } => replay(&client, &decision),
    }
}

fn list(page: &DecisionList) -> Answer {
    let head = ["case", "time", "model", "outcome", "by", "asked by", "flags"].map(String::from);
    let mut rows = vec![head.to_vec()];
    rows.extend(page.decisions.iter().map(row));
    let mut text = match (&page.next, page.decisions.is_empty()) {
        (None, true) => "No decisions yet: `tallystick decide NAME --row FILE`.".into(),
        (Some(_), true) => "None among the latest records.\n".into(),
        _ => columns(&rows),
    };
    if let Some(next) = &page.next {
        text += &format!("Older ones: --cursor {next}");
    }
    Answer::new(text, json!(page))
}

/// A prediction has no case; its id stands there.
fn row(listed: &ListedDecision) -> Vec<String> {
    let record = &listed.record;
    let dash = |text: &Option<String>| text.clone().unwrap_or("-".to_string());
    vec![
        record.case.clone().unwrap_or(record.decision_id.clone()),
        record.time.clone(),
        answer::named(record),
        dash(&listed.outcome),
        dash(&listed.by),
        listed.actor.clone(),
        record.flags.join(" "),
    ]
}

fn explain(explained: &ExplanationView) -> Answer {
    let mut text = answer::headline(&explained.record, explained.outcome.as_deref());
    let Some((margin, base)) = explained.margin.zip(explained.base) else {
        return Answer::new(text + "\nnothing was scored", json!(explained));
    };
    let reference = explained.reasons.as_ref().map_or("population", |reasons| reasons.reference.as_str());
    text += &format!("\nprobability {:.4}\n", explained.probability.unwrap_or_default());
    let mut rows = vec![vec![format!("  base ({reference})"), format!("{base:+.4}")]];
    rows.extend(
        explained.contributions.iter().map(|c| vec![format!("  {}", c.field), format!("{:+.4}", c.value)]),
    );
    rows.push(vec!["  margin".to_string(), format!("{margin:+.4}")]);
    text += &columns(&rows);
    if let Some((method, gap)) =
        explained.method.as_ref().zip(explained.gap_max).filter(|(m, _)| *m != "terms")
    {
        text += &format!(
            "found along the {method} from the reference to the row, to {gap:e} of what is added up\n"
        );
    }
    for reason in explained.reasons.iter().flat_map(|reasons| &reasons.list) {
        text += &answer::reason_line(reason);
    }
    Answer::new(text, json!(explained))
}

fn receipt(client: &Client, decision: &str, out: &Path) -> Result<Answer, Failure> {
    check_absent(out)?;
    let target = of_decision(decision, &["receipt"])?;
    let bytes = client.bytes(&target, limits::RECEIPT_BYTES_MAX as usize)?;
    let document: Value = typed(client, serde_json::from_slice(&bytes).unwrap_or(Value::Null))?;
    files::write_atomic(out, &bytes, 0o644)?;
    let text = format!(
        "The receipt is in {}.\nAnybody checks it with `tallystick verify {} --trust trust.json`, where trust.json came another way.",
        out.display(),
        out.display()
    );
    Ok(Answer::new(
        text,
        json!({"case": document["case"], "out": out.display().to_string(), "receipt": document}),
    ))
}

fn replay(client: &Client, decision: &str) -> Result<Answer, Failure> {
    let replay: ReplayView = client.get(&of_decision(decision, &["replay"])?)?;
    let named = replay.case.as_deref().unwrap_or(&replay.decision_id);
    let text = match (replay.replayed, replay.same) {
        (false, _) => format!("{named}: nothing was scored, so there is nothing to score again."),
        (true, true) => format!("{named}: the same inputs give the same answer, bit for bit."),
        (true, false) => format!("{named}: the answer differs now in {}.", replay.differences.join(", ")),
    };
    let answer = Answer::new(text, json!(replay));
    Ok(if replay.same { answer } else { answer.ending(Class::Integrity) })
}
