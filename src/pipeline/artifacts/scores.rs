//! Files of the scores alone: curves, calibration, tables of tenths, and what the policy's cut-off does.
//! Sees probabilities and outcomes, and no field.

use crate::base::fact::Failure;
use crate::config::project::Project;
use crate::decide::policy::CutoffSource;
use crate::evaluate::calibration::isotonic::isotonic;
use crate::evaluate::calibration::{distribution, reliability};
use crate::evaluate::charts::bars::draw_lift;
use crate::evaluate::charts::calibration::draw_calibration_with;
use crate::evaluate::charts::choice::confusion::draw_confusion;
use crate::evaluate::charts::choice::profit::draw_profit;
use crate::evaluate::charts::curves::gain::draw_gain;
use crate::evaluate::charts::curves::{draw_precision_recall, draw_roc};
use crate::evaluate::charts::distribution::{ClassNames, draw_distribution};
use crate::evaluate::curves::{precision_recall, roc};
use crate::evaluate::ranked::Confusion;
use crate::evaluate::scores::Scores;
use crate::evaluate::tables::{confusion, gain};
use crate::evaluate::thresholds::Rule;
use crate::evaluate::thresholds::profit::{Amounts, cost_benefit, points_csv, profit, profit_at};
use crate::pipeline::artifacts::Drawer;
use crate::pipeline::evaluation::Evaluation;
use crate::pipeline::parts::TestScores;

pub(super) fn draw_scores(
    drawer: &mut Drawer,
    project: &Project,
    test: &TestScores<'_>,
    evaluation: &Evaluation,
) -> Result<(), Failure> {
    let scores = Scores::check(test.labels, &test.probabilities)?;
    let curve = roc(&scores);
    drawer.add("roc", &curve, draw_roc(&curve, evaluation.intervals.get("auc")))?;
    let curve = precision_recall(&scores);
    drawer.add("pr", &curve, draw_precision_recall(&curve, evaluation.intervals.get("pr_auc")))?;
    let (bins, steps) = (reliability(&scores), isotonic(&scores));
    drawer.add("calibration", &bins, draw_calibration_with(&bins, &steps))?;
    drawer.add_json("isotonic", &steps)?;
    let table = gain(&scores);
    drawer.add("lift", &table, draw_lift(&table))?;
    drawer.add_text("gain.svg", draw_gain(&table));
    let bars = distribution(&scores);
    let positive = project.settings.positive.as_str();
    let names = || ClassNames { positive, negative: "all other" };
    let svg = draw_distribution(&bars, names(), Some(evaluation.cutoff));
    drawer.add("scores", &bars, svg)?;
    let table = confusion(&Confusion::at(scores.steps(), evaluation.cutoff), evaluation.cutoff);
    drawer.add("confusion", &table, draw_confusion(&table, names()))?;
    draw_amounts(drawer, project, &scores, evaluation.cutoff)
}

/// Only where the policy says what a wrong decision costs: a right one costs nothing, so that profit is cost with its
/// sign turned.
fn draw_amounts(
    drawer: &mut Drawer,
    project: &Project,
    scores: &Scores<'_>,
    cutoff: f64,
) -> Result<(), Failure> {
    let CutoffSource::Scores(Rule::Cost { missed_positive, flagged_negative }) =
        project.policy.cutoff_source()
    else {
        return Ok(());
    };
    let amounts = Amounts {
        flagged_positive: 0.0,
        flagged_negative: -flagged_negative,
        passed_positive: -missed_positive,
        passed_negative: 0.0,
    };
    let curve = profit(scores, &amounts)?;
    let in_force = profit_at(scores, &amounts, cutoff)?;
    drawer.add("profit", &curve, draw_profit(&curve, Some(&in_force)))?;
    let table = cost_benefit(scores, &amounts)?;
    drawer.add_text("cost_benefit.csv", points_csv(&table));
    drawer.add_json("cost_benefit", &table)
}
