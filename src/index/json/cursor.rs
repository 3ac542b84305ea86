//! Reads the values of a JSON document from left to right.
//!
//! The result is what `serde_json` would read, at less cost. Anything unusual is left to
//! `serde_json`, either here or, by [`ParseStop::Odd`], by the caller.

use std::borrow::Cow;

use serde::Deserialize;

use super::value::JsonValue;

/// Why a value could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParseStop {
    /// The text ends before the value does.
    Short,
    /// The value is malformed, or so unusual that `serde_json` has to read it.
    Odd,
}

#[derive(Clone, Copy)]
pub(super) struct JsonCursor<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> JsonCursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the text between here and `end`.
    pub fn up_to(&self, end: &Self) -> &'a str {
        &self.text[self.position..end.position]
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.position..]
    }

    /// Skips a byte order mark.
    pub fn skip_mark(&mut self) {
        const MARK: &str = "\u{feff}";
        self.position += if self.text[self.position..].starts_with(MARK) { MARK.len() } else { 0 };
    }

    /// Skips white space and returns the next byte without skipping it.
    pub fn peek(&mut self) -> Result<u8, ParseStop> {
        for byte in self.rest() {
            match byte {
                b' ' | b'\n' | b'\t' | b'\r' => self.position += 1,
                other => return Ok(*other),
            }
        }
        Err(ParseStop::Short)
    }

    /// Skips `byte`, which must be next.
    pub fn expect(&mut self, byte: u8) -> Result<(), ParseStop> {
        if self.peek()? != byte {
            return Err(ParseStop::Odd);
        }
        self.position += 1;
        Ok(())
    }

    /// Skips `literal`, which must be next, byte by byte.
    pub fn literal(&mut self, literal: &str) -> Result<(), ParseStop> {
        if !self.rest().starts_with(literal.as_bytes()) {
            return Err(ParseStop::Odd);
        }
        self.position += literal.len();
        Ok(())
    }

    /// Skips a comma or `end`; returns whether it was the comma, so that another member follows.
    pub fn has_next(&mut self, end: u8) -> Result<bool, ParseStop> {
        match self.peek()? {
            b',' => self.position += 1,
            byte if byte == end => {
                self.position += 1;
                return Ok(false);
            }
            _ => return Err(ParseStop::Odd),
        }
        Ok(true)
    }

    /// Skips `end` if it is next; returns whether it was.
    pub fn ends(&mut self, end: u8) -> Result<bool, ParseStop> {
        let ends = self.peek()? == end;
        self.position += usize::from(ends);
        Ok(ends)
    }

    /// Reads a key and the colon after it.
    pub fn key(&mut self) -> Result<Cow<'a, str>, ParseStop> {
        if self.peek()? != b'"' {
            return Err(ParseStop::Odd);
        }
        let key = self.text()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// Reads an object; `value` reads the value of each key.
    pub fn members(
        &mut self,
        mut value: impl FnMut(&str, &mut Self) -> Result<(), ParseStop>,
    ) -> Result<(), ParseStop> {
        self.expect(b'{')?;
        let mut goes_on = !self.ends(b'}')?;
        while goes_on {
            let key = self.key()?;
            value(&key, self)?;
            goes_on = self.has_next(b'}')?;
        }
        Ok(())
    }

    /// Reads any value; `object` reads it if it is an object.
    pub fn value<O: Deserialize<'a>>(
        &mut self,
        object: impl FnOnce(&mut Self) -> Result<O, ParseStop>,
    ) -> Result<JsonValue<'a, O>, ParseStop> {
        match self.peek()? {
            b'"' => self.text().map(JsonValue::Text),
            b'{' => object(self).map(JsonValue::Object),
            b'[' => self.delegate(),
            b't' => self.word("true", JsonValue::Bool(true)),
            b'f' => self.word("false", JsonValue::Bool(false)),
            b'n' => self.word("null", JsonValue::Absent),
            _ => self.number(),
        }
    }

    /// Reads a value that is no object.
    pub fn plain(&mut self) -> Result<JsonValue<'a>, ParseStop> {
        self.value(|_| Err(ParseStop::Odd))
    }

    /// Reads an object or a list with `serde_json`.
    pub fn delegate<T: Deserialize<'a>>(&mut self) -> Result<T, ParseStop> {
        let mut values = serde_json::Deserializer::from_str(&self.text[self.position..]).into_iter();
        match values.next() {
            Some(Ok(value)) => {
                self.position += values.byte_offset();
                Ok(value)
            }
            Some(Err(error)) if error.is_eof() => Err(ParseStop::Short),
            _ => Err(ParseStop::Odd),
        }
    }

    /// Reads a string, whose opening quote is next.
    fn text(&mut self) -> Result<Cow<'a, str>, ParseStop> {
        let start = self.position + 1;
        let end = start + plain_length(&self.text.as_bytes()[start..]);
        match self.text.as_bytes().get(end) {
            Some(b'"') => {
                self.position = end + 1;
                Ok(Cow::Borrowed(&self.text[start..end]))
            }
            Some(b'\\') => self.escaped(end),
            Some(_) => Err(ParseStop::Odd),
            None => Err(ParseStop::Short),
        }
    }

    /// Reads a string whose first escape is at `escape`.
    #[cold]
    fn escaped(&mut self, escape: usize) -> Result<Cow<'a, str>, ParseStop> {
        let (bytes, mut end) = (self.text.as_bytes(), escape);
        while *bytes.get(end).ok_or(ParseStop::Short)? != b'"' {
            let is_escape = bytes[end] == b'\\';
            end += 1 + usize::from(is_escape);
        }
        let text = serde_json::from_str(&self.text[self.position..=end]).map_err(|_| ParseStop::Odd)?;
        self.position = end + 1;
        Ok(Cow::Owned(text))
    }

    fn word<O>(&mut self, word: &str, value: JsonValue<'a, O>) -> Result<JsonValue<'a, O>, ParseStop> {
        let rest = self.rest();
        match rest.get(..word.len()) {
            Some(found) if found == word.as_bytes() => {
                self.position += word.len();
                Ok(value)
            }
            Some(_) => Err(ParseStop::Odd),
            None => Err(ParseStop::Short),
        }
    }

    fn number<O: Deserialize<'a>>(&mut self) -> Result<JsonValue<'a, O>, ParseStop> {
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = self.rest().iter().position(|byte| !is_part(byte)).ok_or(ParseStop::Short)?;
        let number = &self.text[self.position..][..length];
        self.position += length;
        match usual_number(number.as_bytes()) {
            Some(number) => Ok(JsonValue::Number(number)),
            None => serde_json::from_str(number).map_err(|_| ParseStop::Odd),
        }
    }
}

/// Parses a number that consists of digits alone and cannot overflow.
fn usual_number(digits: &[u8]) -> Option<u64> {
    let is_usual =
        matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && digits.len() < 19 && digits.iter().all(u8::is_ascii_digit);
    is_usual.then(|| digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit & 0xf)))
}

/// Returns the number of bytes before the first quote, backslash or control character.
///
/// Eight bytes are compared at a time.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    /// With this bit flipped the quote, 0x22, directly follows the control characters, which stay
    /// below 0x20.
    const TURNED: u64 = ONES * 0x02;
    // Whether a byte is below `limit`; exact up to the first that is, since borrows only go up.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let (words, rest) = bytes.as_chunks::<8>();
    for (position, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = (below(word ^ TURNED, 0x21) | below(word ^ BACKSLASHES, 1)) & HIGHS;
        if found != 0 {
            return position * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
    bytes.len() - rest.len() + rest.iter().position(is_special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    fn value(text: &str) -> Result<(JsonValue<'_>, usize), ParseStop> {
        let mut cursor = JsonCursor::new(text);
        cursor.value(JsonCursor::delegate::<IgnoredAny>).map(|value| (value, cursor.position()))
    }

    #[test]
    fn values_are_read_up_to_their_last_byte() {
        for (text, end) in [
            (r#""a" ,"#, 3),
            (" \n\t\r\"\" ", 6),
            (r#""a\"b\\" "#, 8),
            (r#""a€\u00e9" "#, 12),
            ("true]", 4),
            ("null ", 4),
            ("-0.5e3,", 6),
            ("12}", 2),
            ("[1, [2]] ", 8),
            (r#"{"a": {}} "#, 9),
        ] {
            assert_eq!(value(text).map(|(_, end)| end), Ok(end), "{text}");
            for cut in (0..end).filter(|cut| text.is_char_boundary(*cut)) {
                assert_eq!(value(&text[..cut]).map(|(_, end)| end), Err(ParseStop::Short), "{}", &text[..cut]);
            }
        }
    }

    #[test]
    fn what_is_malformed_is_odd() {
        for text in [
            "tru ",
            "nil ",
            "01 ",
            "1e999 ",
            "- ",
            "+1 ",
            "x",
            "}",
            "\"\u{1}\" ",
            r#""\x" "#,
            r#""\ud800" "#,
            "[1,] ",
            "{1} ",
        ] {
            assert_eq!(value(text).map(|(_, end)| end), Err(ParseStop::Odd), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_first_special_byte_is_found(bytes in proptest::collection::vec(any::<u8>(), 0..40), high in any::<bool>()) {
            let bytes: Vec<_> = bytes.into_iter().map(|byte| if high { byte | 0x60 } else { byte }).collect();
            let expected = bytes.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')).unwrap_or(bytes.len());
            prop_assert_eq!(plain_length(&bytes), expected);
        }
    }
}
