//! A position in a text that is parsed from left to right.

/// A text with the number of bytes that were parsed.
pub(super) struct TextCursor<'a> {
    pub text: &'a str,
    pub at: usize,
}

impl<'a> TextCursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the text that has not been parsed yet.
    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn is_done(&self) -> bool {
        self.at == self.text.len()
    }

    /// Skips `expected` if it comes next; returns whether it does.
    pub fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Reads the characters that `wanted` accepts.
    pub fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|character| !wanted(character)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// Reads what PEP 508 calls white space: blanks and tabs.
    pub fn blanks(&mut self) -> &'a str {
        self.take_while(|character| matches!(character, ' ' | '\t'))
    }
}
