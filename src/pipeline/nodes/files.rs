//! Values between two nodes as files: canonical JSON for what people may read, and plain bytes for long lists of numbers,
//! which must come back to the bit.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::canonical;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::limits;
use crate::data::split::Split;

const MODE: u32 = 0o600;

/// A file between two nodes that is not what its maker writes.
#[derive(Debug, thiserror::Error)]
#[error("{}: not what a node of this version writes", path.display())]
pub struct OtherForm {
    path: PathBuf,
}

impl OtherForm {
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }
}

impl Fact for OtherForm {
    fn code(&self) -> &'static str {
        "pipeline.other_form"
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        Some("Run the whole pipeline again.".into())
    }
}

pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), Failure> {
    write(path, &canonical::to_bytes(value)?)
}

pub fn read_json<T: Serialize + DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    Ok(canonical::parse(&read(path)?)?)
}

pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    Ok(files::write_atomic(path, bytes, MODE)?)
}

pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    Ok(files::read_at_most(path, limits::BLOB_BYTES_MAX)?)
}

pub fn write_doubles(path: &Path, values: &[f64]) -> Result<(), Failure> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    write(path, &bytes)
}

pub fn read_doubles(path: &Path) -> Result<Vec<f64>, Failure> {
    let bytes = read(path)?;
    let (values, rest) = bytes.as_chunks::<8>();
    match rest {
        [] => Ok(values.iter().map(|value| f64::from_le_bytes(*value)).collect()),
        _ => Err(OtherForm::at(path).into()),
    }
}

pub fn write_flags(path: &Path, flags: &[bool]) -> Result<(), Failure> {
    let bytes: Vec<u8> = flags.iter().map(|&flag| u8::from(flag)).collect();
    write(path, &bytes)
}

pub fn read_flags(path: &Path) -> Result<Vec<bool>, Failure> {
    let flag = |byte: u8| match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(OtherForm::at(path).into()),
    };
    read(path)?.into_iter().map(flag).collect()
}

/// The part of each row, in the table's order: `t` trains, `v` validates, `s` tests.
pub fn write_split(path: &Path, split: &Split) -> Result<(), Failure> {
    let rows = split.train.len() + split.valid.len() + split.test.len();
    let mut parts = vec![0u8; rows];
    for (letter, own) in [(b't', &split.train), (b'v', &split.valid), (b's', &split.test)] {
        for &row in own {
            *parts.get_mut(row).ok_or_else(|| OtherForm::at(path))? = letter;
        }
    }
    write(path, &parts)
}

/// Of a table of so many rows.
pub fn read_split(path: &Path, rows: usize) -> Result<Split, Failure> {
    let parts = read(path)?;
    if parts.len() != rows {
        return Err(OtherForm::at(path).into());
    }
    let mut split = Split::default();
    for (row, part) in parts.into_iter().enumerate() {
        match part {
            b't' => split.train.push(row),
            b'v' => split.valid.push(row),
            b's' => split.test.push(row),
            _ => return Err(OtherForm::at(path).into()),
        }
    }
    Ok(split)
}
