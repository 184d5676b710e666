//! Typed rows: what each table's payload is, version by version. Conversions to domain types are written out here.
//! Never reads or writes the store.

pub mod alerts;
pub mod answers;
pub mod approvals;
pub mod chains;
pub mod key;
pub mod lab;
pub mod log;
pub mod meta;
pub mod people;
pub mod registry;
pub mod watch;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::error::{StoreError, printable};
use crate::store::tables::{LAB_META, LEDGER_META, StoreName, Table};
use crate::store::value;

/// A row of one table. A row knows its own key, and can read every version it ever had.
pub trait Row: Sized {
    const TABLE: Table;
    /// The version that is written.
    const VERSION: u8;

    fn key(&self) -> Vec<u8>;
    fn payload(&self) -> Result<Vec<u8>, serde_json::Error>;
    /// Reads a payload of this or an older version, as stored under `key`.
    fn parse(version: u8, key: &[u8], payload: &[u8]) -> Result<Self, RowFault>;
}

/// A row whose payload is its fields as JSON, and which has had one version so far. A row that gets a
/// second one implements `Row` itself.
pub trait JsonRow: Serialize + DeserializeOwned {
    const TABLE: Table;

    fn key(&self) -> Vec<u8>;
}

impl<R: JsonRow> Row for R {
    const TABLE: Table = <R as JsonRow>::TABLE;
    const VERSION: u8 = 1;

    fn key(&self) -> Vec<u8> {
        JsonRow::key(self)
    }

    fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    fn parse(version: u8, _key: &[u8], payload: &[u8]) -> Result<Self, RowFault> {
        match version {
            1 => Ok(serde_json::from_slice(payload)?),
            other => Err(RowFault::Version(other)),
        }
    }
}

/// Why a payload whose tag is right is still no row: a program's fault, not the disk's.
#[derive(Debug, thiserror::Error)]
pub enum RowFault {
    #[error("row version {0} is not known")]
    Version(u8),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Shape(&'static str),
}

/// The framed bytes to store for a row.
pub fn seal<R: Row>(row: &R) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
    let key = row.key();
    let payload = row.payload().map_err(|source| StoreError::Unwritable {
        table: R::TABLE,
        key: printable(&key),
        source,
    })?;
    let framed = value::seal(R::TABLE, &key, R::VERSION, &payload);
    Ok((key, framed))
}

/// The row a framed value holds, checked in full: tag, version, shape, and that it belongs under this key.
pub fn open<R: Row>(key: &[u8], framed: &[u8]) -> Result<R, StoreError> {
    let (version, payload) = value::open(R::TABLE, key, framed)?;
    let row = R::parse(version, key, payload)
        .map_err(|fault| StoreError::corrupt(R::TABLE, key, fault.to_string()))?;
    if row.key() == key {
        Ok(row)
    } else {
        Err(StoreError::corrupt(R::TABLE, key, "the row belongs under another key"))
    }
}

/// Decodes one row to nothing: for a check of all that is stored.
pub type Decode = fn(&[u8], &[u8]) -> Result<(), StoreError>;

/// Every table a store file has today, with what decodes its rows.
pub fn list_tables(store: StoreName) -> Vec<(Table, Decode)> {
    match store {
        StoreName::Ledger => vec![
            (LEDGER_META, |key, framed| meta::open(LEDGER_META, key, framed).map(|_| ())),
            decoding::<registry::VersionRow>(),
            decoding::<registry::AliasRow>(),
            decoding::<registry::AliasHistoryRow>(),
            decoding::<registry::SignatureRow>(),
            decoding::<registry::PolicyRow>(),
            decoding::<registry::TrustRow>(),
            decoding::<log::RecordRow>(),
            decoding::<log::NodesRow>(),
            decoding::<log::CheckpointRow>(),
            decoding::<answers::DecisionIdRow>(),
            decoding::<answers::CasesRow>(),
            decoding::<answers::SubjectKeyRow>(),
            decoding::<answers::IdempotencyRow>(),
            decoding::<answers::CounterRow>(),
            decoding::<watch::outcomes::OutcomeRow>(),
            decoding::<people::UserRow>(),
            decoding::<people::ApiKeyRow>(),
            decoding::<approvals::ProposalRow>(),
        ],
        StoreName::Lab => vec![
            (LAB_META, |key, framed| meta::open(LAB_META, key, framed).map(|_| ())),
            decoding::<lab::ExperimentRow>(),
            decoding::<lab::ExperimentNameRow>(),
            decoding::<lab::RunRow>(),
            decoding::<lab::RunOrderRow>(),
            decoding::<lab::RunPlaceRow>(),
            decoding::<lab::OpenTrainingRow>(),
            decoding::<lab::RunBlobRow>(),
            decoding::<lab::MetricRow>(),
            decoding::<lab::DatasetRow>(),
            decoding::<lab::OrderRow>(),
            decoding::<chains::ProjectRow>(),
            decoding::<chains::ChainRow>(),
            decoding::<chains::ChainRunRow>(),
            decoding::<chains::ChainRunOrderRow>(),
            decoding::<chains::OpenRunRow>(),
            decoding::<chains::ChainStartRow>(),
            decoding::<watch::ReportRow>(),
            decoding::<watch::DayRow>(),
            decoding::<watch::TrendRow>(),
            decoding::<watch::HoldRow>(),
            decoding::<alerts::AlertRow>(),
            decoding::<alerts::DeliveryRow>(),
        ],
    }
}

fn decoding<R: Row>() -> (Table, Decode) {
    (R::TABLE, |key, framed| open::<R>(key, framed).map(|_| ()))
}
