//! What a batch writes of a row: the columns of its scores and their texts.
//! Never touches a file.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::data::contract::{Contract, Role};
use crate::data::spelling::number_text;
use crate::data::table::{Kind, Table};
use crate::data::write::cell_text;
use crate::decide::outcome::DecidedBy;
use crate::serve::batch::error::BatchError;
use crate::serve::error::ServeError;
use crate::serve::scorer::{Notes, ScoredTable};

/// What the caller chose; part of the batch's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchOptions {
    pub format: OutputFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    Csv,
    Parquet,
}

/// The columns of scores, known before the first row.
#[derive(Clone, Debug)]
pub struct OutputPlan {
    ids: Vec<String>,
    columns: Vec<(String, Kind)>,
    decides: bool,
}

impl OutputPlan {
    pub fn new(contract: &Contract, decides: bool) -> Result<Self, BatchError> {
        let named = |name: &str, kind| (name.to_string(), kind);
        let ids: Vec<(String, Kind)> =
            contract.with_role(Role::Id).map(|column| (column.name.clone(), column.kind)).collect();
        let mut own = vec![named("margin", Kind::Number), named("probability", Kind::Number)];
        if decides {
            own.extend(["outcome", "by"].map(|name| named(name, Kind::Text)));
            own.extend((1..=limits::REASONS_MAX).map(|n| (format!("reason_{n}"), Kind::Text)));
        }
        own.push(named("notes", Kind::Text));
        own.insert(0, named("row", Kind::Integer));
        if let Some((clash, _)) = ids.iter().find(|(id, _)| own.iter().any(|(name, _)| name == id)) {
            return Err(BatchError::ColumnName { column: clash.clone() });
        }
        let names = ids.iter().map(|(name, _)| name.clone()).collect();
        own.splice(1..1, ids);
        Ok(Self { ids: names, columns: own, decides })
    }

    pub fn columns(&self) -> &[(String, Kind)] {
        &self.columns
    }

    pub fn header(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The cells of one scored row; `number` is its place in the input.
    pub fn cells(
        &self,
        scored: &ScoredTable<'_>,
        table: &Table,
        row: usize,
        number: u64,
    ) -> Result<Vec<String>, ServeError> {
        let mut cells = vec![number.to_string()];
        cells.extend(
            self.ids
                .iter()
                .map(|id| table.find_column(id).map_or(String::new(), |column| cell_text(column, row))),
        );
        if !self.decides {
            let score = scored.score(row)?;
            cells.extend([number_text(score.margin), number_text(score.probability)]);
            cells.push(notes_text(&score.notes));
            return Ok(cells);
        }
        let decision = scored.decide(row)?;
        cells.extend([number_text(decision.margin), number_text(decision.probability), decision.outcome]);
        cells.push(match decision.by {
            DecidedBy::Band => "band".to_string(),
            DecidedBy::Fallback => "fallback".to_string(),
            DecidedBy::Rule(id) => format!("rule:{id}"),
        });
        let mut keys = decision.reasons.list.into_iter().map(|reason| reason.key);
        cells.extend((0..limits::REASONS_MAX).map(|_| keys.next().unwrap_or_default()));
        cells.push(notes_text(&decision.notes));
        Ok(cells)
    }
}

/// Fields by what is to be known of them, such as `missing:income|defaulted:age`. Never a value.
fn notes_text(notes: &Notes) -> String {
    let told = |what: &str, field: &str| format!("{what}:{field}");
    let missing = notes.missing.iter().map(|field| told("missing", field));
    let unseen = notes.unseen.iter().map(|level| told("unseen", &level.field));
    let out_of_range = notes.out_of_range.iter().map(|field| told("out_of_range", field));
    let defaulted = notes.defaulted.iter().map(|field| told("defaulted", field));
    missing.chain(unseen).chain(out_of_range).chain(defaulted).collect::<Vec<_>>().join("|")
}
