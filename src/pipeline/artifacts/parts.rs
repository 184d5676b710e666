//! Files of parts of the test rows: by level of the text fields, by the most important number, by month.
//! Sees blurred values only; a month of few rows goes with others.

use crate::base::fact::Failure;
use crate::config::project::Project;
use crate::data::contract::Role;
use crate::data::spelling::date_text;
use crate::data::table::{Kind, Table, Values};
use crate::evaluate::importance::Importance;
use crate::evaluate::scores::Scores;
use crate::evaluate::tables::segments::{
    PERIODS_MAX, SegmentTable, by_levels, by_periods, by_quantiles, segments_csv,
};
use crate::pipeline::artifacts::Drawer;
use crate::pipeline::artifacts::blurred::{Blurred, BlurredField, frequent};
use crate::pipeline::parts::TestScores;
use crate::train::params::SplitParams;

/// Levels a text field may have to get a table of its own.
const LEVELS_MAX: usize = 12;
const QUANTILES: u64 = 5;
const NO_DATE: &str = "(no date)";
/// Months of too few rows, all together; where they are more than this share, years are told.
const OTHER_DATES: &str = "(other dates)";
const RARE_SHARE_MAX: f64 = 0.2;

pub(super) fn draw_segments(
    drawer: &mut Drawer,
    test: &TestScores<'_>,
    fields: &[BlurredField<'_>],
    importance: &Importance,
) -> Result<(), Failure> {
    let scores = Scores::check(test.labels, &test.probabilities)?;
    let mut tables = Vec::new();
    for BlurredField { field, values } in fields {
        if let Blurred::Levels(levels) = values
            && (2..=LEVELS_MAX).contains(&distinct(levels))
        {
            tables.push(SegmentTable { by: (*field).into(), parts: by_levels(&scores, levels)? });
        }
    }
    let find = |name: &str| fields.iter().find(|own| own.field == name);
    let numbers = importance.fields.iter().find_map(|ranked| match &find(&ranked.field)?.values {
        Blurred::Numbers(values) => Some((&ranked.field, values)),
        Blurred::Levels(_) => None,
    });
    if let Some((field, values)) = numbers {
        tables.push(SegmentTable { by: field.clone(), parts: by_quantiles(&scores, values, QUANTILES)? });
    }
    add_tables(drawer, "segments", &tables)
}

fn distinct(levels: &[Option<&str>]) -> usize {
    levels.iter().flatten().collect::<std::collections::BTreeSet<_>>().len()
}

fn add_tables(drawer: &mut Drawer, name: &str, tables: &[SegmentTable]) -> Result<(), Failure> {
    if tables.is_empty() {
        return Ok(());
    }
    drawer.add_text(&format!("{name}.csv"), segments_csv(tables));
    drawer.add_json(name, &tables)
}

/// By month of the date that the rows are split by, by year where months have too few rows; no file where there is no such
/// date.
pub(super) fn draw_time(
    drawer: &mut Drawer,
    project: &Project,
    table: &Table,
    test: &TestScores<'_>,
) -> Result<(), Failure> {
    let Some((column, days)) = find_dates(project, table) else { return Ok(()) };
    let scores = Scores::check(test.labels, &test.probabilities)?;
    for letters in ["2000-01".len(), "2000".len()] {
        let periods = periods(days, letters);
        let named: Vec<Option<&str>> = periods.iter().map(|period| Some(period.as_str())).collect();
        let shown = frequent(&named, OTHER_DATES);
        let rare = shown.iter().flatten().filter(|period| **period == OTHER_DATES).count();
        let is_last = letters < "2000-01".len();
        if distinct(&shown) <= PERIODS_MAX && (is_last || rare as f64 <= RARE_SHARE_MAX * shown.len() as f64)
        {
            let shown: Vec<&str> = shown.into_iter().flatten().collect();
            let parts = by_periods(&scores, &shown)?;
            return add_tables(drawer, "out_of_time", &[SegmentTable { by: column.into(), parts }]);
        }
    }
    // Centuries of years would be no table of this model.
    Ok(())
}

/// The first letters of each date.
fn periods(days: &[f64], letters: usize) -> Vec<String> {
    let period = |days: &f64| match days.is_nan() {
        true => NO_DATE.to_string(),
        false => date_text(*days).chars().take(letters).collect(),
    };
    days.iter().map(period).collect()
}

fn find_dates<'a>(project: &'a Project, table: &'a Table) -> Option<(&'a str, &'a [f64])> {
    let named = match &project.params.split {
        SplitParams::Time { column, .. } | SplitParams::Column { column: Some(column), .. } => {
            Some(column.as_str())
        }
        SplitParams::Column { column: None, .. } | SplitParams::Random { .. } => None,
    };
    let own = project.contract.with_role(Role::Split).map(|spec| spec.name.as_str());
    let columns = named.into_iter().chain(own).filter_map(|name| table.find_column(name));
    columns.filter(|column| column.kind == Kind::Date).find_map(|column| match &column.values {
        Values::Number(days) => Some((column.name.as_str(), days.as_slice())),
        Values::Text(_) => None,
    })
}
