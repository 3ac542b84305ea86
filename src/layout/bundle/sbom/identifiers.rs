//! Identifiers inside an SPDX document, which are limited to few characters and must be unique.

use std::collections::BTreeMap;

use crate::domain::Sha256;

/// The identifiers given so far, each with the text that it stands for.
#[derive(Default)]
pub struct Identifiers(BTreeMap<String, String>);

impl Identifiers {
    /// Returns the identifier of `text`, the same at every call: `prefix`, its letters, digits,
    /// dots and dashes, and a part of its digest if another text has that identifier already.
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
