//! What a group of writes changed, as bytes that bring it about again: each row that was written or removed, in order.
//! Never knows what a row means.

use crate::base::canonical::packed::{push_number, push_text, take_byte, take_number, take_text};
use crate::store::error::StoreError;
use crate::store::rows;
use crate::store::tables::Table;
use crate::store::views::group::Writes;

const PUT: u8 = 1;
const REMOVED: u8 = 2;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(Vec<u8>);

/// A larger group's room is given back rather than kept.
const ROOM_KEPT_BYTES: usize = 1 << 20;

impl Changes {
    /// Its room, for the changes of the next group: they are about as many.
    pub(in crate::store) fn emptied(mut self) -> Self {
        if self.0.capacity() > ROOM_KEPT_BYTES {
            return Self::default();
        }
        self.0.clear();
        self
    }

    pub(in crate::store) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// 1 | table | key | framed value
    pub(in crate::store::views) fn note_put(&mut self, table: Table, key: &[u8], framed: &[u8]) {
        self.0.push(PUT);
        push_text(&mut self.0, table.name);
        push_bytes(&mut self.0, key);
        push_bytes(&mut self.0, framed);
    }

    /// 2 | table | key
    pub(in crate::store::views) fn note_removed(&mut self, table: Table, key: &[u8]) {
        self.0.push(REMOVED);
        push_text(&mut self.0, table.name);
        push_bytes(&mut self.0, key);
    }
}

/// Changes the rows again; what was noted is as good as what was committed, so anything else is damage.
pub(in crate::store) fn apply(view: &dyn Writes, noted: &[u8]) -> Result<(), StoreError> {
    let store = view.store();
    let known = rows::list_tables(store);
    let damaged =
        || StoreError::CorruptFile { store, why: "its journal holds what is no change".to_string() };
    let mut rest = noted;
    while let Some(kind) = take_byte(&mut rest) {
        let name = take_text(&mut rest).ok_or_else(damaged)?;
        let (table, _) = known.iter().find(|(table, _)| table.name == name).ok_or_else(damaged)?;
        let key = take_bytes(&mut rest).ok_or_else(damaged)?;
        match kind {
            PUT => {
                let framed = take_bytes(&mut rest).ok_or_else(damaged)?;
                view.put_framed(*table, key, framed)?;
            }
            REMOVED => view.remove_framed(*table, key)?,
            _ => return Err(damaged()),
        }
    }
    Ok(())
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    push_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take_bytes<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(take_number(rest)?).ok()?;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}
