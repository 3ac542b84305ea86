//! Reads a JSON page as a stream, one buffer at a time, so that a long page is never held in
//! memory.
//!
//! Malformed or unusual pages are refused, and the caller then lets `serde_json` read the whole
//! page. So this reader may refuse any page, but must never accept one that `serde_json` refuses.

use std::io::{self, Read};

use serde::de::IgnoredAny;

use super::cursor::{JsonCursor, ParseStop};
use super::entry::{FileEntry, refuse};
use super::shape::EntryShapes;
use super::value::JsonValue;
use super::{FileVisitor, Meta};

/// The size of the buffer in bytes, unless a single entry is longer; it fits into the processor's
/// caches.
const BUFFER_SIZE: usize = 128 << 10;

/// Passes every file of the page, which has about `expected` bytes, to `visitor`.
///
/// Returns `false` if the page is unusual; then what the visitor received must be discarded.
///
/// # Errors
/// When `source` cannot be read.
pub(in super::super) fn scan(source: impl Read, expected: usize, visitor: &mut impl FileVisitor) -> io::Result<bool> {
    let mut buffer = PageBuffer::new(source, expected.saturating_add(1).min(BUFFER_SIZE));
    let mut page =
        PageParser { state: ParserState::Start, has_files: false, is_known: true, shapes: EntryShapes::default() };
    loop {
        let is_over = buffer.fill()?;
        let Some(text) = buffer.text(is_over) else { return Ok(false) };
        let mut cursor = JsonCursor::new(text);
        let (stop, done) = page.advance(&mut cursor, visitor);
        match stop {
            ParseStop::Short if !is_over => buffer.consume(done),
            ParseStop::Short => return Ok(done == text.len() && page.is_whole()),
            ParseStop::Odd => return Ok(false),
        }
    }
}

/// The part of the page that is being read.
struct PageBuffer<R> {
    source: R,
    bytes: Vec<u8>,
    /// The number of bytes that are filled.
    filled: usize,
    consumed: usize,
}

impl<R: Read> PageBuffer<R> {
    fn new(source: R, size: usize) -> Self {
        Self { source, bytes: vec![0; size], filled: 0, consumed: 0 }
    }

    /// Fills the buffer after what was not consumed; returns whether the page has ended.
    ///
    /// The buffer grows if little was consumed, so that no text is parsed too often.
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

    /// Returns the buffer's text without a character that is still incomplete; `None` if it is no
    /// UTF-8.
    fn text(&self, is_over: bool) -> Option<&str> {
        let bytes = &self.bytes[..self.filled];
        match str::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) if error.error_len().is_none() && !is_over => str::from_utf8(&bytes[..error.valid_up_to()]).ok(),
            Err(_) => None,
        }
    }
}

/// The state of reading a page.
struct PageParser {
    state: ParserState,
    has_files: bool,
    /// Whether the API version is a known one, as far as the page has stated it.
    is_known: bool,
    shapes: EntryShapes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ParserState {
    Start,
    /// Before the first member, or before the end.
    FirstMember,
    Member,
    FirstFile,
    File,
    /// After the closing brace.
    End,
}

impl PageParser {
    fn is_whole(&self) -> bool {
        self.state == ParserState::End && self.has_files && self.is_known
    }

    /// Reads as far as possible; returns why it stopped, and how much of the text is done with.
    fn advance<'a>(&mut self, cursor: &mut JsonCursor<'a>, visitor: &mut impl FileVisitor) -> (ParseStop, usize) {
        loop {
            let done = cursor.position();
            match self.step(cursor, visitor) {
                Ok(state) => self.state = state,
                Err(ParseStop::Short) if self.state == ParserState::End => {
                    return (ParseStop::Short, cursor.position());
                }
                Err(stop) => return (stop, done),
            }
        }
    }

    /// Reads the next part as a whole, and returns the state after it.
    fn step(&mut self, cursor: &mut JsonCursor<'_>, visitor: &mut impl FileVisitor) -> Result<ParserState, ParseStop> {
        match self.state {
            ParserState::Start => {
                cursor.skip_mark();
                cursor.expect(b'{').map(|()| ParserState::FirstMember)
            }
            ParserState::FirstMember if cursor.ends(b'}')? => Ok(ParserState::End),
            ParserState::FirstMember | ParserState::Member => self.member(cursor),
            ParserState::FirstFile if cursor.ends(b']')? => after(cursor, b'}', ParserState::Member, ParserState::End),
            ParserState::FirstFile | ParserState::File => self.file(cursor, visitor),
            ParserState::End => cursor.peek().and(Err(ParseStop::Odd)),
        }
    }

    fn member(&mut self, cursor: &mut JsonCursor<'_>) -> Result<ParserState, ParseStop> {
        match &*cursor.key()? {
            "files" => {
                cursor.expect(b'[')?;
                self.has_files = true;
                return Ok(ParserState::FirstFile);
            }
            "meta" => {
                let meta = cursor.value(JsonCursor::delegate::<Meta<'_>>)?;
                self.is_known = match meta {
                    JsonValue::Object(meta) => meta.unknown_version().is_none(),
                    _ => true,
                };
            }
            _ => drop(cursor.value(JsonCursor::delegate::<IgnoredAny>)?),
        }
        after(cursor, b'}', ParserState::Member, ParserState::End)
    }

    /// Reads an entry and what separates it from the next, then passes the entry on.
    fn file(&mut self, cursor: &mut JsonCursor<'_>, visitor: &mut impl FileVisitor) -> Result<ParserState, ParseStop> {
        if cursor.peek()? != b'{' {
            drop(cursor.plain()?);
            let state = after_file(cursor)?;
            refuse(visitor);
            return Ok(state);
        }
        let mut entry = FileEntry::default();
        self.shapes.read(&mut entry, cursor)?;
        let state = after_file(cursor)?;
        entry.pass_to(visitor);
        Ok(state)
    }
}

/// Skips a comma or `end`, and returns the state `more` or `none`.
fn after(cursor: &mut JsonCursor<'_>, end: u8, more: ParserState, none: ParserState) -> Result<ParserState, ParseStop> {
    Ok(if cursor.has_next(end)? { more } else { none })
}

fn after_file(cursor: &mut JsonCursor<'_>) -> Result<ParserState, ParseStop> {
    match cursor.has_next(b']')? {
        true => Ok(ParserState::File),
        false => after(cursor, b'}', ParserState::Member, ParserState::End),
    }
}

#[cfg(test)]
mod tests;
