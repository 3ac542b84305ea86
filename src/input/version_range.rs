//! Parses version constraints as Poetry writes them: `^1.2`, `~1.2`, `1.*`, `>=2,<3 || >=4`.

use std::fmt;
use std::str::FromStr;

use crate::domain::{Specifiers, Version};

/// The versions that a constraint allows.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionRange {
    /// The constraint as written.
    text: String,
    /// The alternatives, of which one must hold.
    alternatives: Vec<Specifiers>,
}

impl VersionRange {
    /// Whether the constraint allows `version`.
    pub fn contains(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|specifiers| specifiers.contains(version))
    }

    /// Returns the alternatives, one of which must hold.
    pub fn alternatives(&self) -> &[Specifiers] {
        &self.alternatives
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Specifiers> for VersionRange {
    fn from(specifiers: Specifiers) -> Self {
        Self { text: specifiers.to_string(), alternatives: vec![specifiers] }
    }
}

impl FromStr for VersionRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: String| format!("`{text}` is no version constraint: {why}");
        let alternatives = text.split('|').map(str::trim);
        // `a||b` splits into three.
        let is_gap = |(at, part): &(usize, &str)| *at > 0 && part.is_empty();
        let alternatives = alternatives.enumerate().filter(|part| !is_gap(part)).map(|(_, part)| conjunction(part));
        Ok(Self { text: text.to_owned(), alternatives: alternatives.collect::<Result<_, _>>().map_err(wrong)? })
    }
}

/// Parses clauses separated by commas or blanks, all of which must hold.
fn conjunction(text: &str) -> Result<Specifiers, String> {
    let mut clauses: Vec<String> = Vec::new();
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        match clauses.last_mut().filter(|last| last.ends_with(['=', '<', '>', '^', '~', '!'])) {
            // `>= 1.0`: a blank after the operator.
            Some(last) => last.push_str(word),
            None => clauses.push(word.to_owned()),
        }
    }
    let mut all = Specifiers::any();
    for clause in clauses {
        all = all.and(&self::clause(&clause)?);
    }
    Ok(all)
}

fn clause(text: &str) -> Result<Specifiers, String> {
    if text == "*" {
        return Ok(Specifiers::any());
    }
    if let Some(version) = text.strip_prefix('^') {
        return between(version, breaking(version)?);
    }
    if let Some(version) = text.strip_prefix('~').filter(|rest| !rest.starts_with('=')) {
        return between(version, following(version)?);
    }
    // `>=3.5.*`, as old metadata has it.
    let is_ordered = text.starts_with(['<', '>']);
    let text = text.strip_suffix(".*").filter(|_| is_ordered).unwrap_or(text);
    let has_operator = text.starts_with(['=', '<', '>', '!', '~']);
    let text = match text.strip_prefix('=').filter(|rest| !rest.starts_with('=')) {
        Some(version) => format!("=={version}"),
        None if has_operator => text.to_owned(),
        None => format!("=={text}"),
    };
    text.parse::<Specifiers>().map_err(|error| error.to_string())
}

fn between(from: &str, to: Version) -> Result<Specifiers, String> {
    format!(">={from},<{to}").parse::<Specifiers>().map_err(|error| error.to_string())
}

fn version(text: &str) -> Result<Version, String> {
    text.parse().map_err(|_| format!("`{text}` is no version"))
}

/// Returns the first version that `^` excludes: the leftmost number that is not zero is raised; of
/// zeros alone, the last one.
fn breaking(text: &str) -> Result<Version, String> {
    let version = version(text)?;
    let release = version.release();
    let place = release.iter().position(|number| *number != 0).unwrap_or(release.len() - 1);
    Ok(raised(&version, place))
}

/// Returns the first version that `~` excludes: the second number is raised, or the only one.
fn following(text: &str) -> Result<Version, String> {
    let version = version(text)?;
    Ok(raised(&version, version.release().len().min(2) - 1))
}

fn raised(version: &Version, place: usize) -> Version {
    let mut release: Vec<_> = version.release()[..=place].to_vec();
    release[place] = release[place].saturating_add(1);
    Version::new(release).with_epoch(version.epoch())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poetrys_constraints_mean_what_poetry_says() {
        for (text, inside, outside) in [
            ("^1.2.3", "1.2.3 1.9", "1.2.2 2.0"),
            ("^0.2.3", "0.2.3 0.2.9", "0.3.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("^0.0", "0.0.9", "0.1"),
            ("^0", "0.9", "1.0"),
            ("~1.2.3", "1.2.9", "1.3"),
            ("~1.2", "1.2.9", "1.3"),
            ("~1", "1.9", "2.0"),
            ("~=1.2.3", "1.2.9", "1.3"),
            ("1.2", "1.2 1.2.0", "1.2.1"),
            ("1.*", "1.9", "2.0"),
            (">=3.*, !=3.0.*", "3.1 4", "3.0.1 2.7"),
            ("=1.2", "1.2", "1.3"),
            ("*", "0.1 9", ""),
            ("", "0.1 9", ""),
            (">=2.7, <2.8 || >=3.4", "2.7.18 3.9", "3.3"),
            (">= 1.0 <2", "1.5", "2.0"),
            ("!=1.5,>1", "1.6", "1.5 1"),
        ] {
            let range: VersionRange = text.parse().unwrap();
            let holds = |version: &str| range.contains(&version.parse().unwrap());
            assert!(inside.split_whitespace().all(holds), "{text}: {inside}");
            assert!(!outside.split_whitespace().any(holds), "{text}: {outside}");
        }
        for text in ["^", "^x", "1.2 latest", "~"] {
            assert!(text.parse::<VersionRange>().is_err(), "{text}");
        }
    }
}
