//! The core metadata that resolution needs: dependencies, required Python and extras.

use std::hash::Hash;
use std::str::FromStr;

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::lenient_dependency::repaired;
use super::{CoreMetadata, Dependency, ExtraName, MetadataSource, Specifiers};

/// The dependencies, required Python and extras of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResolutionMetadata {
    /// The `Requires-Dist` fields, in order.
    pub dependencies: Vec<Dependency>,
    /// The required Python; `None` also if the text is no specifier, since pip ignores such a text.
    pub requires_python: Option<Specifiers>,
    pub extras: Vec<ExtraName>,
    /// `Requires-Dist` lines that cannot be parsed even after repair; pip skips such a version.
    pub unreadable: Vec<String>,
    /// `Requires-Dist` lines that had to be repaired; pip 24.1 and later skips such a version, too.
    pub repaired: Vec<String>,
    pub source: MetadataSource,
}

/// Why the metadata of a file is not available.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetadataUnavailable {
    /// Only a build can tell the metadata.
    NeedsBuild,
    /// The metadata contradicts the file's name, or cannot be read, so the file is refused.
    Refused(String),
}

impl ResolutionMetadata {
    /// Reads the fields of core metadata.
    pub fn of(metadata: &CoreMetadata) -> Self {
        let mut parsed = Self {
            requires_python: metadata.requires_python.as_deref().and_then(|text| text.parse().ok()),
            extras: metadata.provides_extra.iter().filter_map(|extra| extra.parse().ok()).collect(),
            source: metadata.source,
            ..Self::default()
        };
        for line in &metadata.requires_dist {
            parsed.add_dependency(line);
        }
        parsed
    }

    /// Whether both have the same dependencies, Python and extras, in any order and spelling.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.requires_python == other.requires_python
            && set_of(&self.dependencies) == set_of(&other.dependencies)
            && set_of(&self.unreadable) == set_of(&other.unreadable)
    }

    /// Parses a dependency strictly, then repaired as uv does (`docs/facts/pip.md` 7.2).
    fn add_dependency(&mut self, line: &str) {
        if let Ok(dependency) = Dependency::from_str(line) {
            self.dependencies.push(dependency);
        } else if let Ok(dependency) = repaired(line).parse() {
            self.dependencies.push(dependency);
            if !is_tolerated(line) {
                self.repaired.push(line.to_owned());
            }
        } else {
            self.unreadable.push(line.to_owned());
        }
    }
}

fn set_of<T: Eq + Hash>(lines: &[T]) -> FxHashSet<&T> {
    lines.iter().collect()
}

/// Whether a comma at the end is the only mistake, which current pip tolerates.
fn is_tolerated(line: &str) -> bool {
    let (specifiers, marker) = line.split_once(';').unwrap_or((line, ""));
    let (specifiers, end) = match specifiers.trim_end().strip_suffix(')') {
        Some(specifiers) => (specifiers, ")"),
        None => (specifiers, ""),
    };
    let Some(specifiers) = specifiers.trim_end().strip_suffix(',') else { return false };
    let marker = if marker.is_empty() { String::new() } else { format!(" ;{marker}") };
    Dependency::from_str(&format!("{specifiers}{end}{marker}")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(lines: &[&str]) -> ResolutionMetadata {
        ResolutionMetadata::of(&CoreMetadata {
            requires_dist: lines.iter().map(|line| (*line).to_owned()).collect(),
            ..CoreMetadata::default()
        })
    }

    #[test]
    fn order_and_spelling_are_no_difference() {
        let all = parsed(&["six (>=1)", "idna; python_version < '3.9'"]);
        assert!(all.agrees_with(&parsed(&["idna ; python_version<'3.9'", "six>=1", "six>=1"])));
        for other in [&["six>=1"][..], &["six>=1", "idna"], &["six>=1", "idna; python_version < '3.9'", "evil"]] {
            assert!(!all.agrees_with(&parsed(other)) && !parsed(other).agrees_with(&all), "{other:?}");
        }
    }

    /// A search through all lines for each would take an hour.
    #[test]
    fn very_many_lines_are_compared_in_one_pass() {
        let lines: Vec<_> = (0..200_000).map(|number| format!("dep>={number}")).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let reversed: Vec<_> = lines.iter().rev().copied().collect();
        assert!(parsed(&lines).agrees_with(&parsed(&reversed)));
        assert!(!parsed(&lines).agrees_with(&parsed(&lines[1..])));
    }

    /// The rows of `docs/facts/pip.md` 7.2 that uv repairs, and those that cannot be repaired.
    #[test]
    fn old_lines_are_repaired_or_told() {
        for (line, version, taken) in [
            ("dep>=1.0.*", "1.5", true),
            ("dep (>=1.0.*)", "0.9", false),
            ("dep>1.*", "2.0", true),
            ("dep>=1.0<3", "3.0", false),
            ("dep >= '1.0'", "1.0", true),
            ("dep (>1.0,)", "1.1", true),
            ("dep (!=1.0,>=0.5,)", "1.0", false),
        ] {
            let parsed = parsed(&[line]);
            let is_pips = ["dep (>1.0,)", "dep (!=1.0,>=0.5,)"].contains(&line);
            assert_eq!(parsed.repaired.is_empty(), is_pips, "{line}");
            let [dependency] = parsed.dependencies.as_slice() else { panic!("{line}: {parsed:?}") };
            assert_eq!(dependency.source.specifiers().unwrap().contains(&version.parse().unwrap()), taken, "{line}");
        }
        for line in ["dep~=1", "dep~=1.0.*", "dep=1.0", "-e dep", "dep 1.0"] {
            assert_eq!(parsed(&[line, "other"]).unreadable, [line]);
        }
    }
}
