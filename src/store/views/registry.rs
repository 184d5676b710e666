//! What can be asked of and written to the registry's tables.
//! Never decides whether a version may be registered or promoted, and never verifies a signature.

use std::collections::BTreeSet;

use crate::base::digest::Digest;
use crate::base::limits;
use crate::store::error::{StoreError, printable};
use crate::store::rows::key::Key;
use crate::store::rows::registry::{
    AliasHistoryRow, AliasRow, AliasTarget, PolicyRow, SignatureRow, StoredSignature, TrustRow, VersionRow,
};
use crate::store::tables::VERSIONS;
use crate::store::views::{Ledger, LedgerWrite, Rows, Span};

impl<V: Rows> Ledger<V> {
    pub fn find_version(&self, name: &str, version: u64) -> Result<Option<VersionRow>, StoreError> {
        self.0.find(&VersionRow::key_of(name, version))
    }

    pub fn find_version_last(&self, name: &str) -> Result<Option<VersionRow>, StoreError> {
        self.0.find_last(&Span::prefix(&VersionRow::prefix(name)))
    }

    /// The version of this name that holds this model, if it was registered already.
    pub fn find_version_of_model(
        &self,
        name: &str,
        model: &Digest,
    ) -> Result<Option<VersionRow>, StoreError> {
        let mut found = None;
        self.0.each(&Span::prefix(&VersionRow::prefix(name)), &mut |row: VersionRow| {
            if row.model == *model && found.is_none() {
                found = Some(row);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Every version of every name: by name, oldest first.
    pub fn each_version(
        &self,
        each: &mut dyn FnMut(VersionRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.each(&Span::all(), each)
    }

    /// Every version of one name, oldest first.
    pub fn each_version_of(
        &self,
        name: &str,
        each: &mut dyn FnMut(VersionRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.each(&Span::prefix(&VersionRow::prefix(name)), each)
    }

    /// Every name a model was registered under, in order; the versions of a name are not walked.
    pub fn each_model_name(
        &self,
        each: &mut dyn FnMut(String) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut span = Span::all();
        while let Some(row) = self.0.list::<VersionRow>(&span, 1)?.pop() {
            // On to the first key of another name.
            span = Span::all().after(&Key::new().text(&row.name).number(u64::MAX).finish());
            each(row.name)?;
        }
        Ok(())
    }

    /// The number the next version of a name gets: one more than the last, and versions are never removed.
    pub fn next_version(&self, name: &str) -> Result<u64, StoreError> {
        Ok(self.find_version_last(name)?.map_or(1, |last| last.version + 1))
    }

    pub fn find_alias(&self, name: &str, alias: &str) -> Result<Option<AliasRow>, StoreError> {
        self.0.find(&AliasRow::key_of(name, alias))
    }

    pub fn list_aliases(&self, name: &str) -> Result<Vec<AliasRow>, StoreError> {
        self.0.list(&Span::prefix(&AliasRow::prefix(name)), limits::LIST_MAX)
    }

    /// Every move of an alias, oldest first.
    pub fn each_alias_move(
        &self,
        name: &str,
        alias: &str,
        each: &mut dyn FnMut(AliasHistoryRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.each(&Span::prefix(&AliasHistoryRow::prefix(name, alias)), each)
    }

    /// All signatures over a digest; none is an empty list.
    pub fn list_signatures(&self, signed: &Digest) -> Result<Vec<StoredSignature>, StoreError> {
        let row: Option<SignatureRow> = self.0.find(&SignatureRow::key_of(signed))?;
        Ok(row.map(|row| row.signatures).unwrap_or_default())
    }

    pub fn find_policy(&self, digest: &Digest) -> Result<Option<PolicyRow>, StoreError> {
        self.0.find(&PolicyRow::key_of(digest))
    }

    /// Every policy, by digest.
    pub fn each_policy(
        &self,
        each: &mut dyn FnMut(PolicyRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.each(&Span::all(), each)
    }

    /// The bytes of the trust root.
    pub fn find_trust(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.find::<TrustRow>(TrustRow::KEY)?.map(|row| row.bytes))
    }

    /// The blobs that rows of this file name.
    pub fn list_referenced(&self) -> Result<BTreeSet<Digest>, StoreError> {
        let mut named = BTreeSet::new();
        self.0.each(&Span::all(), &mut |row: VersionRow| {
            named.extend([row.model, row.release, row.policy, row.evaluation]);
            Ok(())
        })?;
        self.0.each(&Span::all(), &mut |row: PolicyRow| {
            named.insert(row.digest);
            Ok(())
        })?;
        Ok(named)
    }
}

/// A move of an alias as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasMove {
    pub name: String,
    pub alias: String,
    pub to: AliasTarget,
    pub moved_ms: i64,
    pub by: String,
    pub why: String,
    /// A rollback, which undoes a move and is none to be undone.
    pub back: bool,
}

impl LedgerWrite<'_> {
    /// Registers a version; its number must be the next of its name.
    pub fn put_version(&self, row: &VersionRow) -> Result<(), StoreError> {
        if row.version != self.next_version(&row.name)? {
            let key = printable(&VersionRow::key_of(&row.name, row.version));
            return Err(StoreError::Exists { table: VERSIONS, key });
        }
        self.0.put_new(row)
    }

    /// Points an alias at a version and appends the move to the alias's history.
    pub fn move_alias(&self, change: &AliasMove) -> Result<(), StoreError> {
        if self.find_version(&change.name, change.to.version)?.is_none() {
            let key = printable(&VersionRow::key_of(&change.name, change.to.version));
            return Err(StoreError::NotFound { table: VERSIONS, key });
        }
        let span = Span::prefix(&AliasHistoryRow::prefix(&change.name, &change.alias));
        let last: Option<AliasHistoryRow> = self.0.find_last(&span)?;
        self.0.put_new(&AliasHistoryRow {
            name: change.name.clone(),
            alias: change.alias.clone(),
            n: last.map_or(0, |last| last.n + 1),
            from: self.find_alias(&change.name, &change.alias)?.map(|row| row.target()),
            to: change.to.clone(),
            moved_ms: change.moved_ms,
            by: change.by.clone(),
            why: change.why.clone(),
            back: change.back,
        })?;
        self.0.put(&AliasRow {
            name: change.name.clone(),
            alias: change.alias.clone(),
            version: change.to.version,
            policy: change.to.policy,
            moved_ms: change.moved_ms,
            by: change.by.clone(),
        })
    }

    /// Adds a signature over a digest; the same one again is no change.
    pub fn add_signature(&self, signed: &Digest, signature: &StoredSignature) -> Result<(), StoreError> {
        let mut signatures = self.list_signatures(signed)?;
        if signatures.contains(signature) {
            return Ok(());
        }
        signatures.push(signature.clone());
        self.0.put(&SignatureRow { signed: *signed, signatures })
    }

    /// Brings in a policy; one that is known already stays as it is.
    pub fn put_policy(&self, row: &PolicyRow) -> Result<(), StoreError> {
        match self.find_policy(&row.digest)? {
            Some(_) => Ok(()),
            None => self.0.put_new(row),
        }
    }

    pub fn put_trust(&self, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.put(&TrustRow { bytes: bytes.to_vec() })
    }
}
