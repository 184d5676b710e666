//! What a command prints: people's text or one JSON document, on stdout; errors and progress on stderr.
//! Never decides what is said, only how.

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};

use crate::base::fact::{Class, Failure};
use crate::base::limits;
use crate::data::finding::shown;

/// How this invocation speaks.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
}

/// What a command has to say: the same facts for a person and for a program.
pub struct Answer {
    pub text: String,
    pub json: Value,
    /// How the process ends on an answer that is bad news.
    pub class: Option<Class>,
}

impl Answer {
    pub fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, class: None }
    }

    pub fn ending(self, class: Class) -> Self {
        Self { class: Some(class), ..self }
    }
}

impl Output {
    /// Writes the answer; a reader that went away (a closed pipe) is no error.
    pub fn answer(self, answer: &Answer) -> io::Result<()> {
        if answer.text.is_empty() && answer.json.is_null() {
            return Ok(());
        }
        let mut text = if self.json {
            serde_json::to_string_pretty(&answer.json).map_err(io::Error::other)?
        } else {
            answer.text.clone()
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        ignore_closed_pipe(io::stdout().lock().write_all(text.as_bytes()))
    }

    /// One line about what is being done, for people only.
    pub fn say(self, line: &str) {
        if !self.json && !self.quiet {
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }

    pub fn error(self, error: &Failure) -> io::Result<()> {
        if self.json {
            let document = json!({"error": {
                "code": error.code(),
                "message": error.to_string(),
                "exit_code": error.class().exit_code(),
                "next_step": error.next_step(),
                "details": error.details(),
            }});
            let text = serde_json::to_string_pretty(&document).map_err(io::Error::other)?;
            return ignore_closed_pipe(writeln!(io::stdout().lock(), "{text}"));
        }
        let mut text = format!("error[{}]: {error}\n", error.code());
        if let Some(step) = error.next_step() {
            text.push_str(&format!("  next: {step}\n"));
        }
        ignore_closed_pipe(io::stderr().lock().write_all(text.as_bytes()))
    }

    /// Whether a moving progress bar makes sense.
    pub fn has_bar(self) -> bool {
        !self.json && !self.quiet && io::stderr().is_terminal()
    }
}

fn ignore_closed_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A number of entries to list, up to the limit that the message names.
pub fn list_limit(text: &str) -> Result<usize, String> {
    number_up_to(text, limits::LIST_MAX)
}

/// A whole number from 1 to `most`.
pub fn number_up_to(text: &str, most: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("a whole number from 1 to {most} is expected")),
    }
}

/// Rows of words as aligned columns, the first row as the head. A cell cannot move the cursor, nor
/// push its neighbours out of sight.
pub fn columns(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| shown(cell)).collect()).collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| rows.iter().filter_map(|r| r.get(at)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..count).map(|at| width(at).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    rows.iter().map(|row| line(row) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn a_cell_of_any_length_is_cut_and_cannot_forge_a_line() {
        let text = columns(&[vec!["x".repeat(100_000), "y".into()], vec!["a\nb\u{1b}[31m".into()]]);
        assert_eq!(text.lines().count(), 2);
        assert!(text.len() < 2_000 && !text.contains('\u{1b}'));
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["name".into(), "auc".into()], vec!["loan-default".into(), "0.74".into()]];
        assert_eq!(columns(&rows), "name          auc\nloan-default  0.74\n");
    }
}
