//! Converts requirement lines of setuptools into those of core metadata.

use std::collections::HashSet;

use crate::domain::{CoreMetadata, Dependency, Marker, ResolutionMetadata};

/// Returns a line of a section for `extra` (or none) under `marker` (or none) as a build would
/// write it.
///
/// Returns `None` if it is no requirement, even repaired, since what a build would make of it is
/// not known.
pub fn from_section(line: &str, extra: &str, marker: &str) -> Option<String> {
    let (what, own) = split_marker(line);
    let extra = if extra.is_empty() { String::new() } else { format!("extra == {}", quoted(extra)?) };
    let parts: Vec<_> = [own, marker, &extra].into_iter().filter(|part| !part.is_empty()).collect();
    let marker = match parts.as_slice() {
        [] => String::new(),
        [only] => format!(" ; {only}"),
        several => format!(" ; {}", several.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" and ")),
    };
    let line = format!("{}{marker}", what.trim());
    dependency(&line).map(|_| line)
}

/// Parses a line, repaired if necessary.
pub fn dependency(line: &str) -> Option<Dependency> {
    let metadata = CoreMetadata { requires_dist: vec![line.to_owned()], ..CoreMetadata::default() };
    let mut needs = ResolutionMetadata::of(&metadata);
    if needs.unreadable.is_empty() { needs.dependencies.pop() } else { None }
}

/// Whether both are the same requirements in any order.
pub fn are_equal(some: &[String], others: &[String]) -> bool {
    canonical(some).is_some_and(|lines| Some(lines) == canonical(others))
}

/// Returns the lines that only one of them has; `None` if one cannot be read.
pub fn differing(some: &[String], others: &[String]) -> Option<Vec<String>> {
    let only = |own: &[String], other: &[String]| {
        let other = canonical(other)?;
        let mut lines = Vec::new();
        for line in own {
            let is_in_both = canonical(std::slice::from_ref(line))?.is_subset(&other);
            lines.extend((!is_in_both).then(|| line.clone()));
        }
        Some(lines)
    };
    Some([only(some, others)?, only(others, some)?].concat())
}

/// Returns the requirements in a canonical spelling, each with its marker.
fn canonical(lines: &[String]) -> Option<HashSet<(String, Marker)>> {
    let line = |line: &String| {
        let Dependency { name, extras, source, marker } = dependency(line)?;
        let extras: Vec<_> = extras.iter().map(ToString::to_string).collect();
        let source = match source.specifiers() {
            Some(specifiers) => {
                let mut clauses: Vec<_> = specifiers.clauses().iter().map(ToString::to_string).collect();
                clauses.sort_unstable();
                clauses.dedup();
                clauses.join(",")
            }
            None => format!("{source:?}"),
        };
        Some((format!("{name}[{}]{source}", extras.join(",")), marker))
    };
    lines.iter().map(line).collect()
}

/// Splits a line into requirement and marker; in a URL only a semicolon after a space begins a
/// marker (PEP 508).
fn split_marker(line: &str) -> (&str, &str) {
    let parts = if line.contains('@') && line.contains("://") { line.split_once(" ;") } else { line.split_once(';') };
    parts.map_or((line, ""), |(what, marker)| (what, marker.trim()))
}

/// Returns an extra as a string of a marker.
fn quoted(extra: &str) -> Option<String> {
    let is_plain = !extra.contains(['\'', '"', '\\']);
    is_plain.then(|| format!("'{extra}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_becomes_a_marker() {
        let line = |line: &str, extra: &str, marker: &str| from_section(line, extra, marker);
        assert_eq!(line("six", "", "").as_deref(), Some("six"));
        assert_eq!(line("six", "x", "").as_deref(), Some("six ; extra == 'x'"));
        let url = line("six @ https://index.example/a;b ; os_name == 'nt'", "x", "").unwrap();
        assert_eq!(url, "six @ https://index.example/a;b ; (os_name == 'nt') and (extra == 'x')");
        assert_eq!(line("no requirement", "", ""), None);
        assert_eq!(line("six", "", "nonsense"), None);
    }

    #[test]
    fn spelling_and_order_make_no_difference() {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        assert!(are_equal(
            &lines(&["A_b>=1,<2", "c; python_version<'3'"]),
            &lines(&["c ; python_version < \"3\"", "a-b <2, >=1"])
        ));
        assert!(!are_equal(&lines(&["a"]), &lines(&["a>=1"])));
        assert!(!are_equal(&lines(&["a"]), &lines(&["a; os_name == 'nt'"])));
        assert!(!are_equal(&lines(&["a b"]), &lines(&["a b"])));
    }
}
