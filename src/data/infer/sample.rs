//! Rows drawn evenly from a whole file, as text, in bounded memory.
//! The same file gives the same rows.

use std::path::Path;

use crate::base::limits;
use crate::base::rng::Random;
use crate::data::import::columns::check_header;
use crate::data::import::error::DataError;
use crate::data::import::source::{Manner, OpenedSource};
use crate::data::spelling::is_missing_word;

pub struct Sample {
    pub header: Vec<String>,
    pub manner: Manner,
    /// In the file's order; as wide as the header.
    pub rows: Vec<Vec<String>>,
    pub rows_read: u64,
    /// Rows that were not as wide as the header; they are in no other figure.
    pub rows_uneven: u64,
    /// For each column, cells of the whole file that are empty or a word for it.
    pub gaps: Vec<u64>,
    /// Columns whose type has no counterpart in a table.
    pub unread: Vec<String>,
}

/// Reads the whole file once and keeps at most `limits::INFER_ROWS_MAX` rows.
pub fn draw_sample(path: &Path) -> Result<Sample, DataError> {
    let opened = OpenedSource::open(path, None)?;
    check_header(path, &opened.header)?;
    let (mut source, width) = (opened.source, opened.header.len());
    let mut sample = Sample {
        header: opened.header,
        manner: opened.manner,
        rows: Vec::new(),
        rows_read: 0,
        rows_uneven: 0,
        gaps: vec![0; width],
        unread: opened.unread,
    };
    let mut random = Random::new(0, "infer.sample");
    let mut kept: Vec<(u64, Vec<String>)> = Vec::new();
    while source.advance()? {
        if source.width().is_some_and(|found| found != width) {
            sample.rows_uneven += 1;
            continue;
        }
        sample.rows_read += 1;
        if sample.rows_read > limits::ROWS_MAX as u64 {
            return Err(DataError::TooManyRows { path: path.to_path_buf(), max: limits::ROWS_MAX });
        }
        let row: Vec<String> = (0..width).map(|at| source.shown(at).trim().to_string()).collect();
        for (gaps, cell) in sample.gaps.iter_mut().zip(&row) {
            *gaps += u64::from(cell.is_empty() || is_missing_word(cell));
        }
        keep(&mut kept, sample.rows_read, row, &mut random);
    }
    if kept.is_empty() {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    kept.sort_by_key(|(number, _)| *number);
    sample.rows = kept.into_iter().map(|(_, row)| row).collect();
    Ok(sample)
}

/// Reservoir sampling: each row read so far is kept with the same chance.
fn keep(kept: &mut Vec<(u64, Vec<String>)>, number: u64, row: Vec<String>, random: &mut Random) {
    if kept.len() < limits::INFER_ROWS_MAX {
        kept.push((number, row));
    } else if let Some(slot) = kept.get_mut(random.below(number as usize)) {
        *slot = (number, row);
    }
}
