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

/// `figures` has those of each bin of each part, or is nothing where they are not known. RFC 4180, the base points first.
pub fn points_csv(
    card: &Scorecard,
    fields: &[FieldText],
    table: &PointsTable,
    figures: Option<&[Vec<BinFigures>]>,
) -> Result<String, ExportError> {
    check_fields(&card.columns, fields)?;
    let mut text = String::from("field,bin,values,rows,events,rate,woe,iv,points\r\n");
    text.push_str(&format!(",,base,,,,,,{}\r\n", number(table.base)));
    for (number_of, (part, points)) in card.parts.iter().zip(&table.parts).enumerate() {
        let field = &fields[part.place];
        let counted = figures.map(|all| all.get(number_of).map(Vec::as_slice).unwrap_or_default());
        if counted.is_some_and(|counted| counted.len() != part.woe.len()) {
            return Err(ExportError::Figures { part: number_of });
        }
        for (bin, (woe, points)) in part.woe.iter().zip(points).enumerate() {
            let of_bin =
                |code: u8| part.bin_of.get(usize::from(code)).is_some_and(|b| usize::from(*b) == bin);
            let held: Vec<String> = conditions(field, of_bin).iter().map(words).collect();
            let (before, iv) = match counted.and_then(|counted| counted.get(bin)) {
                Some(BinFigures { rows, events, iv }) => {
                    let rate = if *rows > 0.0 { events / rows } else { 0.0 };
                    ([*rows, *events, rate].map(number), number(*iv))
                }
                None => Default::default(),
            };
            let (name, values) = (quoted(&field.name), quoted(&held.join(" or ")));
            let (woe, points, before) = (number(*woe), number(*points), before.join(","));
            text.push_str(&format!("{name},{bin},{values},{before},{woe},{iv},{points}\r\n"));
        }
    }
    Ok(text)
}

/// A condition as a person reads it.
pub fn words(condition: &Condition<'_>) -> String {
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
