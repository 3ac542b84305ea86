//! Dependency specifiers (PEP 508), with what pip 26.3 tolerates in them.
//!
//! The tolerance is that of `docs/facts/pip.md` 1.9 and 7.2: a comma after the last clause,
//! parentheses around the clauses, nothing between brackets.

use std::fmt;
use std::str::FromStr;

use super::text_cursor::TextCursor;
use super::{ExtraName, Marker, PackageName, SpecifierError, Specifiers, mask_credentials};

/// A dependency specifier by its parts: `name[extras] clauses ; marker` or `name[extras] @ url ;
/// marker`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dependency {
    pub name: PackageName,
    /// The extras, sorted, each once.
    pub extras: Vec<ExtraName>,
    pub source: DependencySource,
    pub marker: Marker,
}

impl fmt::Display for Dependency {
    /// Writes the canonical form without the marker; the alternate form shortens long specifiers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if !self.extras.is_empty() {
            let extras: Vec<_> = self.extras.iter().map(ToString::to_string).collect();
            write!(f, "[{}]", extras.join(","))?;
        }
        match &self.source {
            DependencySource::Versions(specifiers) if f.alternate() => write!(f, "{specifiers:#}"),
            DependencySource::Versions(specifiers) => write!(f, "{specifiers}"),
            DependencySource::Url(url) => write!(f, " @ {}", mask_credentials(url)),
        }
    }
}

/// What follows the name and the extras.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DependencySource {
    Versions(Specifiers),
    /// The text after `@`, whatever it is.
    Url(String),
}

impl DependencySource {
    /// Returns the version specifiers; `None` for a URL.
    pub fn specifiers(&self) -> Option<&Specifiers> {
        match self {
            Self::Versions(specifiers) => Some(specifiers),
            Self::Url(_) => None,
        }
    }
}

/// Why and where a text is no dependency specifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct DependencyError {
    /// The number of bytes before the fault.
    pub at: usize,
    pub why: String,
}

impl FromStr for Dependency {
    type Err = DependencyError;

    fn from_str(text: &str) -> Result<Self, DependencyError> {
        let mut cursor = TextCursor::new(text);
        cursor.blanks();
        let name = name(&mut cursor)?;
        cursor.blanks();
        let extras = extras(&mut cursor)?;
        cursor.blanks();
        let source = if cursor.eat("@") { url(&mut cursor)? } else { versions(&mut cursor)? };
        let marker = marker(&mut cursor)?;
        Ok(Self { name, extras, source, marker })
    }
}

/// Parses the list of extras alone, as it may follow a path; sorted, each once.
///
/// # Errors
/// When a part is no extra; the error names it.
pub fn parse_extras(text: &str) -> Result<Vec<ExtraName>, DependencyError> {
    let mut cursor = TextCursor::new(text);
    let extras = extras(&mut cursor)?;
    if cursor.is_done() { Ok(extras) } else { Err(fail(&cursor, "expected the end of the extras")) }
}

fn fail(cursor: &TextCursor<'_>, why: impl Into<String>) -> DependencyError {
    DependencyError { at: cursor.at, why: why.into() }
}

/// Reads ASCII letters, digits and `._-`, from a letter or digit to the last word character.
fn identifier<'a>(cursor: &mut TextCursor<'a>) -> Option<&'a str> {
    let rest = cursor.rest();
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    let end = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
    let found = rest[..end].trim_end_matches(['.', '-']);
    let cuts_a_word = rest[found.len()..].starts_with(|next: char| next.is_alphanumeric());
    if !found.starts_with(|first: char| first.is_ascii_alphanumeric()) || cuts_a_word {
        return None;
    }
    cursor.at += found.len();
    Some(found)
}

fn name(cursor: &mut TextCursor<'_>) -> Result<PackageName, DependencyError> {
    let start = cursor.at;
    let Some(text) = identifier(cursor) else {
        let why = match cursor.peek() {
            Some('\'' | '"') => "a requirement is written without quotes",
            _ => "expected a project name: ASCII letters, digits, `.`, `_` and `-`",
        };
        return Err(fail(cursor, why));
    };
    let wrong = |_| DependencyError { at: start, why: format!("`{text}` is no project name: it ends in `_`") };
    text.parse().map_err(wrong)
}

fn extras(cursor: &mut TextCursor<'_>) -> Result<Vec<ExtraName>, DependencyError> {
    let start = cursor.at;
    if !cursor.eat("[") {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    cursor.blanks();
    while !cursor.eat("]") {
        if cursor.is_done() {
            return Err(DependencyError { at: start, why: "this `[` is never closed".into() });
        }
        found.push(extra(cursor)?);
        cursor.blanks();
        if cursor.eat(",") {
            cursor.blanks();
            if cursor.peek() == Some(']') {
                return Err(fail(cursor, "expected an extra after the comma"));
            }
        } else if !cursor.rest().starts_with(']') && !cursor.is_done() {
            return Err(fail(cursor, "expected `,` or `]` after an extra"));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn extra(cursor: &mut TextCursor<'_>) -> Result<ExtraName, DependencyError> {
    let start = cursor.at;
    let text = identifier(cursor).ok_or_else(|| fail(cursor, "expected the name of an extra"))?;
    text.parse().map_err(|_| DependencyError { at: start, why: format!("`{text}` is no name of an extra") })
}

fn url(cursor: &mut TextCursor<'_>) -> Result<DependencySource, DependencyError> {
    cursor.blanks();
    let url = cursor.take_while(|character| !matches!(character, ' ' | '\t'));
    match url {
        "" => Err(fail(cursor, "expected a URL after `@`")),
        url => Ok(DependencySource::Url(url.to_owned())),
    }
}

fn versions(cursor: &mut TextCursor<'_>) -> Result<DependencySource, DependencyError> {
    let open = cursor.at;
    let is_enclosed = cursor.eat("(");
    let end = if is_enclosed { [')', ';'] } else { [';', ';'] };
    let start = cursor.at;
    let text = cursor.take_while(|character| !end.contains(&character));
    if is_enclosed && !cursor.eat(")") {
        return Err(DependencyError { at: open, why: "this `(` is never closed".into() });
    }
    if let Some(at) = swallowed_comma(text) {
        let why = "`===` takes everything up to a blank: put one before the comma";
        return Err(DependencyError { at: start + at, why: why.into() });
    }
    if let Some((at, blank)) = odd_blank(text) {
        let why = format!("the blank here is no space but U+{:04X}: type it anew", u32::from(blank));
        return Err(DependencyError { at: start + at, why });
    }
    match text.parse() {
        Ok(specifiers) => Ok(DependencySource::Versions(specifiers)),
        Err(error) => Err(explain(text, &error, start)),
    }
}

/// Finds a blank beside a clause that is neither a space nor a tab, as copied from a web page; pip
/// refuses it.
fn odd_blank(text: &str) -> Option<(usize, char)> {
    let is_odd = |blank: char| blank.is_whitespace() && !matches!(blank, ' ' | '\t');
    let mut start = 0;
    text.split(',').find_map(|clause| {
        let own = start;
        start += clause.len() + 1;
        let bare = clause.trim_matches([' ', '\t']);
        let is_at_an_edge = bare.starts_with(is_odd) || bare.ends_with(is_odd);
        clause.char_indices().find(|(_, blank)| is_at_an_edge && is_odd(*blank)).map(|(at, blank)| (own + at, blank))
    })
}

/// Finds a comma that belongs to the `===` before it, although a blank follows: `===1.0, <2`.
fn swallowed_comma(text: &str) -> Option<usize> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("===") {
        let version = after.trim_start();
        let length = version.find(char::is_whitespace)?;
        rest = version[length..].trim_start();
        let comma = version[..length].find(',').filter(|_| !rest.is_empty() && !rest.starts_with(','));
        if let Some(comma) = comma {
            return Some(text.len() - version.len() + comma);
        }
    }
    None
}

/// Returns an error that points at the invalid clause, and names the usual mistake.
fn explain(text: &str, error: &SpecifierError, start: usize) -> DependencyError {
    let clause = error.clause.trim();
    let within = text.find(clause).unwrap_or_default();
    let has_operator = |text: &str| text.starts_with(['=', '!', '~', '<', '>']);
    let second = clause.split_whitespace().skip(1).find(|word| has_operator(word));
    let (offset, why) = match clause.split_whitespace().next() {
        None => {
            let why = "no version stands before this comma; each project has a line of its own";
            return DependencyError { at: start + comma_without_clause(text), why: why.into() };
        }
        Some(word) if is_marker_variable(word) => (0, "a marker needs a `;` before it".into()),
        Some(_) if !has_operator(clause) => {
            (0, format!("`{clause}` cannot stand here: a version needs an operator such as `==`"))
        }
        Some(_) if clause.starts_with('=') && !clause.starts_with("==") => (0, error.why.clone()),
        Some(_) if second.is_some() => {
            let offset = second.and_then(|word| clause.rfind(word)).unwrap_or_default();
            (offset, "a comma is missing between two version clauses".into())
        }
        _ => (0, error.to_string()),
    };
    DependencyError { at: start + within + offset, why }
}

/// Returns the position of the first comma without a clause before it.
fn comma_without_clause(text: &str) -> usize {
    let commas = text.match_indices(',').map(|(at, _)| at);
    let mut lonely = commas.filter(|at| matches!(text[..*at].trim_end().chars().next_back(), None | Some(',')));
    lonely.next().unwrap_or_default()
}

fn is_marker_variable(word: &str) -> bool {
    ["python_", "os_name", "sys_platform", "platform_", "implementation_"].iter().any(|start| word.starts_with(start))
}

fn marker(cursor: &mut TextCursor<'_>) -> Result<Marker, DependencyError> {
    cursor.blanks();
    if cursor.is_done() {
        return Ok(Marker::ALWAYS);
    }
    if !cursor.eat(";") {
        return Err(fail(cursor, "expected ` ;` and a marker, or the end of the requirement"));
    }
    let start = cursor.at;
    cursor.rest().parse().map_err(|error: DependencyError| DependencyError { at: start + error.at, ..error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let dependency: Dependency = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let extras: Vec<_> = dependency.extras.iter().map(ToString::to_string).collect();
        let source = match dependency.source {
            DependencySource::Versions(specifiers) => specifiers.to_string(),
            DependencySource::Url(url) => url,
        };
        let marker = dependency.marker.text().unwrap_or_default();
        format!("{}|{}|{source}|{marker}", dependency.name, extras.join(","))
    }

    #[test]
    fn what_pip_takes() {
        for (text, expected) in [
            ("foo", "foo|||"),
            ("Foo_.Bar [B_b, a,a] >= 1 , <2", "foo-bar|a,b-b|>=1, <2|"),
            ("foo==1.0,", "foo||==1.0|"),
            ("foo (>=1.0)", "foo||>=1.0|"),
            ("foo(>=1,<2)", "foo||>=1, <2|"),
            ("foo()", "foo|||"),
            ("foo===1.0,<2", "foo||<2, ===1.0|"),
            ("foo[]", "foo|||"),
            ("foo===1.0.weird+x", "foo||===1.0.weird+x|"),
            ("foo@https://files.example/x.zip", "foo||https://files.example/x.zip|"),
            ("foo[x] @ https://files.example/x.zip ; os_name=='nt'", "foo|x|https://files.example/x.zip|os_name=='nt'"),
            ("foo>1;os_name=='a;b'", "foo||>1|os_name=='a;b'"),
        ] {
            assert_eq!(show(text), expected, "{text}");
        }
    }

    #[test]
    fn what_pip_refuses() {
        for (text, at, part) in [
            ("foo=1.0", 3, "did you mean `==`"),
            ("foo,==1.0", 3, "before this comma"),
            ("foo\u{a0}>=1", 3, "U+00A0"),
            ("foo >=1,\u{2009}<2", 8, "U+2009"),
            ("foo >=1\u{a0}; os_name == 'nt'", 7, "U+00A0"),
            ("foo>=1,,<2", 7, "before this comma"),
            ("foo, bar", 3, "a line of its own"),
            ("foo=>1.0", 3, "did you mean `>=`"),
            ("foo>1,=<2", 6, "did you mean `<=`"),
            ("foo >=1 <2", 8, "comma is missing"),
            ("foo==", 3, "specifier"),
            ("foo bar", 4, "operator"),
            ("foo python_version>'3'", 4, "`;` before it"),
            ("foo#bar", 3, "operator"),
            ("foo; python_version > 3", 22, "quotes"),
            ("foo;", 4, "expected a marker"),
            ("foo[,]", 4, "name of an extra"),
            ("foo[a,]", 6, "after the comma"),
            ("foo[a b]", 6, "`,` or `]`"),
            ("foo[a", 3, "never closed"),
            ("foo (>=1", 4, "never closed"),
            ("foo @ https://files.example/x y.zip", 30, "` ;`"),
            ("foo @", 5, "URL"),
            ("'foo'", 0, "without quotes"),
            ("-foo", 0, "project name"),
            ("fooé", 0, "project name"),
            ("foo_", 0, "ends in `_`"),
            ("foo ===1.0, <2", 10, "before the comma"),
            ("", 0, "project name"),
        ] {
            let error = text.parse::<Dependency>().unwrap_err();
            assert!(error.why.contains(part), "{text}: {error}");
            assert_eq!(error.at, at, "{text}: {error}");
        }
    }
}
