//! Files of what fields add to the margin: importance, the swarm of the most important, and how each goes with its value.
//! Contributions are against the training mean, as those of predictions are.

use crate::base::fact::Failure;
use crate::evaluate::charts::bars::draw_importance;
use crate::evaluate::charts::explain::dependence::draw_dependence;
use crate::evaluate::charts::explain::swarm::draw_swarm;
use crate::evaluate::importance::dependence::dependence;
use crate::evaluate::importance::effects::{FieldEffect, Values};
use crate::evaluate::importance::swarm::swarm;
use crate::evaluate::importance::{FieldContribution, Importance, rank};
use crate::features::matrix::Matrix;
use crate::model::trained::Model;
use crate::pipeline::artifacts::Drawer;
use crate::pipeline::artifacts::blurred::{Blurred, BlurredField, unlinked};

/// Fields with a file of their own, the most important ones.
const DEPENDENCES_MAX: usize = 6;

/// What each field added to the margin of the first test rows.
pub(super) struct Explained {
    pub importance: Importance,
    fields: Vec<Contributions>,
}

struct Contributions {
    field: String,
    values: Vec<f64>,
}

impl Explained {
    pub fn of(model: &Model, matrix: &Matrix) -> Result<Self, Failure> {
        let rows = matrix.rows.min(model.family.scorer().explained_rows_max());
        let named = model.recipe.fields.iter();
        let mut fields: Vec<Contributions> = named
            .map(|f| Contributions { field: f.field.to_string(), values: Vec::with_capacity(rows) })
            .collect();
        let population = model.reasoner(&model.background)?;
        for row in 0..rows {
            let explanation = model.explain(matrix.row(row), &population);
            fields.iter_mut().zip(&explanation.fields).for_each(|(own, part)| own.values.push(part.value));
        }
        let mean =
            |values: &mut dyn Iterator<Item = f64>| values.map(|value| value / rows as f64).sum::<f64>();
        let contribution = |own: &Contributions| FieldContribution {
            field: own.field.clone(),
            mean_absolute: mean(&mut own.values.iter().map(|value| value.abs())),
            mean: mean(&mut own.values.iter().copied()),
        };
        let importance = rank(&fields.iter().map(contribution).collect::<Vec<_>>())?;
        Ok(Self { importance, fields })
    }

    fn of_field(&self, name: &str) -> Option<&[f64]> {
        self.fields.iter().find(|own| own.field == name).map(|own| own.values.as_slice())
    }
}

pub(super) fn draw_explained(
    drawer: &mut Drawer,
    explained: &Explained,
    fields: &[BlurredField<'_>],
    seed: u64,
) -> Result<(), Failure> {
    let importance = &explained.importance;
    drawer.add("importance", importance, draw_importance(importance))?;
    drawer.add_text("importance.csv", importance.to_csv());
    let moving = importance.fields.iter().filter(|field| field.mean_absolute > 0.0);
    // By falling importance.
    let mut shown = Vec::new();
    for ranked in moving {
        let field = fields.iter().find(|field| field.field == ranked.field);
        if let Some((field, contributions)) = field.zip(explained.of_field(&ranked.field)) {
            shown.push((field.field, unlinked(field, contributions, seed)));
        }
    }
    let mut effects = Vec::new();
    for (field, (values, contributions)) in &shown {
        let values = match values {
            Blurred::Numbers(numbers) => Values::Numbers(numbers),
            Blurred::Levels(levels) => Values::Levels(levels),
        };
        effects.push(FieldEffect { field, values, contributions });
    }
    if effects.is_empty() {
        return Ok(());
    }
    let points = swarm(&effects, seed)?;
    drawer.add_text("swarm.svg", draw_swarm(&points));
    drawer.add_text("swarm.csv", points.to_csv());
    for (place, effect) in (1..).zip(effects.iter().take(DEPENDENCES_MAX)) {
        let shape = dependence(effect, seed)?;
        drawer.add_text(&format!("dependence_{place}.svg"), draw_dependence(&shape));
        drawer.add_text(&format!("dependence_{place}.csv"), shape.to_csv());
    }
    Ok(())
}
