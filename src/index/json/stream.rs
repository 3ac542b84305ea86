//! Reads a page while it is unpacked, a window at a time, so that a long page is never held.
//!
//! Of what is malformed or odd it only says so: whoever asked then lets `serde_json` read the
//! whole. So it may refuse what it likes, and must never take what `serde_json` refuses.

use std::io::{self, Read};

use serde::de::IgnoredAny;

use super::cursor::{Cursor, Stop};
use super::entry::{Entry, refuse};
use super::shape::Shapes;
use super::value::Value;
use super::{Meta, Sink};

/// Bytes that are looked at together, unless one entry alone is longer: they fit into the
/// processor's nearer caches.
const WINDOW: usize = 128 << 10;

/// Gives every file of the page, of about `expected` bytes, to `sink`: whether that was all the
/// page says. Otherwise it is not as usual, and what the sink was given means nothing.
///
/// # Errors
/// Those of `source`.
pub(in super::super) fn scan(source: impl Read, expected: usize, sink: &mut impl Sink) -> io::Result<bool> {
    let mut window = Window::new(source, expected.saturating_add(1).min(WINDOW));
    let mut page = Walk { place: Place::Start, has_files: false, is_known: true, shapes: Shapes::default() };
    loop {
        let is_over = window.fill()?;
        let Some(text) = window.text(is_over) else { return Ok(false) };
        let mut cursor = Cursor::new(text);
        let (stop, done) = page.go(&mut cursor, sink);
        match stop {
            Stop::Short if !is_over => window.consume(done),
            Stop::Short => return Ok(done == text.len() && page.is_whole()),
            Stop::Odd => return Ok(false),
        }
    }
}

/// The part of the page that is being looked at.
struct Window<R> {
    source: R,
    bytes: Vec<u8>,
    /// How many of the bytes are filled.
    filled: usize,
    consumed: usize,
}

impl<R: Read> Window<R> {
    fn new(source: R, size: usize) -> Self {
        Self { source, bytes: vec![0; size], filled: 0, consumed: 0 }
    }

    /// Fills it up behind what was not consumed: whether the page is over. Where little was
    /// consumed, it grows, so that nothing is looked at too often.
    fn fill(&mut self) -> io::Result<bool> {
        self.bytes.copy_within(self.consumed..self.filled, 0);
        self.filled -= self.consumed;
        self.consumed = 0;
        if self.filled > self.bytes.len() / 2 {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
        while self.filled < self.bytes.len() {
            match self.source.read(&mut self.bytes[self.filled..]) {
                Ok(0) => return Ok(true),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn consume(&mut self, amount: usize) {
        self.consumed = amount;
    }

    /// Its text, less a character whose end is still to come; `None` where it is no UTF-8.
    fn text(&self, is_over: bool) -> Option<&str> {
        let bytes = &self.bytes[..self.filled];
        match str::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) if error.error_len().is_none() && !is_over => str::from_utf8(&bytes[..error.valid_up_to()]).ok(),
            Err(_) => None,
        }
    }
}

/// How far the page was read.
struct Walk {
    place: Place,
    has_files: bool,
    /// It is of a version that we know, as far as was told.
    is_known: bool,
    shapes: Shapes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// Before the first member, or the end.
    FirstMember,
    Member,
    FirstFile,
    File,
    /// After the closing brace.
    End,
}

impl Walk {
    fn is_whole(&self) -> bool {
        self.place == Place::End && self.has_files && self.is_known
    }

    /// Goes on until it must stop: why, and how much of the text is behind it for good.
    fn go<'a>(&mut self, cursor: &mut Cursor<'a>, sink: &mut impl Sink) -> (Stop, usize) {
        loop {
            let done = cursor.position();
            match self.step(cursor, sink) {
                Ok(place) => self.place = place,
                Err(Stop::Short) if self.place == Place::End => return (Stop::Short, cursor.position()),
                Err(stop) => return (stop, done),
            }
        }
    }

    /// Reads a part that has to be there as a whole, and tells what comes then.
    fn step(&mut self, cursor: &mut Cursor<'_>, sink: &mut impl Sink) -> Result<Place, Stop> {
        match self.place {
            Place::Start => {
                cursor.skip_mark();
                cursor.expect(b'{').map(|()| Place::FirstMember)
            }
            Place::FirstMember if cursor.ends(b'}')? => Ok(Place::End),
            Place::FirstMember | Place::Member => self.member(cursor),
            Place::FirstFile if cursor.ends(b']')? => after(cursor, b'}', Place::Member, Place::End),
            Place::FirstFile | Place::File => self.file(cursor, sink),
            Place::End => cursor.peek().and(Err(Stop::Odd)),
        }
    }

    fn member(&mut self, cursor: &mut Cursor<'_>) -> Result<Place, Stop> {
        match &*cursor.key()? {
            "files" => {
                cursor.expect(b'[')?;
                self.has_files = true;
                return Ok(Place::FirstFile);
            }
            "meta" => {
                let meta = cursor.value(Cursor::delegate::<Meta<'_>>)?;
                self.is_known = match meta {
                    Value::Object(meta) => meta.unknown_version().is_none(),
                    _ => true,
                };
            }
            _ => drop(cursor.value(Cursor::delegate::<IgnoredAny>)?),
        }
        after(cursor, b'}', Place::Member, Place::End)
    }

    /// Reads an entry and what divides it from the next; the sink gets it once both are there.
    fn file(&mut self, cursor: &mut Cursor<'_>, sink: &mut impl Sink) -> Result<Place, Stop> {
        if cursor.peek()? != b'{' {
            drop(cursor.plain()?);
            let place = after_file(cursor)?;
            refuse(sink);
            return Ok(place);
        }
        let mut entry = Entry::default();
        self.shapes.read(&mut entry, cursor)?;
        let place = after_file(cursor)?;
        entry.give(sink);
        Ok(place)
    }
}

/// The place behind a comma, or behind `end`.
fn after(cursor: &mut Cursor<'_>, end: u8, more: Place, none: Place) -> Result<Place, Stop> {
    Ok(if cursor.goes_on(end)? { more } else { none })
}

fn after_file(cursor: &mut Cursor<'_>) -> Result<Place, Stop> {
    match cursor.goes_on(b']')? {
        true => Ok(Place::File),
        false => after(cursor, b'}', Place::Member, Place::End),
    }
}

#[cfg(test)]
mod tests;
