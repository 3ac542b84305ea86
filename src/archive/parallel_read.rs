//! Threads that read every object once, and with the same bytes write it, checksum it, and compare
//! it with its digest.

use std::cmp::Reverse;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crc32fast::Hasher as Crc;

use crate::domain::{CHUNK_SIZE, Content, Hasher, RelPath, Tree};
use crate::parallel;

use super::ArchiveError;
use super::digest_check::with_digest_check;
use super::objects::{ObjectSource, copy};
use super::random_access::WriteAt;

/// An entry whose bytes are to be read.
pub struct EntryRead {
    pub path: RelPath,
    pub content: Content,
    /// The offset of its bytes in the archive.
    pub offset: u64,
}

/// What is done with the bytes that are read.
#[derive(Clone, Copy)]
pub struct ReadOptions<'a> {
    /// The output, if the bytes are written.
    pub destination: Option<&'a dyn WriteAt>,
    /// Whether the CRC-32 is computed.
    pub crc32s: bool,
}

/// Compares every object of `tree` with its digest, if digests are to be verified.
///
/// # Errors
/// When an object cannot be read or does not have its digest; if several fail, the longest one's
/// error.
pub fn check_digests(tree: &Tree, objects: &dyn ObjectSource) -> Result<(), ArchiveError> {
    if !objects.verifies_digests() {
        return Ok(());
    }
    let is_object = |(_, content): &(&RelPath, &Content)| matches!(content, Content::Object { .. });
    let job =
        |(path, content): (&RelPath, &Content)| EntryRead { path: path.clone(), content: content.clone(), offset: 0 };
    let jobs: Vec<_> = tree.iter().filter(is_object).map(job).collect();
    run(&jobs, objects, ReadOptions { destination: None, crc32s: false }).map(drop)
}

/// Runs all jobs; returns their CRC-32s in order, or zeros.
///
/// # Errors
/// When an object cannot be read or does not have its size and digest, or the output fails. If
/// several jobs fail, the longest one's error is returned, however fast the threads are.
pub fn run(jobs: &[EntryRead], objects: &dyn ObjectSource, options: ReadOptions<'_>) -> Result<Vec<u32>, ArchiveError> {
    let threads = parallel::threads();
    let queue = WorkQueue::new(jobs, threads);
    let done = parallel::on_threads(threads.min(jobs.len()), || queue.work(objects, options));
    let mut done: Vec<_> = done.into_iter().flatten().collect();
    done.sort_by_key(|done| done.turn);
    let mut crc32s = vec![0; jobs.len()];
    for done in done {
        crc32s[done.number] = done.crc32?;
    }
    Ok(crc32s)
}

/// The jobs, in the order in which they are started.
struct WorkQueue<'a> {
    jobs: &'a [EntryRead],
    /// The positions of the jobs in the order of their turns.
    ///
    /// The longest come first, so that at the end no thread is alone with a long one.
    order: Vec<usize>,
    /// The number of bytes from which on a job gets a second thread, since it would keep one busy
    /// while the others have nothing left.
    share: u64,
    next: AtomicUsize,
    has_failed: AtomicBool,
}

/// The result of a job.
struct EntryResult {
    /// The job's position in the order in which jobs are started.
    turn: usize,
    /// The job's position among all jobs.
    number: usize,
    /// The CRC-32 of the entry, or zero if it was not to be computed.
    crc32: Result<u32, ArchiveError>,
}

impl<'a> WorkQueue<'a> {
    fn new(jobs: &'a [EntryRead], threads: usize) -> Self {
        let all = jobs.iter().map(|job| job.content.size()).fold(0, u64::saturating_add);
        let share = (all / threads as u64).max(CHUNK_SIZE as u64);
        let mut order: Vec<_> = (0..jobs.len()).collect();
        order.sort_by_key(|number| Reverse(jobs[*number].content.size()));
        Self { jobs, order, share, next: AtomicUsize::new(0), has_failed: AtomicBool::new(false) }
    }

    fn work(&self, objects: &dyn ObjectSource, options: ReadOptions<'_>) -> Vec<EntryResult> {
        let mut done = Vec::new();
        while !self.has_failed.load(Ordering::Relaxed) {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(&number) = self.order.get(turn) else { break };
            let crc32 = self.read(&self.jobs[number], objects, options);
            self.has_failed.fetch_or(crc32.is_err(), Ordering::Relaxed);
            done.push(EntryResult { turn, number, crc32 });
        }
        done
    }

    /// Runs a job; a long object is hashed by a second thread beside the one that writes it.
    fn read(&self, job: &EntryRead, objects: &dyn ObjectSource, options: ReadOptions<'_>) -> Result<u32, ArchiveError> {
        if job.content.size() <= self.share {
            return job.read(objects, options);
        }
        let mut crc32 = 0;
        with_digest_check(
            objects,
            |_| job.path.clone(),
            |objects| job.read(objects, options).map(|found| crc32 = found),
        )?;
        Ok(crc32)
    }
}

impl EntryRead {
    fn read(&self, objects: &dyn ObjectSource, options: ReadOptions<'_>) -> Result<u32, ArchiveError> {
        let mut tee = TeeWriter {
            destination: options.destination,
            offset: self.offset,
            crc: options.crc32s.then(Crc::new),
            hasher: objects.verifies_digests().then(|| Hasher::new(&[])),
        };
        copy(&self.path, &self.content, objects, &mut tee)?;
        if let (Some(hasher), Content::Object { sha256, .. }) = (tee.hasher, &self.content) {
            let got = hasher.finish().sha256;
            if got != *sha256 {
                return Err(ArchiveError::Digest { path: self.path.clone(), sha256: *sha256, got });
            }
        }
        Ok(tee.crc.map_or(0, Crc::finalize))
    }
}

/// A writer that passes bytes on to the output, the CRC-32 and the hasher.
struct TeeWriter<'a> {
    destination: Option<&'a dyn WriteAt>,
    offset: u64,
    crc: Option<Crc>,
    hasher: Option<Hasher>,
}

impl Write for TeeWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.iter_mut().for_each(|hasher| hasher.update(bytes));
        self.crc.iter_mut().for_each(|crc| crc.update(bytes));
        if let Some(destination) = self.destination {
            destination.write_all_at(bytes, self.offset)?;
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
    use super::*;
    use crate::archive::tests::{Memory, path};
    use crate::domain::Sha256;

    /// Objects that are to be verified.
    pub struct CheckedMemory(pub Memory);

    impl ObjectSource for CheckedMemory {
        fn open(&self, sha256: Sha256) -> io::Result<Box<dyn io::Read + '_>> {
            self.0.open(sha256)
        }

        fn verifies_digests(&self) -> bool {
            true
        }
    }

    /// Returns a hundred objects of rising sizes; if `is_damaged`, those with an even size are
    /// damaged.
    pub fn world(is_damaged: bool) -> (Tree, CheckedMemory) {
        let (mut tree, mut objects) = (Tree::new(), Memory { step: 1 << 20, ..Memory::default() });
        for size in 0..100 {
            let content = objects.add(&vec![7; size]);
            if let (Content::Object { sha256, .. }, true) = (&content, is_damaged && size % 2 == 0) {
                objects.bytes.insert(*sha256, vec![8; size]);
            }
            tree.insert(path(&format!("{size:03}.whl")), content);
        }
        (tree, CheckedMemory(objects))
    }

    #[test]
    fn the_longest_of_damaged_objects_is_told_whatever_the_pace() {
        let (tree, objects) = world(true);
        for _ in 0..50 {
            let error = check_digests(&tree, &objects).unwrap_err();
            assert!(matches!(&error, ArchiveError::Digest { path, .. } if path.as_str() == "098.whl"), "{error}");
        }
        assert!(check_digests(&tree, &objects.0).is_ok(), "nobody asked for a check");
    }
}
