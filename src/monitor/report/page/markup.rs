//! Writes HTML: escaped text, figures with the number they show, tables with captions and scopes.
//! Never writes a script, an event, a link or anything that is loaded.

use crate::monitor::performance::Figure;
use crate::monitor::verdict::Verdict;
use crate::monitor::words;

/// What stands where there is no figure.
pub(super) const NONE: &str = "<span class=\"none\" role=\"img\" aria-label=\"no value\">–</span>";

/// Text as HTML can hold it, in elements and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A name from data.
pub(super) fn name(text: &str) -> String {
    escape(&words::shown(text))
}

/// A figure with the number it shows, and where that number stands in the report's JSON (a JSON pointer).
pub(super) fn number(at: &str, value: f64, shown: &str) -> String {
    // The spelling of the JSON, digit by digit.
    let exact = serde_json::to_string(&value).unwrap_or_default();
    marked(at, &exact, shown)
}

pub(super) fn count(at: &str, value: u64) -> String {
    marked(at, &value.to_string(), &words::count(value))
}

fn marked(at: &str, exact: &str, shown: &str) -> String {
    format!(
        "<span class=\"number\" data-figure=\"{}\" data-value=\"{}\">{}</span>",
        escape(at),
        escape(exact),
        escape(shown)
    )
}

pub(super) fn optional(at: &str, value: Option<f64>, spell: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| NONE.to_string(), |value| number(at, value, &spell(value)))
}

/// The value, and below it its interval.
pub(super) fn figure(at: &str, figure: &Figure) -> String {
    let spell = |value: f64| words::figure(&figure.name, value);
    let value = optional(&format!("{at}/value"), figure.value, spell);
    format!("{value}{}", interval(at, figure))
}

/// With the cases behind it, where they are not those of its row.
pub(super) fn figure_of(at: &str, one: &Figure, row_n: u64) -> String {
    let n = match one.n == row_n {
        true => String::new(),
        false => format!("<span class=\"interval\">of {}</span>", count(&format!("{at}/n"), one.n)),
    };
    format!("{}{n}", figure(at, one))
}

pub(super) fn interval(at: &str, figure: &Figure) -> String {
    let spell = |value: f64| words::figure(&figure.name, value);
    match (figure.low, figure.high) {
        (Some(low), Some(high)) => format!(
            "<span class=\"interval\">{} to {}</span>",
            number(&format!("{at}/low"), low, &spell(low)),
            number(&format!("{at}/high"), high, &spell(high))
        ),
        (Some(low), None) => {
            format!("<span class=\"interval\">from {}</span>", number(&format!("{at}/low"), low, &spell(low)))
        }
        (None, Some(high)) => {
            format!(
                "<span class=\"interval\">to {}</span>",
                number(&format!("{at}/high"), high, &spell(high))
            )
        }
        (None, None) => String::new(),
    }
}

/// A verdict as a word with a sign and a colour; the word alone would do.
pub(super) fn verdict(verdict: Verdict) -> String {
    let (tone, sign) = match verdict {
        Verdict::Insufficient => ("quiet", "–"),
        Verdict::Stable => ("good", "✓"),
        Verdict::Watch => ("watch", "!"),
        Verdict::Shifted => ("bad", "▲"),
    };
    chip(tone, sign, words::verdict(verdict))
}

pub(super) fn chip(tone: &str, sign: &str, word: &str) -> String {
    format!("<span class=\"chip {tone}\"><span aria-hidden=\"true\">{sign}</span> {}</span>", escape(word))
}

/// A column: its words, and the class of its cells.
#[derive(Clone)]
pub(super) struct Column {
    words: String,
    class: &'static str,
}

impl Column {
    pub(super) fn of_numbers(words: &str) -> Self {
        Self { words: words.to_string(), class: " class=\"right\"" }
    }

    pub(super) fn of_words(words: &str) -> Self {
        Self { words: words.to_string(), class: "" }
    }

    pub(super) fn of_drawings(words: &str) -> Self {
        Self { words: words.to_string(), class: " class=\"wide\"" }
    }
}

/// A table whose first cell of a row names the row. Cells are finished HTML.
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// The roles keep it a table where a narrow screen lays its rows out as cards.
    pub(super) fn write(&self) -> String {
        let mut html = format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{caption}\"><table role=\"table\">\
             <caption>{caption}</caption><thead role=\"rowgroup\"><tr role=\"row\">",
            caption = escape(&self.caption)
        );
        for column in &self.columns {
            let (class, words) = (column.class, escape(&column.words));
            html.push_str(&format!("<th role=\"columnheader\" scope=\"col\"{class}>{words}</th>"));
        }
        html.push_str("</tr></thead><tbody role=\"rowgroup\">\n");
        self.rows.iter().for_each(|row| html.push_str(&self.row(row)));
        html.push_str("</tbody></table></div>\n");
        html
    }

    fn row(&self, cells: &[String]) -> String {
        let mut html = "<tr role=\"row\">".to_string();
        for (index, (cell, column)) in cells.iter().zip(&self.columns).enumerate() {
            if index == 0 {
                html.push_str(&format!("<th role=\"rowheader\" scope=\"row\">{cell}</th>"));
                continue;
            }
            let (class, words) = (column.class, escape(&column.words));
            html.push_str(&format!("<td role=\"cell\"{class} data-label=\"{words}\"><div>{cell}</div></td>"));
        }
        html.push_str("</tr>\n");
        html
    }
}

/// A part of the page with its heading.
pub(super) fn section(id: &str, heading: &str, body: &str) -> String {
    let heading = escape(heading);
    format!("<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{heading}</h2>\n{body}</section>\n")
}

pub(super) fn paragraph(class: &str, text: &str) -> String {
    format!("<p class=\"{class}\">{}</p>\n", escape(text))
}
