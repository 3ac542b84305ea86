//! Entry shapes: the keys and punctuation that the file entries of a page share, by which further
//! entries are read faster.

use super::cursor::{JsonCursor, ParseStop};
use super::entry::{FileEntry, FileKey};
use crate::domain::Algorithm;

/// The shapes of a page's entries so far.
///
/// As one program writes all entries, with the same keys in the same order, few shapes cover a
/// page, and an entry of a known shape is read at half the cost.
#[derive(Default)]
pub(super) struct EntryShapes {
    /// The shapes, that of the last entry first.
    known: Vec<EntryShape>,
}

impl EntryShapes {
    /// The number of shapes that are kept: files with and without metadata, and yanked files with and
    /// without a reason.
    const MOST: usize = 4;

    /// Reads an object into `entry`, which must be empty.
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

/// The text between the values of an entry, and the keys that the values belong to.
///
/// A text that differs in the values alone is an entry of the same shape.
struct EntryShape {
    slots: Vec<Slot>,
    /// The text after the last value.
    end: Box<str>,
}

/// The position of a value that is no object.
struct Slot {
    /// The text between the previous value and this one.
    before: Box<str>,
    key: FileKey,
    /// The digest's algorithm, if the value is in the object of a key with digests.
    algorithm: Option<Algorithm>,
}

impl EntryShape {
    /// Returns the shape of an entry that could be read, or `None` if it is too unusual to recur.
    fn of(entry: &str) -> Option<Self> {
        let mut builder = ShapeBuilder { entry, slots: Vec::new(), end: 0 };
        JsonCursor::new(entry).members(|key, cursor| builder.member(FileKey::named(key), cursor)).ok()?;
        Some(Self { slots: builder.slots, end: entry[builder.end..].into() })
    }

    /// Reads an entry of this shape into `entry`.
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
    /// The position after the last value.
    end: usize,
}

impl ShapeBuilder<'_> {
    /// Skips the value of `key` and adds its slots.
    ///
    /// Repeated keys and empty objects are refused as odd: a repeated key replaces the earlier one,
    /// and an empty object has no slot.
    fn member(&mut self, key: FileKey, cursor: &mut JsonCursor<'_>) -> Result<(), ParseStop> {
        let is_new = key == FileKey::Other || self.slots.iter().all(|slot| slot.key != key);
        let slots = self.slots.len();
        match cursor.peek()? {
            b'{' => cursor.members(|name, cursor| self.inner(key, name, cursor))?,
            _ => self.slot(key, None, cursor)?,
        }
        if is_new && self.slots.len() > slots { Ok(()) } else { Err(ParseStop::Odd) }
    }

    /// Skips the value of `name` in the object of `key` and adds its slot.
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
