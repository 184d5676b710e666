//! The table of points for people: a line a bin, with what falls into it and what it is worth.

use crate::model::export::conditions::{Condition, conditions};
use crate::model::export::fields::{ExportError, FieldText, check_fields, number};
use crate::model::scorecard::Scorecard;
use crate::model::scorecard::points::PointsTable;

/// What training counted in a bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BinFigures {
    pub rows: f64,
    pub events: f64,
    pub iv: f64,
}

/// `figures` has those of each bin of each part. RFC 4180, the base points first.
pub fn points_csv(
    card: &Scorecard,
    fields: &[FieldText],
    table: &PointsTable,
    figures: &[Vec<BinFigures>],
) -> Result<String, ExportError> {
    check_fields(&card.columns, fields)?;
    let mut text = String::from("field,bin,values,rows,events,rate,woe,iv,points\r\n");
    text.push_str(&format!(",,base,,,,,,{}\r\n", number(table.base)));
    for (number_of, (part, points)) in card.parts.iter().zip(&table.parts).enumerate() {
        let field = &fields[part.place];
        let counted = figures.get(number_of).filter(|counted| counted.len() == part.woe.len());
        let Some(counted) = counted else { return Err(ExportError::Figures { part: number_of }) };
        for (bin, ((woe, points), counted)) in part.woe.iter().zip(points).zip(counted).enumerate() {
            let of_bin =
                |code: u8| part.bin_of.get(usize::from(code)).is_some_and(|b| usize::from(*b) == bin);
            let held: Vec<String> = conditions(field, of_bin).iter().map(words).collect();
            let rate = if counted.rows > 0.0 { counted.events / counted.rows } else { 0.0 };
            let figures = [counted.rows, counted.events, rate, *woe, counted.iv, *points].map(number);
            let (name, values) = (quoted(&field.name), quoted(&held.join(" or ")));
            text.push_str(&format!("{name},{bin},{values},{}\r\n", figures.join(",")));
        }
    }
    Ok(text)
}

fn words(condition: &Condition<'_>) -> String {
    match condition {
        Condition::Missing => "missing".into(),
        Condition::Within(None, None) => "any value".into(),
        Condition::Within(Some(after), None) => format!("above {}", number(*after)),
        Condition::Within(None, Some(to)) => format!("up to {}", number(*to)),
        Condition::Within(Some(after), Some(to)) => {
            format!("above {} and up to {}", number(*after), number(*to))
        }
        Condition::OneOf(levels) => levels.join(" | "),
        Condition::NoneOf(levels) if levels.is_empty() => "any value".into(),
        Condition::NoneOf(levels) => format!("none of {}", levels.join(" | ")),
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', ';', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
