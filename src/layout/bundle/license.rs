//! Reads a licence as metadata states it in terms of the SPDX licence list.

use std::fmt;

use spdx::identifiers::LICENSES;
use spdx::{Expression, LicenseItem, LicenseReq, ParseMode};

/// A licence as a project states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum License {
    /// An SPDX licence expression, maybe with `LicenseRef-…` identifiers that the project defines.
    Expression(String),
    /// Free text that does not name one licence of the list for certain, such as `BSD License`.
    Words(String),
}

/// Parses as the SPDX standard says, but accepts deprecated identifiers.
const MODE: ParseMode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };

impl License {
    /// Reads a licence: a valid expression, or the identifier or full name of a listed licence in
    /// any case, maybe followed by an abbreviation (`Mozilla Public License 2.0 (MPL 2.0)`).
    ///
    /// Nothing else is guessed at: `BSD` may be one of several licences.
    pub fn of(words: &str) -> Self {
        let expression = listed(words).map(str::to_owned).or_else(|| with_upper_operators(words));
        expression.map_or_else(|| Self::Words(words.to_owned()), Self::Expression)
    }

    /// Returns the identifier if the expression is a single licence of the list.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Expression(text) if spdx::license_id(text).is_some_and(|id| id.name == text) => Some(text),
            _ => None,
        }
    }

    /// Returns the `LicenseRef-…` identifiers in the expression.
    pub fn references(&self) -> Vec<String> {
        let Self::Expression(text) = self else { return Vec::new() };
        let expression = Expression::parse_mode(text, MODE);
        let requirements = expression.iter().flat_map(Expression::requirements);
        let items = requirements.map(|requirement| &requirement.req.license);
        items.filter(|item| matches!(item, LicenseItem::Other(_))).map(ToString::to_string).collect()
    }
}

impl fmt::Display for License {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expression(text) | Self::Words(text) => f.write_str(text),
        }
    }
}

/// Returns the identifier of the licence whose identifier or full name is `words`.
fn listed(words: &str) -> Option<&'static str> {
    let licenses = || LICENSES.iter().filter(|license| !NO_LICENSES.contains(&license.name));
    let is_called = |name: &str| {
        let by_id = licenses().find(|license| license.name.eq_ignore_ascii_case(name));
        by_id.or_else(|| licenses().find(|license| license.full_name.eq_ignore_ascii_case(name)))
    };
    let without_abbreviation = || words.strip_suffix(')')?.rsplit_once(" (").map(|(name, _)| name);
    let found = is_called(words).or_else(|| is_called(without_abbreviation()?));
    found.map(|license| license.name)
}

/// Entries of the `spdx` crate's list that are no whole licences: `NOASSERTION`, and names that
/// need `-only` or `-or-later`.
const NO_LICENSES: [&str; 7] = [
    "NOASSERTION",
    "GFDL-1.1-invariants",
    "GFDL-1.1-no-invariants",
    "GFDL-1.2-invariants",
    "GFDL-1.2-no-invariants",
    "GFDL-1.3-invariants",
    "GFDL-1.3-no-invariants",
];

/// Returns `words` as an expression with `AND`, `OR` and `WITH` in upper case, as SPDX 2.3
/// requires, or `None` if it is no valid expression.
fn with_upper_operators(words: &str) -> Option<String> {
    let operator = |word: &&str| ["AND", "OR", "WITH"].into_iter().find(|known| known.eq_ignore_ascii_case(word));
    let parts: Vec<_> = words.split_whitespace().map(|word| operator(&word).unwrap_or(word)).collect();
    let text = parts.join(" ");
    let expression = Expression::parse_mode(&text, MODE).ok()?;
    let is_known = expression.requirements().all(|requirement| is_understood(&requirement.req));
    is_known.then_some(text)
}

/// Whether a term of an expression is a known licence that needs no other document to be
/// understood.
fn is_understood(requirement: &LicenseReq) -> bool {
    let is_license = match &requirement.license {
        LicenseItem::Spdx { id, .. } => !NO_LICENSES.contains(&id.name),
        LicenseItem::Other(reference) => reference.doc_ref.is_none(),
    };
    is_license && requirement.addition.as_ref().is_none_or(|addition| addition.id().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_name_one_licence_are_that_licence() {
        for (words, expected) in [
            ("MIT", "MIT"),
            ("mit", "MIT"),
            ("MIT License", "MIT"),
            ("Apache License 2.0", "Apache-2.0"),
            ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
            ("MIT or Apache-2.0", "MIT OR Apache-2.0"),
            ("(MIT AND Zlib) OR GPL-3.0", "(MIT AND Zlib) OR GPL-3.0"),
            ("Apache-2.0 with LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
            ("LicenseRef-Own AND 0BSD", "LicenseRef-Own AND 0BSD"),
        ] {
            assert_eq!(License::of(words), License::Expression(expected.into()), "{words}");
        }
    }

    #[test]
    fn nothing_is_guessed_at() {
        for words in [
            "BSD",
            "BSD License",
            "Apache Software License",
            "GPL",
            "NOASSERTION",
            "MIT OR NOASSERTION",
            "Dual License",
            "MIT/X11",
            "MIT, Apache-2.0",
            "MIT OR",
            "DocumentRef-a:LicenseRef-b",
            "Apache-2.0 WITH AdditionRef-b",
            "",
            "()",
            "</script>",
        ] {
            assert_eq!(License::of(words), License::Words(words.into()));
        }
    }

    #[test]
    fn single_licences_and_own_references_are_told() {
        let license = License::of("LicenseRef-Own AND (MIT OR LicenseRef-b)");
        assert_eq!(license.references(), ["LicenseRef-Own", "LicenseRef-b"]);
        assert_eq!(License::of("mit").id(), Some("MIT"));
        assert_eq!([License::of("MIT OR Zlib").id(), License::of("GPL-2.0+ OR MIT").id(), license.id()], [None; 3]);
    }
}
