//! From a file to rows that keep their contract: CSV in its dialects and Parquet, streamed in bounded memory.
//! Never holds a whole file unless `whole` is asked for a whole table.

pub mod bytes;
pub mod columns;
pub mod csv_file;
pub mod dialect;
pub mod error;
pub mod parquet_file;
pub mod reader;
pub mod report;
pub mod source;
pub mod whole;

#[cfg(test)]
mod tests;
