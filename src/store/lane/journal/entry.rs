//! An entry of the journal: the changes of one commit, whole or not there. Never reads or writes a file.

use crate::base::digest::Digest;
use crate::store::file::block::{BLOCK_BYTES, hash};

const BLOCK: usize = BLOCK_BYTES as usize;
const MAGIC: [u8; 8] = *b"TALLYJ1\n";
/// magic | owner | number of the commit | length of the changes | hash
const HEAD_BYTES: usize = 8 + 16 + 8 + 8 + 8;
const HASH_AT: usize = HEAD_BYTES - 8;

/// Whose entries these are, so that a journal is never taken for that of another home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner([u8; 16]);

impl Owner {
    pub fn of(store_id: &str) -> Self {
        let digest = Digest::of(store_id.as_bytes());
        let mut owner = [0; 16];
        owner.copy_from_slice(&digest.as_bytes()[..16]);
        Self(owner)
    }
}

/// What an entry of so many bytes of changes takes, in whole blocks: no two entries share one, so that writing the next
/// cannot harm the last.
pub fn size_of(changes: usize) -> usize {
    (HEAD_BYTES + changes).next_multiple_of(BLOCK)
}

/// Writes an entry into `place`, which is as long as `size_of` says.
pub fn seal(place: &mut [u8], owner: Owner, number: u64, changes: &[u8]) {
    let end = HEAD_BYTES + changes.len();
    let length = (changes.len() as u64).to_be_bytes();
    let head = [&MAGIC[..], &owner.0, &number.to_be_bytes(), &length, &[0; 8]].concat();
    place[..HEAD_BYTES].copy_from_slice(&head);
    place[HEAD_BYTES..end].copy_from_slice(changes);
    place[end..].fill(0);
    let sum = hash(place);
    place[HASH_AT..HEAD_BYTES].copy_from_slice(&sum.to_be_bytes());
}

/// A sound entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'j> {
    pub owner: Owner,
    pub number: u64,
    pub changes: &'j [u8],
}

/// The entry that begins where `journal` does, if a sound one does.
pub fn read(journal: &[u8]) -> Option<Entry<'_>> {
    let rest = journal.strip_prefix(&MAGIC)?;
    let (owner, rest) = rest.split_first_chunk::<16>()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let (sum, _) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
    let end = HEAD_BYTES.checked_add(length)?;
    let mut whole = journal.get(..end.checked_next_multiple_of(BLOCK)?)?.to_vec();
    whole[HASH_AT..HEAD_BYTES].fill(0);
    let is_sound = hash(&whole) == u64::from_be_bytes(*sum);
    let entry = Entry {
        owner: Owner(*owner),
        number: u64::from_be_bytes(*number),
        changes: &journal[HEAD_BYTES..end],
    };
    is_sound.then_some(entry)
}

/// Why a journal cannot be what was written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It was written in another home.
    Foreign,
    /// An entry that was finished is not sound, for a later one is there.
    Damaged { number: u64 },
    /// What it holds follows a commit that the file does not have.
    Ahead { first: u64 },
}

/// The entries that follow the commit of this number, in their order. One that was not finished ends them: it was never
/// answered for.
pub fn list_after(journal: &[u8], owner: Owner, commits: u64) -> Result<Vec<Entry<'_>>, Misfit> {
    let (mut found, mut at, mut last) = (Vec::new(), 0, None);
    while let Some(entry) = journal.get(at..).and_then(read) {
        if entry.owner != owner {
            return Err(Misfit::Foreign);
        }
        // Behind the newest entry may lie what an earlier round left.
        if last.is_some_and(|last: u64| last.checked_add(1) != Some(entry.number)) {
            break;
        }
        at += size_of(entry.changes.len());
        last = Some(entry.number);
        if entry.number > commits {
            found.push(entry);
        }
    }
    let reached = last.unwrap_or(0).max(commits);
    let behind = journal.get(at..).unwrap_or_default();
    let blocks = (0..behind.len()).step_by(BLOCK).filter_map(|place| read(&behind[place..]));
    if blocks.into_iter().any(|entry| entry.owner == owner && entry.number > reached) {
        return Err(Misfit::Damaged { number: reached.saturating_add(1) });
    }
    match found.first().map(|entry| entry.number) {
        Some(first) if Some(first) != commits.checked_add(1) => Err(Misfit::Ahead { first }),
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(number: u64, changes: &[u8]) -> Vec<u8> {
        // What was there before does not matter.
        let mut entry = vec![7; size_of(changes.len())];
        seal(&mut entry, Owner::of("a"), number, changes);
        entry
    }

    fn journal(entries: &[(u64, usize)]) -> Vec<u8> {
        let sealed = |(number, length): &(u64, usize)| sealed(*number, &vec![*number as u8; *length]);
        let mut journal: Vec<u8> = entries.iter().flat_map(sealed).collect();
        journal.resize(journal.len() + 8 * BLOCK, 0);
        journal
    }

    fn numbers(journal: &[u8], commits: u64) -> Result<Vec<u64>, Misfit> {
        let listed = list_after(journal, Owner::of("a"), commits)?;
        Ok(listed.iter().map(|entry| entry.number).collect())
    }

    #[test]
    fn an_entry_reads_as_it_was_written_and_with_any_flipped_bit_not_at_all() {
        let sealed = sealed(7, &[9; 100]);
        assert_eq!(sealed.len(), BLOCK);
        let expected = Entry { owner: Owner::of("a"), number: 7, changes: &[9; 100] };
        assert_eq!(read(&sealed), Some(expected));
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&bad), None, "bit {bit}");
        }
        assert_eq!(read(&sealed[..BLOCK - 1]), None);
    }

    #[test]
    fn entries_are_listed_from_the_first_that_the_file_lacks() {
        let journal = journal(&[(4, 10), (5, 9_000), (6, 1)]);
        assert_eq!(numbers(&journal, 3), Ok(vec![4, 5, 6]));
        assert_eq!(numbers(&journal, 5), Ok(vec![6]));
        assert_eq!(numbers(&journal, 6), Ok(vec![]));
        assert_eq!(numbers(&journal, 2), Err(Misfit::Ahead { first: 4 }));
        assert_eq!(list_after(&journal, Owner::of("b"), 3), Err(Misfit::Foreign));
        assert_eq!(numbers(&[0; 2 * BLOCK], 3), Ok(vec![]));
        assert_eq!(numbers(&[], 3), Ok(vec![]));
    }

    #[test]
    fn what_an_earlier_round_left_behind_the_newest_entry_is_not_read() {
        assert_eq!(numbers(&journal(&[(9, 10), (10, 10), (6, 10), (7, 10)]), 8), Ok(vec![9, 10]));
        assert_eq!(numbers(&journal(&[(6, 10), (7, 10)]), 8), Ok(vec![]));
    }

    #[test]
    fn an_unfinished_last_entry_ends_the_journal_and_a_damaged_one_before_it_is_damage() {
        let whole = journal(&[(4, 10), (5, 9_000), (6, 1)]);
        let torn = |place: usize| {
            let mut torn = whole.clone();
            torn[place] ^= 1;
            torn
        };
        assert_eq!(numbers(&torn(4 * BLOCK + 20), 3), Ok(vec![4, 5]));
        assert_eq!(numbers(&torn(2 * BLOCK), 3), Err(Misfit::Damaged { number: 5 }));
        assert_eq!(numbers(&torn(0), 3), Err(Misfit::Damaged { number: 4 }));
        // The file has it all: nobody needs the damaged one.
        assert_eq!(numbers(&torn(0), 6), Ok(vec![]));
    }
}
