//! What a store file says of itself: whose it is, its schema, how often it was committed.
//! Never holds business data.

use crate::store::error::StoreError;
use crate::store::tables::Table;
use crate::store::value;

pub const STORE_ID: &str = "store_id";
pub const SCHEMA: &str = "schema";
pub const COMMITS: &str = "commits";

const VERSION: u8 = 1;

/// The framed value of a name; numbers are decimal text.
pub fn seal(table: Table, name: &str, text: &str) -> Vec<u8> {
    value::seal(table, name.as_bytes(), VERSION, text.as_bytes())
}

pub fn open(table: Table, name: &[u8], framed: &[u8]) -> Result<String, StoreError> {
    let (version, payload) = value::open(table, name, framed)?;
    if version != VERSION {
        return Err(StoreError::corrupt(table, name, format!("row version {version} is not known")));
    }
    String::from_utf8(payload.to_vec())
        .map_err(|_| StoreError::corrupt(table, name, "the value is not UTF-8"))
}

pub fn parse_number(table: Table, name: &str, text: &str) -> Result<u64, StoreError> {
    text.parse().map_err(|_| StoreError::corrupt(table, name.as_bytes(), format!("{text:?} is not a number")))
}
