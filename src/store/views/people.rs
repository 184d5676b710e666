//! What can be asked of and written to the tables of users and API keys.
//! Never checks a password or a key; the use case does.

use crate::base::limits;
use crate::store::error::StoreError;
use crate::store::rows::people::{ApiKeyRow, UserRow};
use crate::store::views::{Ledger, LedgerWrite, Rows, Span};

impl<V: Rows> Ledger<V> {
    pub fn find_user(&self, name: &str) -> Result<Option<UserRow>, StoreError> {
        self.0.find(&UserRow::key_of(name))
    }

    /// Users by name, after `after`, at most `limit` and `LIST_MAX`.
    pub fn list_users(&self, after: Option<&str>, limit: usize) -> Result<Vec<UserRow>, StoreError> {
        self.0.list(&from(after.map(UserRow::key_of)), limit.min(limits::LIST_MAX))
    }

    pub fn find_api_key(&self, id: &str) -> Result<Option<ApiKeyRow>, StoreError> {
        self.0.find(&ApiKeyRow::key_of(id))
    }

    /// API keys by id, after `after`, at most `limit` and `LIST_MAX`.
    pub fn list_api_keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<ApiKeyRow>, StoreError> {
        self.0.list(&from(after.map(ApiKeyRow::key_of)), limit.min(limits::LIST_MAX))
    }
}

fn from(after: Option<Vec<u8>>) -> Span {
    match after {
        Some(key) => Span::all().after(&key),
        None => Span::all(),
    }
}

impl LedgerWrite<'_> {
    /// Adds a user; the name must be new.
    pub fn add_user(&self, row: &UserRow) -> Result<(), StoreError> {
        self.0.put_new(row)
    }

    /// Writes a user in place of what was known of them.
    pub fn put_user(&self, row: &UserRow) -> Result<(), StoreError> {
        self.0.put(row)
    }

    /// Adds an API key; its id must be new.
    pub fn add_api_key(&self, row: &ApiKeyRow) -> Result<(), StoreError> {
        self.0.put_new(row)
    }

    pub fn put_api_key(&self, row: &ApiKeyRow) -> Result<(), StoreError> {
        self.0.put(row)
    }
}
