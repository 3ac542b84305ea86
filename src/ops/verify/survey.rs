//! What threads find out about the objects of a bundle while another packs it: whether they are
//! what their digests say, what is wrong inside, and the checksums that the archive wants.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

use crc32fast::Hasher as Crc;

use super::examine::faults;
use super::{Finding, FindingKind};
use crate::archive::{ArchiveError, Checksums};
use crate::domain::{Content, Fetched, Hasher, Object, RelPath, Sha256, Tree};
use crate::ops::inside::Inside;
use crate::store::DiskStore;

/// What is to be found out.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// Whether bytes and wheels are what they should be.
    pub check: bool,
    /// Whether somebody will ask for checksums.
    pub crc32s: bool,
}

/// The objects of a tree, each read once by one of the threads at [`Survey::work`].
pub struct Survey<'a> {
    store: &'a DiskStore,
    stop: &'a AtomicBool,
    wanted: Wanted,
    jobs: Vec<Job<'a>>,
    state: Mutex<State>,
    changed: Condvar,
}

struct Job<'a> {
    path: &'a RelPath,
    object: Object,
    /// Of a distribution: its name, and what it says of itself.
    distribution: Option<(&'a str, &'a Inside)>,
}

#[derive(Default)]
struct State {
    /// Objects that a thread began with.
    taken: usize,
    done: usize,
    is_over: bool,
    crc32s: HashMap<Sha256, u32>,
    faults: BTreeMap<usize, Vec<String>>,
    failure: Option<(usize, ArchiveError)>,
}

/// What one object was found to be.
struct Surveyed {
    crc32: u32,
    faults: Vec<String>,
}

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

impl<'a> Survey<'a> {
    /// Of the objects of `tree`, in its order; whoever sets `stop` ends the survey.
    pub fn new(
        tree: &'a Tree,
        fetched: &'a Fetched,
        insides: &'a BTreeMap<Sha256, Inside>,
        store: &'a DiskStore,
        stop: &'a AtomicBool,
        wanted: Wanted,
    ) -> Self {
        let names: HashMap<_, _> =
            fetched.files().map(|(_, file)| (file.object.sha256, &*file.offer.filename)).collect();
        let mut seen = HashSet::new();
        let jobs = tree.iter().filter_map(|(path, content)| match content {
            Content::Object { sha256, size } if seen.insert(*sha256) => {
                let distribution = names.get(sha256).copied().zip(insides.get(sha256));
                Some(Job { path, object: Object { sha256: *sha256, size: *size }, distribution })
            }
            _ => None,
        });
        let jobs = jobs.collect();
        Self { store, stop, wanted, jobs, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Takes objects until none is left, one failed, or the survey is over.
    pub fn work(&self) {
        let mut piece = vec![0; PIECE];
        while let Some(number) = self.take() {
            let job = &self.jobs[number];
            let outcome = self.survey(job, &mut piece);
            self.state().note(number, job, outcome);
            self.changed.notify_all();
        }
    }

    fn take(&self) -> Option<usize> {
        let mut state = self.state();
        let goes_on = !state.is_over && state.failure.is_none() && state.taken < self.jobs.len();
        goes_on.then(|| {
            state.taken += 1;
            state.taken - 1
        })
    }

    /// Nobody will ask any more.
    pub fn end(&self) {
        self.state().is_over = true;
    }

    /// Waits until every object was read.
    ///
    /// # Errors
    /// The first object that is damaged or cannot be read.
    pub fn settle(&self) -> Result<(), ArchiveError> {
        self.wait(|state| state.done == self.jobs.len()).map(drop)
    }

    /// What is wrong inside of distributions whose bytes are right, of those that were read.
    pub fn findings(&self) -> Vec<Finding> {
        let state = self.state();
        let told = state.faults.iter().flat_map(|(number, faults)| faults.iter().map(|fault| (*number, fault)));
        told.map(|(number, fault)| Finding::new(FindingKind::Distribution, fault).at(self.jobs[number].path.as_str()))
            .collect()
    }

    fn wait(&self, is_known: impl Fn(&State) -> bool) -> Result<MutexGuard<'_, State>, ArchiveError> {
        let mut state = self.state();
        loop {
            if state.done == state.taken
                && let Some((_, error)) = state.failure.take()
            {
                state.is_over = true;
                return Err(error);
            }
            if is_known(&state) {
                return Ok(state);
            }
            if state.is_over {
                return Err(ArchiveError::Finish(io::ErrorKind::Interrupted.into()));
            }
            state = self.changed.wait(state).expect("no thread panics with it");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics with it")
    }

    fn survey(&self, job: &Job<'_>, piece: &mut [u8]) -> Result<Surveyed, ArchiveError> {
        let Object { sha256, size } = job.object;
        let unreadable = |source| ArchiveError::Object { path: job.path.clone(), sha256, source };
        let mut file = File::open(self.store.path(sha256)).map_err(unreadable)?;
        let read = self.read(&mut file, piece).map_err(unreadable)?;
        if read.size != size {
            return Err(ArchiveError::Size { path: job.path.clone(), object: job.object, got: read.size });
        }
        if let Some(got) = read.sha256.filter(|got| *got != sha256) {
            return Err(ArchiveError::Digest { path: job.path.clone(), sha256, got });
        }
        let faults = match job.distribution.filter(|_| self.wanted.check) {
            Some((filename, inside)) => {
                file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
                faults(BufReader::with_capacity(32 << 10, file), filename, inside)
            }
            None => Vec::new(),
        };
        Ok(Surveyed { crc32: read.crc32, faults })
    }

    fn read(&self, file: &mut File, piece: &mut [u8]) -> io::Result<Bytes> {
        let mut hasher = self.wanted.check.then(|| Hasher::new(&[]));
        let (mut crc, mut size) = (Crc::new(), 0);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("interrupted"));
            }
            let length = file.read(piece)?;
            if length == 0 {
                let sha256 = hasher.map(|hasher| hasher.finish().sha256);
                return Ok(Bytes { size, sha256, crc32: crc.finalize() });
            }
            size += length as u64;
            hasher.iter_mut().for_each(|hasher| hasher.update(&piece[..length]));
            if self.wanted.crc32s {
                crc.update(&piece[..length]);
            }
        }
    }
}

impl Checksums for Survey<'_> {
    fn crc32(&self, sha256: Sha256) -> Result<u32, ArchiveError> {
        self.wait(|state| state.crc32s.contains_key(&sha256)).map(|state| state.crc32s[&sha256])
    }
}

/// What was read of an object, as far as it was wanted.
struct Bytes {
    size: u64,
    sha256: Option<Sha256>,
    crc32: u32,
}

impl State {
    fn note(&mut self, number: usize, job: &Job<'_>, outcome: Result<Surveyed, ArchiveError>) {
        self.done += 1;
        match outcome {
            Ok(surveyed) => {
                self.crc32s.insert(job.object.sha256, surveyed.crc32);
                self.faults.insert(number, surveyed.faults);
            }
            Err(error) if self.failure.as_ref().is_none_or(|(first, _)| number < *first) => {
                self.failure = Some((number, error));
            }
            Err(_) => {}
        }
    }
}
