//! Small tables, contracts and recipes for the tests of this room, and its laws.

mod codes;
mod laws;
mod recipes;
mod references;
mod transforms;

use crate::data::contract::{Contract, RawContract};
use crate::data::table::{Column, Kind, MISSING, Table, TextValues, Values};
use crate::features::error::FeatureError;
use crate::features::fit::{Form, fit};
use crate::features::recipe::{Encoding, FieldRecipe, FittedRecipe, RawRecipe, Recipe};

/// A column of numbers; NaN is missing.
fn numbers(name: &str, values: impl IntoIterator<Item = f64>) -> Column {
    let values = Values::Number(values.into_iter().collect());
    Column { name: name.into(), kind: Kind::Number, values }
}

/// A column of text whose dictionary is in order of first appearance; the empty text is missing.
fn text<'a>(name: &str, cells: impl IntoIterator<Item = &'a str>) -> Column {
    let mut values = TextValues::default();
    for cell in cells {
        let known = values.levels.iter().position(|level| level == cell);
        let code = match known {
            _ if cell.is_empty() => MISSING,
            Some(code) => code as u32,
            None => {
                values.levels.push(cell.to_string());
                (values.levels.len() - 1) as u32
            }
        };
        values.codes.push(code);
    }
    Column { name: name.into(), kind: Kind::Text, values: Values::Text(values) }
}

fn table(columns: Vec<Column>) -> Table {
    Table::new(columns).unwrap()
}

fn contract(columns: &[(&str, &str, &str)]) -> Contract {
    let column = |(name, kind, role): &(&str, &str, &str)| serde_json::json!({ "name": name, "kind": kind, "role": role });
    let all: Vec<_> = columns.iter().chain([&("y", "boolean", "target")]).map(column).collect();
    serde_json::from_value::<RawContract>(serde_json::json!({ "columns": all })).unwrap().check().unwrap()
}

/// A checked recipe; its contract has each field with the kind that the encoding reads.
fn recipe(fields: Vec<(&str, Encoding)>) -> Recipe {
    let kind = |encoding: &Encoding| match encoding {
        Encoding::Scale | Encoding::Quantile { .. } | Encoding::Piecewise { .. } => "number",
        Encoding::OneHot { .. } | Encoding::Ordinal { .. } | Encoding::Hash { .. } => "text",
    };
    let columns: Vec<_> = fields.iter().map(|(name, e)| (*name, kind(e), "feature")).collect();
    let contract = contract(&columns);
    let feature = |(field, encoding): (&str, Encoding)| FieldRecipe { field: field.into(), encoding };
    RawRecipe { features: fields.into_iter().map(feature).collect() }.check(&contract).unwrap()
}

fn fit_one(encoding: Encoding, column: Column) -> Result<FittedRecipe, FeatureError> {
    let name = column.name.clone();
    fit(&recipe(vec![(&name, encoding)]), &Form::Columns, &table(vec![column]))
}
