//! A disk in memory for tests, with a store's file and its journal on it: it records what is written and flushed, fails
//! when told to, and tells what a power cut at any flush may have left. Never touches a file.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use crate::base::rng::Random;

/// What the two files hold: the store's, then the journal's.
pub type Images = [Vec<u8>; 2];

const STORE: usize = 0;
const JOURNAL: usize = 1;

/// What happened, in order, and to which file.
#[derive(Clone, Debug)]
pub enum Event {
    Write {
        file: usize,
        offset: usize,
        bytes: Vec<u8>,
    },
    Length {
        file: usize,
        length: usize,
    },
    Sync {
        file: usize,
    },
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
    images: Images,
    events: Vec<Event>,
    failing: Option<Failing>,
    opened: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<State>>);

/// One of the files on it.
#[derive(Debug)]
struct OnDisk {
    disk: Disk,
    file: usize,
}

impl Disk {
    pub fn of(images: Images) -> Self {
        Self(Arc::new(Mutex::new(State { images, ..State::default() })))
    }

    /// What the engine is to have as its file.
    pub fn plug(&self) -> Box<dyn StorageBackend> {
        self.state().opened += 1;
        Box::new(OnDisk { disk: self.clone(), file: STORE })
    }

    pub fn plug_journal(&self) -> Box<dyn StorageBackend> {
        Box::new(OnDisk { disk: self.clone(), file: JOURNAL })
    }

    pub fn images(&self) -> Images {
        self.state().images.clone()
    }

    pub fn fail(&self, failing: Option<Failing>) {
        self.state().failing = failing;
    }

    /// Flips a bit of every block of the store but the first.
    pub fn damage(&self) {
        self.state().images[STORE].chunks_mut(4_096).skip(1).for_each(|block| block[100] ^= 1);
    }

    /// Another content, behind the engine's back.
    pub fn put_back(&self, images: Images) {
        self.state().images = images;
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

impl StorageBackend for OnDisk {
    fn len(&self) -> io::Result<u64> {
        self.disk.check(&[Failing::Dead])?;
        Ok(self.disk.state().images[self.file].len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.check(&[Failing::Dead])?;
        let (state, offset) = (self.disk.state(), offset as usize);
        let found = state.images[self.file].get(offset..offset + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.check(&[Failing::Dead, Failing::Full])?;
        let (mut state, file) = (self.disk.state(), self.file);
        state.images[file].resize(len as usize, 0);
        state.events.push(Event::Length { file, length: len as usize });
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.check(&[Failing::Dead, Failing::Syncs])?;
        self.disk.state().events.push(Event::Sync { file: self.file });
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.check(&[Failing::Dead, Failing::Full])?;
        let (mut state, file, offset) = (self.disk.state(), self.file, offset as usize);
        let place = state.images[file].get_mut(offset..offset + data.len());
        place.ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(data);
        state.events.push(Event::Write { file, offset, bytes: data.to_vec() });
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
    durable: Images,
    unflushed: Vec<Event>,
}

impl Platter {
    pub fn of(durable: Images) -> Self {
        Self { durable, unflushed: Vec::new() }
    }

    /// Takes the next event in. Flushing one file says nothing of the other.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Sync { file } => {
                let all = self.file_after_cut(file, Left::All, &mut Random::new(0, "unused"));
                self.durable[file] = all;
                self.unflushed.retain(|event| file_of(event) != Some(file));
            }
            Event::Told(_) => {}
            change => self.unflushed.push(change),
        }
    }

    /// What both files hold after a power cut at this moment.
    pub fn after_cut(&self, left: Left, random: &mut Random) -> Images {
        [STORE, JOURNAL].map(|file| self.file_after_cut(file, left, random))
    }

    fn file_after_cut(&self, file: usize, left: Left, random: &mut Random) -> Vec<u8> {
        let piece = match left {
            Left::Nothing => return self.durable[file].clone(),
            Left::All => usize::MAX,
            Left::Pieces(piece) => piece,
        };
        let mut bytes = self.durable[file].clone();
        // The length first: a piece beyond it cannot have reached the disk.
        let lengths = self.unflushed.iter().filter_map(|event| match event {
            Event::Length { file: of, length } if *of == file => Some(*length),
            _ => None,
        });
        bytes.resize(lengths.fold(bytes.len(), |_, length| length), 0);
        let mut states: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, _) in self.pieces(file, piece) {
            *states.entry(number).or_default() += 1;
        }
        if left != Left::All {
            states.values_mut().for_each(|states| *states = random.below(*states + 1));
        }
        for (number, (offset, part)) in self.pieces(file, piece) {
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

    /// Each unflushed write to a file, cut at the borders of pieces: the piece's number, and place and bytes of the part.
    fn pieces(&self, of: usize, piece: usize) -> impl Iterator<Item = (usize, (usize, &[u8]))> {
        self.unflushed.iter().flat_map(move |event| {
            let Event::Write { file, offset, bytes } = event else { return Vec::new() };
            let (mut parts, mut place, mut rest) = (Vec::new(), *offset, &bytes[..]);
            while !rest.is_empty() && *file == of {
                let room = (piece - place % piece).min(rest.len());
                let (part, after) = rest.split_at(room);
                parts.push((place / piece, (place, part)));
                (place, rest) = (place + room, after);
            }
            parts
        })
    }
}

fn file_of(event: &Event) -> Option<usize> {
    match event {
        Event::Write { file, .. } | Event::Length { file, .. } | Event::Sync { file } => Some(*file),
        Event::Told(_) => None,
    }
}

#[test]
fn a_cut_leaves_what_was_flushed_and_of_the_rest_whole_pieces() {
    let mut platter = Platter::of([vec![0; 8], vec![0; 4]]);
    let write = |file, offset, byte| Event::Write { file, offset, bytes: vec![byte; 4] };
    let (sync, length) = (Event::Sync { file: STORE }, Event::Length { file: STORE, length: 12 });
    for event in [
        write(STORE, 0, 1),
        write(JOURNAL, 0, 9),
        sync,
        write(STORE, 0, 2),
        write(STORE, 2, 3),
        length,
        write(STORE, 8, 4),
    ] {
        platter.take(event);
    }
    let mut random = Random::new(1, "cut");
    assert_eq!(platter.after_cut(Left::Nothing, &mut random), [vec![1, 1, 1, 1, 0, 0, 0, 0], vec![0; 4]]);
    let all = platter.after_cut(Left::All, &mut random);
    assert_eq!(all, [vec![2, 2, 3, 3, 3, 3, 0, 0, 4, 4, 4, 4], vec![9; 4]]);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let [store, _] = platter.after_cut(Left::Pieces(4), &mut random);
        seen.insert(store);
    }
    // Three states of the first piece, two of the second and of the third.
    assert_eq!(seen.len(), 12);
    platter.take(Event::Sync { file: JOURNAL });
    assert_eq!(platter.after_cut(Left::Nothing, &mut random)[JOURNAL], vec![9; 4]);
}
