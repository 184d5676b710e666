//! Which way the margin may go as a field rises, as train.toml asks for it field by field.
//! Enforces nothing; each family does that in its own way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::nearest;
use crate::features::recipe::FittedRecipe;
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

    /// Refuses a direction of what is no field of the recipe, or has no order.
    pub fn check(&self, recipe: &FittedRecipe) -> Result<(), TrainError> {
        for name in self.0.keys() {
            let Some(field) = recipe.fields.iter().find(|field| field.field == *name) else {
                let names = recipe.fields.iter().map(|field| field.field.as_str());
                let nearest = nearest(name, names).map(String::from);
                return Err(TrainError::NoSuchField { field: name.clone(), nearest });
            };
            let has_order = field.code.as_ref().is_some_and(|code| code.of.is_ordered());
            if !(has_order || field.encoding.is_numeric()) {
                return Err(TrainError::NoOrder { field: name.clone() });
            }
        }
        Ok(())
    }
}
