//! Which way the margin may go as a field rises, as train.toml asks for it field by field.
//! Enforces nothing; each family does that in its own way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::nearest;
use crate::features::recipe::{FittedEncoding, FittedRecipe};
use crate::train::examples::TrainError;
use crate::train::trees::codes::Monotone;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A higher value never lowers the margin of the positive class.
    Rising,
    Falling,
}

/// By field; a field that is not here may go as it likes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Directions(BTreeMap<String, Direction>);

impl Directions {
    pub fn new(directions: BTreeMap<String, Direction>) -> Self {
        Self(directions)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn of(&self, field: &str) -> Monotone {
        match self.0.get(field) {
            None => Monotone::Free,
            Some(Direction::Rising) => Monotone::Rising,
            Some(Direction::Falling) => Monotone::Falling,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, Direction)> {
        self.0.iter().map(|(field, direction)| (field.as_str(), *direction))
    }

    /// Of each column of the recipe's encodings: those of a directed field rise with its value, but for the one that
    /// says that it is missing, which has no order among values.
    pub fn of_columns(&self, recipe: &FittedRecipe) -> Vec<Monotone> {
        let mut columns = vec![Monotone::Free; recipe.width];
        for field in &recipe.fields {
            let ordered = field.width.saturating_sub(usize::from(has_indicator(&field.encoding)));
            let own = columns.iter_mut().skip(field.start).take(ordered);
            own.for_each(|column| *column = self.of(&field.field));
        }
        columns
    }

    /// Refuses a direction of what is no field of the recipe, or has no order.
    pub fn check(&self, recipe: &FittedRecipe) -> Result<(), TrainError> {
        for name in self.0.keys() {
            let Some(field) = recipe.fields.iter().find(|field| field.field == *name) else {
                let names = recipe.fields.iter().map(|field| field.field.as_str());
                let nearest = nearest(name, names).map(String::from);
                return Err(TrainError::NoSuchField { field: name.clone(), nearest });
            };
            let has_order = field.code.as_ref().is_some_and(|code| code.of.is_ordered());
            let ordinal = matches!(field.encoding, FittedEncoding::Ordinal { .. });
            if !(has_order || ordinal || field.encoding.is_numeric()) {
                return Err(TrainError::NoOrder { field: name.clone() });
            }
        }
        Ok(())
    }
}

fn has_indicator(encoding: &FittedEncoding) -> bool {
    match encoding {
        FittedEncoding::Scale { indicator, .. }
        | FittedEncoding::Quantile { indicator, .. }
        | FittedEncoding::Piecewise { indicator, .. } => *indicator,
        FittedEncoding::Ordinal { .. } => true,
        FittedEncoding::None {} | FittedEncoding::OneHot { .. } | FittedEncoding::Hash { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fact::Fact;
    use crate::features::binning::codes::Code;
    use crate::features::recipe::{FieldCode, FittedEncoding, FittedField};

    fn field(name: &str, encoding: FittedEncoding, of: Option<Code>) -> FittedField {
        let (field, width) = (name.to_string(), encoding.width());
        let code = of.map(|of| FieldCode { column: 0, of });
        FittedField { field: field.into(), encoding, start: 0, width, known_levels: Vec::new(), code }
    }

    fn refusal(name: &str) -> Option<TrainError> {
        let scale = FittedEncoding::Scale { mean: 0.0, deviation: 1.0, median: 0.0, indicator: false };
        let none = || FittedEncoding::None {};
        let levels = || vec!["a".to_string()];
        let fields = vec![
            field("scaled", scale, None),
            field("binned", none(), Some(Code::Bins { cuts: vec![1.0], low: 0.0, high: 2.0 })),
            field("ordered", none(), Some(Code::Order { order: levels() })),
            field("levels", none(), Some(Code::Levels { levels: levels() })),
            field("one_hot", FittedEncoding::OneHot { levels: levels() }, None),
        ];
        let directions = Directions::new(BTreeMap::from([(name.to_string(), Direction::Rising)]));
        directions.check(&FittedRecipe { fields, width: 0 }).err()
    }

    #[test]
    fn a_direction_needs_a_field_with_an_order() {
        for name in ["scaled", "binned", "ordered"] {
            assert!(refusal(name).is_none(), "{name}");
        }
        for name in ["levels", "one_hot"] {
            assert_eq!(refusal(name).unwrap().code(), "train_params.monotone_order");
        }
        let stray = refusal("bined").unwrap();
        assert_eq!(stray.code(), "train_params.monotone_field");
        assert!(stray.to_string().contains("did you mean \"binned\""), "{stray}");
    }

    #[test]
    fn columns_of_a_directed_field_go_its_way_and_the_one_for_missing_cells_as_it_likes() {
        let piecewise =
            FittedEncoding::Piecewise { cuts: vec![0.0, 1.0, 2.0, 3.0], median: 1.0, indicator: true };
        let free = FittedEncoding::OneHot { levels: vec!["a".to_string()] };
        let (mut bent, mut levels) = (field("bent", piecewise, None), field("levels", free, None));
        levels.start = bent.width;
        let width = bent.width + levels.width;
        bent.start = 0;
        let ordered = bent.width - 1;
        let directions = Directions::new(BTreeMap::from([("bent".to_string(), Direction::Falling)]));
        let columns = directions.of_columns(&FittedRecipe { fields: vec![bent, levels], width });
        assert!(columns[..ordered].iter().all(|column| *column == Monotone::Falling) && ordered > 1);
        assert!(columns[ordered..].iter().all(|column| *column == Monotone::Free));
    }
}
