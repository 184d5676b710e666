//! Expectations of rows after their features are made: the same rules, on the columns of the matrix and on the label.
//! Which columns there are is known only once a recipe is fitted; until then names are held against its fields.

use crate::base::fact::nearest;
use crate::base::limits;
use crate::data::contract::{ColumnSpec, Role};
use crate::data::expect::range::Range;
use crate::data::expect::suite::{ExpectError, Expectation, RawExpectation, RawSuite, Rule, Suite};
use crate::data::expect::table::{SAME_ROWS, TableRule};
use crate::data::table::Kind;

/// What parts a field's name from the rest of a column's: `card=GOLD`, `card?missing`, `age[3]`, `city#12`.
const JOINTS: [char; 4] = ['=', '?', '[', '#'];

/// Checked `[[expect_processed]]`, before the columns are known.
#[derive(Clone, Debug, Default)]
pub struct ProcessedSuite {
    rules: Vec<ProcessedRule>,
}

#[derive(Clone, Debug)]
struct ProcessedRule {
    expectation: Expectation,
    /// Stands for all columns of this field.
    field: Option<String>,
}

/// One column of the matrix and the field it came from.
#[derive(Clone, Copy, Debug)]
pub struct ProcessedColumn<'a> {
    pub name: &'a str,
    pub field: &'a str,
}

impl RawSuite {
    /// `fields` are those of the recipe; the target's column holds the label, 1 for positive and 0 for any other.
    pub fn check_processed(&self, fields: &[&str], target: &str) -> Result<ProcessedSuite, ExpectError> {
        let found = self.expect_processed.len();
        if found > limits::EXPECTATIONS_MAX {
            return Err(ExpectError::TooMany { found });
        }
        let known = Known { fields, target };
        let numbered = self.expect_processed.iter().enumerate();
        let rules = numbered.map(|(at, raw)| known.check(at + 1, raw.clone())).collect::<Result<_, _>>()?;
        Ok(ProcessedSuite { rules })
    }
}

struct Known<'a> {
    fields: &'a [&'a str],
    target: &'a str,
}

impl Known<'_> {
    fn check(&self, number: usize, mut raw: RawExpectation) -> Result<ProcessedRule, ExpectError> {
        let what = format!("processed expectation {number}");
        let place = format!("{what} ({})", raw.kind);
        let bad = |wanted| ExpectError::Argument { place: place.clone(), key: "field".to_string(), wanted };
        let field = match raw.arguments.remove("field") {
            None => None,
            Some(_) if raw.kind != "columns_sum_between" || raw.column.is_some() || raw.columns.is_some() => {
                return Err(bad("given only in columns_sum_between, where it stands for `columns`"));
            }
            Some(serde_json::Value::String(field)) => Some(field),
            Some(_) => return Err(bad("the name of a field of recipe.toml")),
        };
        if let Some(field) = &field {
            // Which columns the field has is not known yet; that a sum needs two is found when it is judged.
            self.find(&place, field)?;
            raw.columns = Some(vec![field.clone(), field.clone()]);
        }
        let expectation = raw.check(&what, &|place, name| self.find(place, name))?;
        Ok(ProcessedRule { expectation, field })
    }

    fn find(&self, place: &str, name: &str) -> Result<ColumnSpec, ExpectError> {
        let is_of = |field: &&&str| {
            name.strip_prefix(**field).is_some_and(|rest| rest.is_empty() || rest.starts_with(JOINTS))
        };
        if name == self.target || self.fields.iter().any(|field| is_of(&field)) {
            return Ok(ColumnSpec::new(name, Kind::Number, Role::Feature));
        }
        let fields = self.fields.iter().copied().chain([self.target]);
        let near = nearest(name.split(JOINTS).next().unwrap_or(name), fields).map(String::from);
        Err(ExpectError::UnknownField { place: place.to_string(), column: name.to_string(), nearest: near })
    }
}

impl ProcessedSuite {
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The suite for a matrix with these columns, made from so many rows.
    pub fn bind(&self, columns: &[ProcessedColumn<'_>], raw_rows: usize) -> Suite {
        let bind = |rule: &ProcessedRule| {
            let mut expectation = rule.expectation.clone();
            if let Some(field) = &rule.field {
                let own = columns.iter().filter(|column| column.field == field);
                expectation.columns = own.map(|column| column.name.to_string()).collect();
            }
            if let Rule::Table(TableRule::RowCount(range)) = &mut expectation.rule
                && expectation.kind == SAME_ROWS
            {
                let rows = Some(raw_rows as f64);
                *range = Range { min: rows, max: rows, strict_min: false, strict_max: false };
            }
            expectation
        };
        Suite { expectations: self.rules.iter().map(bind).collect() }
    }
}
