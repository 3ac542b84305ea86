//! Entry shapes: the keys and punctuation that file entries of a page share, for fast reading.

use super::cursor::{JsonCursor, ParseStop};
use super::entry::{FileEntry, FileKey};
use crate::domain::Algorithm;

/// The shapes that entries of a page had. One program writes them all, with the same keys in the
/// same order, and an entry of a known shape is read at half the cost.
#[derive(Default)]
pub(super) struct EntryShapes {
    /// The one that fitted last stands first.
    known: Vec<EntryShape>,
}

impl EntryShapes {
    /// Files with and without metadata, and yanked ones with and without a reason.
    const MOST: usize = 4;

    /// Takes the object that is next into `entry`, which is still empty.
    pub fn read<'a>(&mut self, entry: &mut FileEntry<'a>, cursor: &mut JsonCursor<'a>) -> Result<(), ParseStop> {
        let start = *cursor;
        for position in 0..self.known.len() {
            if self.known[position].read(entry, cursor).is_ok() {
                self.known.swap(0, position);
                return Ok(());
            }
            (*entry, *cursor) = (FileEntry::default(), start);
        }
        entry.read(cursor)?;
        if self.known.len() < Self::MOST {
            self.known.extend(EntryShape::of(start.up_to(cursor)));
        }
        Ok(())
    }
}

/// What stands around the values of an entry, byte by byte, and whose values they are. Whatever
/// other values stand there, it is an entry.
struct EntryShape {
    slots: Vec<Slot>,
    /// What stands behind the last value.
    end: Box<str>,
}

/// The place of a value that is no object.
struct Slot {
    /// What stands between the value before and this one.
    before: Box<str>,
    key: FileKey,
    /// Where the value is one of the digests that the key has.
    algorithm: Option<Algorithm>,
}

impl EntryShape {
    /// The shape of an entry that could be read; `None` where it is too odd to come again.
    fn of(entry: &str) -> Option<Self> {
        let mut builder = ShapeBuilder { entry, slots: Vec::new(), end: 0 };
        JsonCursor::new(entry).members(|key, cursor| builder.member(FileKey::named(key), cursor)).ok()?;
        Some(Self { slots: builder.slots, end: entry[builder.end..].into() })
    }

    /// Takes the entry that is next, which must have this shape, into `entry`.
    fn read<'a>(&self, entry: &mut FileEntry<'a>, cursor: &mut JsonCursor<'a>) -> Result<(), ParseStop> {
        for slot in &self.slots {
            cursor.literal(&slot.before)?;
            if cursor.peek()? == b'{' {
                return Err(ParseStop::Odd);
            }
            match slot.algorithm {
                Some(algorithm) => entry.take_digest(slot.key, algorithm, cursor)?,
                None => entry.take(slot.key, cursor)?,
            }
        }
        cursor.literal(&self.end)
    }
}

/// Builds a shape from an entry.
struct ShapeBuilder<'e> {
    entry: &'e str,
    slots: Vec<Slot>,
    /// Where the last value ends.
    end: usize,
}

impl ShapeBuilder<'_> {
    /// Goes over the value of `key`. Of equal keys the last counts with all that it holds, and an
    /// empty object has no slot: both are odd.
    fn member(&mut self, key: FileKey, cursor: &mut JsonCursor<'_>) -> Result<(), ParseStop> {
        let is_new = key == FileKey::Other || self.slots.iter().all(|slot| slot.key != key);
        let slots = self.slots.len();
        match cursor.peek()? {
            b'{' => cursor.members(|name, cursor| self.inner(key, name, cursor))?,
            _ => self.slot(key, None, cursor)?,
        }
        if is_new && self.slots.len() > slots { Ok(()) } else { Err(ParseStop::Odd) }
    }

    /// Goes over the value of `name` in the object that `key` has.
    fn inner(&mut self, key: FileKey, name: &str, cursor: &mut JsonCursor<'_>) -> Result<(), ParseStop> {
        match Algorithm::named(name) {
            Some(algorithm) if key.has_digests() => self.slot(key, Some(algorithm), cursor),
            _ if key == FileKey::Other => self.slot(key, None, cursor),
            _ => Err(ParseStop::Odd),
        }
    }

    fn slot(
        &mut self,
        key: FileKey,
        algorithm: Option<Algorithm>,
        cursor: &mut JsonCursor<'_>,
    ) -> Result<(), ParseStop> {
        cursor.peek()?;
        let before = self.entry[self.end..cursor.position()].into();
        cursor.plain()?;
        self.slots.push(Slot { before, key, algorithm });
        self.end = cursor.position();
        Ok(())
    }
}
