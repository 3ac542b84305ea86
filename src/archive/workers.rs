//! Threads that read every object once, and do with its bytes all that is to be done: write them
//! to their place, checksum them, compare them with their digest.

use std::cmp::Reverse;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crc32fast::Hasher as Crc;

use crate::domain::{Content, Hasher, RelPath, Tree};

use super::ArchiveError;
use super::judge::judged;
use super::objects::{Objects, PIECE, copy};
use super::placed::Place;

/// An entry whose bytes are to be read.
pub struct Job {
    pub path: RelPath,
    pub content: Content,
    /// Where its bytes begin in the archive.
    pub offset: u64,
}

/// What is to be done with the bytes.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Where they go, if anywhere.
    pub place: Option<&'a dyn Place>,
    /// Whether their CRC-32 is of use.
    pub crc32s: bool,
}

/// Compares every object of `tree` with its digest, where that is wanted.
///
/// # Errors
/// When one cannot be read or is another; of several the longest one's error.
pub fn check(tree: &Tree, objects: &dyn Objects) -> Result<(), ArchiveError> {
    if !objects.are_checked() {
        return Ok(());
    }
    let is_object = |(_, content): &(&RelPath, &Content)| matches!(content, Content::Object { .. });
    let job = |(path, content): (&RelPath, &Content)| Job { path: path.clone(), content: content.clone(), offset: 0 };
    let jobs: Vec<_> = tree.iter().filter(is_object).map(job).collect();
    run(&jobs, objects, Wanted { place: None, crc32s: false }).map(drop)
}

/// Does all jobs; returns their CRC-32s in order, or zeros.
///
/// # Errors
/// When an object cannot be read or is not what the tree says, or the place fails: of several such
/// jobs the longest one's error, whatever the threads' pace.
pub fn run(jobs: &[Job], objects: &dyn Objects, wanted: Wanted<'_>) -> Result<Vec<u32>, ArchiveError> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let queue = Queue::new(jobs, threads);
    let mut done = thread::scope(|scope| {
        let work = || queue.work(objects, wanted);
        let workers: Vec<_> = (0..threads.min(jobs.len())).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().flat_map(|worker| worker.join().expect("reading does not panic"));
        done.collect::<Vec<_>>()
    });
    done.sort_by_key(|done| done.turn);
    let mut crc32s = vec![0; jobs.len()];
    for done in done {
        crc32s[done.number] = done.crc32?;
    }
    Ok(crc32s)
}

/// Jobs in the order in which they are begun.
struct Queue<'a> {
    jobs: &'a [Job],
    /// Which job has which turn. The longest come first, so that at the end no thread is alone with
    /// a long one.
    order: Vec<usize>,
    /// A job of more bytes would keep one thread busy while the others have nothing left.
    share: u64,
    next: AtomicUsize,
    has_failed: AtomicBool,
}

/// A job that came to its end.
struct Done {
    turn: usize,
    number: usize,
    crc32: Result<u32, ArchiveError>,
}

impl<'a> Queue<'a> {
    fn new(jobs: &'a [Job], threads: usize) -> Self {
        let all = jobs.iter().map(|job| job.content.size()).fold(0, u64::saturating_add);
        let share = (all / threads as u64).max(PIECE as u64);
        let mut order: Vec<_> = (0..jobs.len()).collect();
        order.sort_by_key(|number| Reverse(jobs[*number].content.size()));
        Self { jobs, order, share, next: AtomicUsize::new(0), has_failed: AtomicBool::new(false) }
    }

    fn work(&self, objects: &dyn Objects, wanted: Wanted<'_>) -> Vec<Done> {
        let mut done = Vec::new();
        while !self.has_failed.load(Ordering::Relaxed) {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(&number) = self.order.get(turn) else { break };
            let crc32 = self.read(&self.jobs[number], objects, wanted);
            self.has_failed.fetch_or(crc32.is_err(), Ordering::Relaxed);
            done.push(Done { turn, number, crc32 });
        }
        done
    }

    /// A long object is hashed by a thread beside the one that writes it.
    fn read(&self, job: &Job, objects: &dyn Objects, wanted: Wanted<'_>) -> Result<u32, ArchiveError> {
        if job.content.size() <= self.share {
            return job.read(objects, wanted);
        }
        let mut crc32 = 0;
        judged(objects, |_| job.path.clone(), |objects| job.read(objects, wanted).map(|found| crc32 = found))?;
        Ok(crc32)
    }
}

impl Job {
    fn read(&self, objects: &dyn Objects, wanted: Wanted<'_>) -> Result<u32, ArchiveError> {
        let mut passing = Passing {
            place: wanted.place,
            offset: self.offset,
            crc: wanted.crc32s.then(Crc::new),
            hasher: objects.are_checked().then(|| Hasher::new(&[])),
        };
        copy(&self.path, &self.content, objects, &mut passing)?;
        if let (Some(hasher), Content::Object { sha256, .. }) = (passing.hasher, &self.content) {
            let got = hasher.finish().sha256;
            if got != *sha256 {
                return Err(ArchiveError::Digest { path: self.path.clone(), sha256: *sha256, got });
            }
        }
        Ok(passing.crc.map_or(0, Crc::finalize))
    }
}

/// Bytes on their way to their place, and all who want to see them.
struct Passing<'a> {
    place: Option<&'a dyn Place>,
    offset: u64,
    crc: Option<Crc>,
    hasher: Option<Hasher>,
}

impl Write for Passing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.iter_mut().for_each(|hasher| hasher.update(bytes));
        self.crc.iter_mut().for_each(|crc| crc.update(bytes));
        if let Some(place) = self.place {
            place.write_all_at(bytes, self.offset)?;
        }
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub mod tests {
    use super::super::tests::{Memory, path};
    use super::*;
    use crate::domain::Sha256;

    /// Objects that are to be checked.
    pub struct Checked(pub Memory);

    impl Objects for Checked {
        fn open(&self, sha256: Sha256) -> io::Result<Box<dyn io::Read + '_>> {
            self.0.open(sha256)
        }

        fn are_checked(&self) -> bool {
            true
        }
    }

    /// A hundred objects, the larger the later; those with an even size are damaged, if any are.
    pub fn world(is_damaged: bool) -> (Tree, Checked) {
        let (mut tree, mut objects) = (Tree::new(), Memory { step: 1 << 20, ..Memory::default() });
        for size in 0..100 {
            let content = objects.add(&vec![7; size]);
            if let (Content::Object { sha256, .. }, true) = (&content, is_damaged && size % 2 == 0) {
                objects.bytes.insert(*sha256, vec![8; size]);
            }
            tree.insert(path(&format!("{size:03}.whl")), content);
        }
        (tree, Checked(objects))
    }

    #[test]
    fn the_longest_of_damaged_objects_is_told_whatever_the_pace() {
        let (tree, objects) = world(true);
        for _ in 0..50 {
            let error = check(&tree, &objects).unwrap_err();
            assert!(matches!(&error, ArchiveError::Digest { path, .. } if path.as_str() == "098.whl"), "{error}");
        }
        assert!(check(&tree, &objects.0).is_ok(), "nobody asked for a check");
    }
}
