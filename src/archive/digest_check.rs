//! Compares objects with their digests while they are written: a thread hashes the same bytes that
//! are passed on.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::domain::{Hasher, RelPath, Sha256};

use super::ArchiveError;
use super::objects::ObjectSource;

/// The number of chunks that may wait to be hashed.
const MAX_WAITING: usize = 4;

/// A message to the hashing thread.
enum DigestMessage {
    Chunk(Vec<u8>),
    /// The end of an object, with the digest that it should have.
    End(Sha256),
}

/// Runs `write` with `objects`, and hashes what it reads if digests are to be verified.
///
/// `write` must read one object after the other; `path` returns where an object lies, for the
/// error.
///
/// # Errors
/// When `write` fails, or else when an object does not have its digest; the first such object.
pub fn with_digest_check(
    objects: &dyn ObjectSource,
    path: impl Fn(Sha256) -> RelPath,
    write: impl FnOnce(&dyn ObjectSource) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    if !objects.verifies_digests() {
        return write(objects);
    }
    let (sender, messages) = sync_channel(MAX_WAITING);
    thread::scope(|scope| {
        let hash = || first_mismatch(messages);
        let mismatch = thread::Builder::new().spawn_scoped(scope, hash).map_err(ArchiveError::Finish)?;
        let written = write(&HashedObjects { objects, sender });
        let mismatch = mismatch.join().expect("judging does not panic");
        let messages = |(sha256, got)| Err(ArchiveError::Digest { path: path(sha256), sha256, got });
        written.and(mismatch.map_or(Ok(()), messages))
    })
}

/// Hashes all objects that are sent; returns the first that differs from its digest, with the digest it has.
fn first_mismatch(messages: Receiver<DigestMessage>) -> Option<(Sha256, Sha256)> {
    let (mut hasher, mut mismatch) = (Hasher::new(&[]), None);
    for messages in messages {
        match messages {
            DigestMessage::Chunk(bytes) => hasher.update(&bytes),
            DigestMessage::End(sha256) => {
                let got = std::mem::replace(&mut hasher, Hasher::new(&[])).finish().sha256;
                mismatch = mismatch.or((got != sha256).then_some((sha256, got)));
            }
        }
    }
    mismatch
}

/// An object source that sends all bytes to the hashing thread while they are read.
struct HashedObjects<'a> {
    objects: &'a dyn ObjectSource,
    sender: SyncSender<DigestMessage>,
}

impl ObjectSource for HashedObjects<'_> {
    fn open(&self, sha256: Sha256) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(HashedReader { input: self.objects.open(sha256)?, sha256, sender: &self.sender }))
    }
}

/// A reader that sends what it reads to the hashing thread.
struct HashedReader<'a> {
    input: Box<dyn Read + 'a>,
    sha256: Sha256,
    sender: &'a SyncSender<DigestMessage>,
}

impl Read for HashedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        let messages = match length {
            0 => DigestMessage::End(self.sha256),
            length => DigestMessage::Chunk(buffer[..length].to_vec()),
        };
        self.sender.send(messages).expect("the judge listens to the end");
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::parallel_read::tests::world;
    use crate::archive::tests::path;
    use crate::archive::{FORMATS, pack_file, pack_to_stream};
    use crate::domain::Content;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn what_passes_is_what_is_judged() {
        let folder = tempfile::tempdir().unwrap();
        for is_damaged in [false, true] {
            let (tree, objects) = world(is_damaged);
            for format in FORMATS {
                let mut outcomes = vec![pack_file(&tree, &objects, format, &folder.path().join("bundle"))];
                if format.is_stream() {
                    outcomes.push(pack_to_stream(&tree, &objects, format, &mut io::sink()));
                }
                for outcome in outcomes {
                    let is_told = matches!(outcome, Err(ArchiveError::Digest { .. }));
                    assert_eq!(is_told, is_damaged, "{} {outcome:?}", format.extensions[0]);
                }
            }
        }
    }

    /// Objects that are damaged when opened for the first time, and correct from then on.
    struct Changing {
        right: Vec<u8>,
        looks: AtomicUsize,
    }

    impl ObjectSource for Changing {
        fn open(&self, _: Sha256) -> io::Result<Box<dyn Read + '_>> {
            let is_first = self.looks.fetch_add(1, Ordering::Relaxed) == 0;
            let first = if is_first { 8 } else { 7 };
            Ok(Box::new(io::Cursor::new([&[first], &self.right[1..]].concat())))
        }

        fn verifies_digests(&self) -> bool {
            true
        }
    }

    /// A second read would find the correct bytes, whichever were written. The longer object is one
    /// that two threads share.
    #[test]
    fn nothing_is_read_twice() {
        let folder = tempfile::tempdir().unwrap();
        for size in [5, 1 << 20] {
            let right = vec![7; size];
            let mut tree = crate::domain::Tree::new();
            tree.insert(path("a.whl"), Content::Object { sha256: Sha256::of(&right), size: size as u64 });
            for format in FORMATS {
                let objects = Changing { right: right.clone(), looks: AtomicUsize::new(0) };
                let error = pack_file(&tree, &objects, format, &folder.path().join("bundle")).unwrap_err();
                assert!(matches!(error, ArchiveError::Digest { .. }), "{} {error}", format.extensions[0]);
                assert_eq!(objects.looks.into_inner(), 1, "{}", format.extensions[0]);
            }
        }
    }
}
