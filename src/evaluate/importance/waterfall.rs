//! One decision as a walk: from the base to the margin, a step a field, small ones together.
//! Never shows steps that do not lead where they say they do.

use serde::{Deserialize, Serialize};

use crate::evaluate::importance::effects::{Cell, EffectsError, csv_line, is_contribution};

/// Fields with a step of their own.
pub const WATERFALL_STEPS_MAX: usize = 10;
/// How far the sum may be from the margin, relative to the size of the steps: both are sums of floats.
const SUM_SLACK: f64 = 1e-4;

/// What one field adds in one decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub field: String,
    /// The value as a person reads it; empty where it is missing.
    pub value: String,
    pub contribution: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waterfall {
    /// The margin of the reference.
    pub base: f64,
    /// By falling size, equal ones by name.
    pub steps: Vec<Step>,
    /// How many fields are not among the steps, and what they add together.
    pub others: Option<(u64, f64)>,
    pub margin: f64,
    /// The calibrated probability, where it is known.
    pub probability: Option<f64>,
}

/// Fields that add nothing at all have no step.
pub fn waterfall(
    base: f64,
    fields: &[Step],
    margin: f64,
    probability: Option<f64>,
) -> Result<Waterfall, EffectsError> {
    if let Some((row, step)) = fields.iter().enumerate().find(|(_, step)| !is_contribution(step.contribution))
    {
        let (field, contribution) = (step.field.clone(), step.contribution);
        return Err(EffectsError::Contribution { field, row, contribution });
    }
    let sum = base + fields.iter().map(|step| step.contribution).sum::<f64>();
    let size = base.abs() + fields.iter().map(|step| step.contribution.abs()).sum::<f64>();
    // Written so that a NaN on either side is refused.
    if !(is_contribution(base) && (sum - margin).abs() <= SUM_SLACK * (1.0 + size)) {
        return Err(EffectsError::Sum { sum, margin });
    }
    let mut steps: Vec<Step> = fields.iter().filter(|step| step.contribution != 0.0).cloned().collect();
    steps.sort_by(|a, b| {
        b.contribution.abs().total_cmp(&a.contribution.abs()).then_with(|| a.field.cmp(&b.field))
    });
    // A single field is not hidden behind the word other.
    let shown = if steps.len() == WATERFALL_STEPS_MAX + 1 { steps.len() } else { WATERFALL_STEPS_MAX };
    let rest = steps.split_off(steps.len().min(shown));
    let others = (!rest.is_empty()).then(|| (rest.len() as u64, rest.iter().map(|s| s.contribution).sum()));
    let probability = probability.filter(|p| (0.0..=1.0).contains(p));
    Ok(Waterfall { base, steps, others, margin, probability })
}

impl Waterfall {
    /// One line a step: field, value, contribution, margin after it.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("step,value,contribution,margin\r\n");
        let mut at = self.base;
        text.push_str(&csv_line(&[Cell::Text("base"), Cell::Empty, Cell::Empty, Cell::Number(at)]));
        for step in &self.steps {
            at += step.contribution;
            let value = if step.value.is_empty() { Cell::Empty } else { Cell::Text(&step.value) };
            let cells = [Cell::Text(&step.field), value, Cell::Number(step.contribution), Cell::Number(at)];
            text.push_str(&csv_line(&cells));
        }
        if let Some((count, contribution)) = self.others {
            at += contribution;
            let name = format!("{count} other fields");
            let cells = [Cell::Text(&name), Cell::Empty, Cell::Number(contribution), Cell::Number(at)];
            text.push_str(&csv_line(&cells));
        }
        text.push_str(&csv_line(&[
            Cell::Text("margin"),
            Cell::Empty,
            Cell::Empty,
            Cell::Number(self.margin),
        ]));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fact::Fact;

    fn steps(contributions: &[f64]) -> Vec<Step> {
        let step = |(i, &contribution): (usize, &f64)| Step {
            field: format!("f{i}"),
            value: "1".into(),
            contribution,
        };
        contributions.iter().enumerate().map(step).collect()
    }

    #[test]
    fn steps_come_by_size_and_small_ones_together() {
        let contributions: Vec<f64> =
            (1..=14).map(|i| f64::from(i) * if i % 2 == 0 { 0.1 } else { -0.1 }).collect();
        let margin = 0.5 + contributions.iter().sum::<f64>();
        let found = waterfall(0.5, &steps(&contributions), margin, Some(0.7)).unwrap();
        assert_eq!((found.steps.len(), found.steps[0].field.as_str()), (10, "f13"));
        let (count, rest) = found.others.unwrap();
        assert!(count == 4 && (rest - 0.2).abs() < 1e-12, "{rest}");
        let walked = found.base + found.steps.iter().map(|s| s.contribution).sum::<f64>() + rest;
        assert!((walked - margin).abs() < 1e-12);
        assert_eq!(found.to_csv().lines().count(), 14);
    }

    #[test]
    fn one_field_too_many_keeps_its_name_and_idle_ones_have_no_step() {
        let found = waterfall(0.0, &steps(&[0.1; 11]), 1.1, None).unwrap();
        assert_eq!((found.steps.len(), found.others), (11, None));
        assert!(waterfall(0.3, &steps(&[0.0, 0.0]), 0.3, None).unwrap().steps.is_empty());
    }

    #[test]
    fn steps_that_lead_elsewhere_are_refused() {
        let code = |base, contributions: &[f64], margin| {
            waterfall(base, &steps(contributions), margin, None).unwrap_err().code()
        };
        assert_eq!(code(0.0, &[0.5, 0.2], 0.8), "evaluate.effects_sum");
        assert_eq!(code(0.0, &[0.5], f64::NAN), "evaluate.effects_sum");
        assert_eq!(code(f64::INFINITY, &[0.5], f64::INFINITY), "evaluate.effects_sum");
        assert_eq!(code(0.0, &[f64::NAN], 0.0), "evaluate.contribution");
    }
}
