//! Reads users and passwords by host from a netrc file, as Python's `netrc` module does, which pip
//! uses (`docs/facts/pip.md` 3.9).

use std::collections::HashMap;
use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

/// A user and a password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Login {
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(****)")
    }
}

/// The entries of a netrc file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netrc(HashMap<String, Login>);

/// The error for an invalid netrc file; it does not quote the file, since that may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct NetrcError {
    pub line: usize,
    pub why: &'static str,
}

/// The key of the entry for every host without an entry of its own.
const DEFAULT: &str = "default";

impl Netrc {
    /// Parses a netrc file.
    ///
    /// # Errors
    /// When the text is invalid for Python, too; the whole file then counts as absent.
    pub fn parse(text: &str) -> Result<Self, NetrcError> {
        let mut words = Tokens { rest: text.chars().peekable(), line: 1 };
        let mut entries = HashMap::new();
        let mut word = words.next();
        while !word.is_empty() {
            word = match word.as_str() {
                "machine" => match words.next() {
                    name if name.is_empty() => return Err(words.error("`machine` without a name")),
                    name => read_entry(name, &mut words, &mut entries)?,
                },
                DEFAULT => read_entry(DEFAULT.to_owned(), &mut words, &mut entries)?,
                "macdef" => {
                    words.skip_macro()?;
                    words.next()
                }
                comment if comment.starts_with('#') => {
                    words.skip_comment();
                    words.next()
                }
                _ => return Err(words.error("expected machine, default or macdef")),
            };
        }
        Ok(Self(entries))
    }

    /// Returns the entry for `host`, a name without port.
    pub fn find(&self, host: &str) -> Option<&Login> {
        self.0.get(host).or_else(|| self.0.get(DEFAULT))
    }
}

/// Reads an entry, and returns the word after it, which begins the next one.
fn read_entry(
    name: String,
    words: &mut Tokens<'_>,
    entries: &mut HashMap<String, Login>,
) -> Result<String, NetrcError> {
    let mut login = Login { user: String::new(), password: String::new() };
    loop {
        let word = words.next();
        match word.as_str() {
            "" | "machine" | DEFAULT | "macdef" => {
                entries.insert(name, login);
                return Ok(word);
            }
            "login" | "user" => login.user = words.next(),
            "password" => login.password = words.next(),
            "account" => drop(words.next()),
            comment if comment.starts_with('#') => words.skip_comment(),
            _ => return Err(words.error("expected login, password or account")),
        }
    }
}

/// Splits a netrc file into words at white space, with `"…"` and backslashes.
struct Tokens<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Tokens<'_> {
    /// Returns the next word, which is empty at the end.
    fn next(&mut self) -> String {
        while let Some(space) = self.rest.next_if(|next| is_space(*next)) {
            self.count(space);
        }
        let is_quoted = self.rest.next_if_eq(&'"').is_some();
        let mut word = String::new();
        while let Some(next) = self.rest.peek().copied() {
            if !is_quoted && is_space(next) {
                break;
            }
            self.rest.next();
            match next {
                '"' if is_quoted => break,
                '\\' => word.extend(self.rest.next()),
                other => word.push(other),
            }
        }
        word
    }

    /// Skips the rest of the line.
    ///
    /// Python does so for some comments only, and refuses others.
    fn skip_comment(&mut self) {
        while self.rest.next_if(|next| *next != '\n').is_some() {}
    }

    /// Skips a macro: its name and its lines, up to an empty one.
    fn skip_macro(&mut self) -> Result<(), NetrcError> {
        self.next();
        self.rest.next_if(|next| is_space(*next));
        loop {
            let mut length = 0;
            while self.rest.next_if(|next| *next != '\n').is_some() {
                length += 1;
            }
            match self.rest.next() {
                None => return Err(self.error("a macro must end with an empty line")),
                Some(_) if length == 0 => return Ok(()),
                Some(end) => self.count(end),
            }
        }
    }

    fn count(&mut self, character: char) {
        self.line += usize::from(character == '\n');
    }

    fn error(&self, why: &'static str) -> NetrcError {
        NetrcError { line: self.line, why }
    }
}

fn is_space(character: char) -> bool {
    matches!(character, '\n' | '\t' | '\r' | ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(text: &str, host: &str) -> Option<(String, String)> {
        let netrc = Netrc::parse(text).unwrap();
        netrc.find(host).map(|login| (login.user.clone(), login.password.clone()))
    }

    fn pair(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.to_owned(), password.to_owned()))
    }

    /// The results of Python 3.11's `netrc` for the same texts.
    #[test]
    fn entries_are_read_as_by_python() {
        let text = "machine a.example login me password pw\nmachine b.example\n\tuser you\n\taccount x\n\tpassword #1\n\
                    macdef init\nmachine c.example login no password no\n\ndefault login any password \"p \\\"w\"\n";
        assert_eq!(login(text, "a.example"), pair("me", "pw"));
        assert_eq!(login(text, "b.example"), pair("you", "#1"));
        assert_eq!(login(text, "c.example"), pair("any", "p \"w"));
        assert_eq!(login("machine a login 1 password 2 machine a login 3 password 4", "a"), pair("3", "4"));
        assert_eq!(login("machine a password p\\ q", "a"), pair("", "p q"));
        assert_eq!(login("", "a"), None);
    }

    #[test]
    fn comments_end_with_their_line() {
        let text = "# machine a login no\n\n#words of two\nmachine a # login no\n login me\n#x\n password pw # the end";
        assert_eq!(login(text, "a"), pair("me", "pw"));
    }

    #[test]
    fn what_is_no_netrc_is_refused_without_showing_it() {
        for (text, line) in [
            ("hunter2", 1),
            ("machine a\nlogin me\nhunter2", 3),
            ("machine a login me password pw\nmachine", 2),
            ("macdef init\nhunter2", 1),
            ("\n\nmachine a hunter2", 3),
        ] {
            let error = Netrc::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
        assert!(!format!("{:?}", Netrc::parse("default password hunter2")).contains("hunter2"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(machine|default|login|password|macdef|[a# \"\\\\\n]){0,12}") {
            let _ = Netrc::parse(&text);
        }
    }
}
