//! Identifiers inside a document, which may consist of few characters and must differ.

use std::collections::BTreeMap;

use crate::domain::Sha256;

/// Identifiers that were given, each for one text.
#[derive(Default)]
pub struct Identifiers(BTreeMap<String, String>);

impl Identifiers {
    /// The identifier of `text`, always the same: its letters, digits, dots and dashes behind
    /// `prefix`, and some of its digest where another text has that already.
    pub fn of(&mut self, prefix: &str, text: &str) -> String {
        let plain = format!("{prefix}{}", slug(text));
        let digest = &Sha256::of(text.as_bytes()).to_string()[..8];
        let candidates = [plain.clone(), format!("{plain}-{digest}")];
        let is_free = |name: &&String| !name.ends_with('-') && self.0.get(*name).is_none_or(|held| held == text);
        let name = candidates.iter().find(is_free).unwrap_or(&candidates[1]).clone();
        self.0.insert(name.clone(), text.to_owned());
        name
    }
}

fn slug(text: &str) -> String {
    let kept = |character: char| if character.is_ascii_alphanumeric() || character == '.' { character } else { '-' };
    let text: String = text.chars().map(kept).collect();
    text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_plain_and_differ() {
        let mut names = Identifiers::default();
        assert_eq!(names.of("Ref-", "BSD License (3)"), "Ref-BSD-License-3");
        assert_eq!(names.of("Ref-", "BSD License (3)"), "Ref-BSD-License-3");
        assert_eq!(names.of("Ref-", "BSD License, 3"), "Ref-BSD-License-3-85676d36");
        assert!(names.of("Ref-", "许可").starts_with("Ref--"));
    }
}
