//! Series as CSV (RFC 4180), for a spreadsheet.
//! Never rounds: a number is the shortest text that reads back to the same number.

use crate::base::clock::iso_date;
use crate::monitor::trend::{Point, Series};
use crate::monitor::verdict::Verdict;

const HEAD: &str = "series,about,day,value,low,high,n,verdict\r\n";

/// With a head line; one line a day.
pub fn write_csv<'a>(series: impl IntoIterator<Item = &'a Series>) -> String {
    let mut text = HEAD.to_string();
    for one in series {
        let first = format!("{},{}", cell(&one.name), cell(one.about.as_deref().unwrap_or_default()));
        one.points.iter().for_each(|point| text.push_str(&line(&first, point)));
    }
    text
}

fn line(first: &str, point: &Point) -> String {
    let number = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    let date = iso_date(point.day as f64).unwrap_or_else(|| point.day.to_string());
    let [value, low, high] = [point.value, point.low, point.high].map(number);
    format!("{first},{date},{value},{low},{high},{},{}\r\n", point.n, word(point.verdict))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Insufficient => "insufficient",
        Verdict::Stable => "stable",
        Verdict::Watch => "watch",
        Verdict::Shifted => "shifted",
    }
}

/// Text that a spreadsheet would take for a formula gets an apostrophe before it.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}
