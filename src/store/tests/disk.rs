//! A disk in memory for tests: it records what is written and flushed, fails when told to, and tells what a power cut
//! at any flush may have left. Never touches a file.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use crate::base::rng::Random;

/// What happened, in order.
#[derive(Clone, Debug)]
pub enum Event {
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    Length(usize),
    Sync,
    /// A caller was told that what it asked for is durable; which one, is the test's own number.
    Told(u64),
}

/// How the disk fails from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// No room: a write fails, all else works.
    Full,
    /// The next flush fails; the writes before it may be lost or not.
    Syncs,
    /// Nothing works.
    Dead,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    events: Vec<Event>,
    failing: Option<Failing>,
    opened: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<State>>);

impl Disk {
    pub fn of(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { bytes, ..State::default() })))
    }

    /// What the engine is to have as its file.
    pub fn plug(&self) -> Box<dyn StorageBackend> {
        self.state().opened += 1;
        Box::new(self.clone())
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    pub fn fail(&self, failing: Option<Failing>) {
        self.state().failing = failing;
    }

    /// Flips a bit of every block but the first.
    pub fn damage(&self) {
        self.state().bytes.chunks_mut(4_096).skip(1).for_each(|block| block[100] ^= 1);
    }

    /// Another content, behind the engine's back.
    pub fn put_back(&self, bytes: Vec<u8>) {
        self.state().bytes = bytes;
    }

    /// How often it was opened.
    pub fn opened(&self) -> u64 {
        self.state().opened
    }

    pub fn tell(&self, number: u64) {
        self.state().events.push(Event::Told(number));
    }

    pub fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.state().events)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn check(&self, fatal: &[Failing]) -> io::Result<()> {
        match self.state().failing {
            Some(Failing::Full) if fatal.contains(&Failing::Full) => Err(io::ErrorKind::StorageFull.into()),
            Some(failing) if fatal.contains(&failing) => Err(io::Error::from_raw_os_error(5)),
            _ => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.check(&[Failing::Dead])?;
        Ok(self.state().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.check(&[Failing::Dead])?;
        let (state, offset) = (self.state(), offset as usize);
        let found = state.bytes.get(offset..offset + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check(&[Failing::Dead, Failing::Full])?;
        let mut state = self.state();
        state.bytes.resize(len as usize, 0);
        state.events.push(Event::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check(&[Failing::Dead, Failing::Syncs])?;
        self.state().events.push(Event::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check(&[Failing::Dead, Failing::Full])?;
        let (mut state, offset) = (self.state(), offset as usize);
        let place = state.bytes.get_mut(offset..offset + data.len());
        place.ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(data);
        state.events.push(Event::Write { offset, bytes: data.to_vec() });
        Ok(())
    }
}

/// What of the unflushed writes a power cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    Nothing,
    All,
    /// Of each piece of so many bytes one of the states it went through.
    Pieces(usize),
}

/// What a disk holds for certain, and what is on its way there.
pub struct Platter {
    durable: Vec<u8>,
    unflushed: Vec<Event>,
}

impl Platter {
    pub fn of(durable: Vec<u8>) -> Self {
        Self { durable, unflushed: Vec::new() }
    }

    /// Takes the next event in.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Sync => {
                self.durable = self.after_cut(Left::All, &mut Random::new(0, "unused"));
                self.unflushed.clear();
            }
            Event::Told(_) => {}
            change => self.unflushed.push(change),
        }
    }

    /// The bytes after a power cut at this moment.
    pub fn after_cut(&self, left: Left, random: &mut Random) -> Vec<u8> {
        let piece = match left {
            Left::Nothing => return self.durable.clone(),
            Left::All => usize::MAX,
            Left::Pieces(piece) => piece,
        };
        let mut bytes = self.durable.clone();
        // The length first: a piece beyond it cannot have reached the disk.
        let lengths = self.unflushed.iter().filter_map(|event| match event {
            Event::Length(length) => Some(*length),
            _ => None,
        });
        bytes.resize(lengths.fold(bytes.len(), |_, length| length), 0);
        let mut states: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, _) in self.pieces(piece) {
            *states.entry(number).or_default() += 1;
        }
        if left != Left::All {
            states.values_mut().for_each(|states| *states = random.below(*states + 1));
        }
        for (number, (offset, part)) in self.pieces(piece) {
            if let Some(kept) = states.get_mut(&number).filter(|kept| **kept > 0) {
                *kept -= 1;
                let end = bytes.len().min(offset + part.len());
                if offset < end {
                    bytes[offset..end].copy_from_slice(&part[..end - offset]);
                }
            }
        }
        bytes
    }

    /// Each unflushed write, cut at the borders of pieces: the piece's number, and place and bytes of the part.
    fn pieces(&self, piece: usize) -> impl Iterator<Item = (usize, (usize, &[u8]))> {
        self.unflushed.iter().flat_map(move |event| {
            let Event::Write { offset, bytes } = event else { return Vec::new() };
            let (mut parts, mut place, mut rest) = (Vec::new(), *offset, &bytes[..]);
            while !rest.is_empty() {
                let room = (piece - place % piece).min(rest.len());
                let (part, after) = rest.split_at(room);
                parts.push((place / piece, (place, part)));
                (place, rest) = (place + room, after);
            }
            parts
        })
    }
}

#[test]
fn a_cut_leaves_what_was_flushed_and_of_the_rest_whole_pieces() {
    let mut platter = Platter::of(vec![0; 8]);
    let write = |offset, byte| Event::Write { offset, bytes: vec![byte; 4] };
    for event in [write(0, 1), Event::Sync, write(0, 2), write(2, 3), Event::Length(12), write(8, 4)] {
        platter.take(event);
    }
    let mut random = Random::new(1, "cut");
    assert_eq!(platter.after_cut(Left::Nothing, &mut random), [1, 1, 1, 1, 0, 0, 0, 0]);
    assert_eq!(platter.after_cut(Left::All, &mut random), [2, 2, 3, 3, 3, 3, 0, 0, 4, 4, 4, 4]);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        seen.insert(platter.after_cut(Left::Pieces(4), &mut random));
    }
    // Three states of the first piece, two of the second and of the third.
    assert_eq!(seen.len(), 12);
}
