//! Comparing objects with their digests while they are written: what is judged are the very bytes
//! that are passed on, by a thread beside the one that writes them.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::domain::{Hasher, RelPath, Sha256};

use super::ArchiveError;
use super::objects::Objects;

/// Pieces that may wait to be hashed.
const WAITING: usize = 4;

/// What is told of the object that is being read.
enum Told {
    Piece(Vec<u8>),
    /// It came to its end, and should be this one.
    Over(Sha256),
}

/// Lets `write` take the bytes of `objects`, one after the other, and judges them meanwhile, where
/// that is wanted; `path` tells where an object is to lie.
///
/// # Errors
/// Those of `write`, or else the first object that is not what its digest says.
pub fn judged(
    objects: &dyn Objects,
    path: impl Fn(Sha256) -> RelPath,
    write: impl FnOnce(&dyn Objects) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    if !objects.are_checked() {
        return write(objects);
    }
    let (judge, told) = sync_channel(WAITING);
    thread::scope(|scope| {
        let wrong = scope.spawn(|| first_wrong(told));
        let written = write(&Judged { objects, judge });
        let wrong = wrong.join().expect("judging does not panic");
        let told = |(sha256, got)| Err(ArchiveError::Digest { path: path(sha256), sha256, got });
        written.and(wrong.map_or(Ok(()), told))
    })
}

/// Hashes until nobody tells any more: the first digest that is not kept, and what it is instead.
fn first_wrong(told: Receiver<Told>) -> Option<(Sha256, Sha256)> {
    let (mut hasher, mut wrong) = (Hasher::new(&[]), None);
    for told in told {
        match told {
            Told::Piece(bytes) => hasher.update(&bytes),
            Told::Over(sha256) => {
                let got = std::mem::replace(&mut hasher, Hasher::new(&[])).finish().sha256;
                wrong = wrong.or((got != sha256).then_some((sha256, got)));
            }
        }
    }
    wrong
}

/// Objects of which a judge sees what is read, one after the other.
struct Judged<'a> {
    objects: &'a dyn Objects,
    judge: SyncSender<Told>,
}

impl Objects for Judged<'_> {
    fn open(&self, sha256: Sha256) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(Seen { input: self.objects.open(sha256)?, sha256, judge: &self.judge }))
    }
}

/// An object whose bytes the judge gets, too.
struct Seen<'a> {
    input: Box<dyn Read + 'a>,
    sha256: Sha256,
    judge: &'a SyncSender<Told>,
}

impl Read for Seen<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        let told = match length {
            0 => Told::Over(self.sha256),
            length => Told::Piece(buffer[..length].to_vec()),
        };
        self.judge.send(told).expect("the judge listens to the end");
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::path;
    use super::super::workers::tests::world;
    use super::super::{FORMATS, pack_file, pack_stream};
    use super::*;
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
                    outcomes.push(pack_stream(&tree, &objects, format, &mut io::sink()));
                }
                for outcome in outcomes {
                    let is_told = matches!(outcome, Err(ArchiveError::Digest { .. }));
                    assert_eq!(is_told, is_damaged, "{} {outcome:?}", format.extensions[0]);
                }
            }
        }
    }

    /// Objects that are damaged at the first look and right at the next, whoever has it.
    struct Changing {
        right: Vec<u8>,
        looks: AtomicUsize,
    }

    impl Objects for Changing {
        fn open(&self, _: Sha256) -> io::Result<Box<dyn Read + '_>> {
            let is_first = self.looks.fetch_add(1, Ordering::Relaxed) == 0;
            let first = if is_first { 8 } else { 7 };
            Ok(Box::new(io::Cursor::new([&[first], &self.right[1..]].concat())))
        }

        fn are_checked(&self) -> bool {
            true
        }
    }

    /// A second look would see what is right, whichever of the two was written. The longer object is
    /// one that two threads share.
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
