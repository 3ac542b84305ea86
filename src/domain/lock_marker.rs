//! Markers of lock files (PEP 751), which can also depend on the selected extras and dependency
//! groups.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use super::marker::{Expression, List, parse_expression};
use super::{DependencyError, ExtraName, GroupName, MarkerEnvironment};

/// The selected extras and groups for which a marker is evaluated.
#[derive(Clone, Debug, Default)]
pub struct MarkerSets {
    /// The extras for `extra == 'x'` and `'x' in extras`.
    pub extras: BTreeSet<ExtraName>,
    /// The groups for `'x' in dependency_groups`.
    pub groups: BTreeSet<GroupName>,
}

/// A marker of a lock file.
#[derive(Clone, Debug, PartialEq)]
pub struct LockMarker(Expression);

impl LockMarker {
    /// Whether the marker holds in `environment` with these extras and groups.
    pub fn holds(&self, environment: &MarkerEnvironment, sets: &MarkerSets) -> bool {
        holds(&self.0, environment, sets)
    }

    /// Whether the marker depends on the environment alone.
    pub fn is_about_environment(&self) -> bool {
        is_about_environment(&self.0)
    }
}

impl FromStr for LockMarker {
    type Err = DependencyError;

    fn from_str(text: &str) -> Result<Self, DependencyError> {
        parse_expression(text).map(Self)
    }
}

fn holds(expression: &Expression, environment: &MarkerEnvironment, sets: &MarkerSets) -> bool {
    let each = |expression: &Expression| holds(expression, environment, sets);
    match expression {
        Expression::One(comparison) => match comparison.asked_extra() {
            Some((name, negated)) => sets.extras.iter().any(|extra| extra.as_ref() == name) != negated,
            None => comparison.holds(environment, ""),
        },
        Expression::Member(asked) => {
            let has = match asked.list {
                List::Extras => sets.extras.contains(&asked.name),
                List::DependencyGroups => sets.groups.contains(&GroupName::from(asked.name.clone())),
            };
            has != asked.negated
        }
        Expression::All(all) => all.iter().all(each),
        Expression::Any(all) => all.iter().any(each),
    }
}

fn is_about_environment(expression: &Expression) -> bool {
    match expression {
        Expression::One(comparison) => comparison.asked_extra().is_none(),
        Expression::Member(_) => false,
        Expression::All(all) | Expression::Any(all) => all.iter().all(is_about_environment),
    }
}

/// A marker of a [`MarkerTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkerId(usize);

/// The distinct markers of one lock, each parsed once and evaluated once for a target.
#[derive(Clone, Debug, Default)]
pub struct MarkerTable {
    known: HashMap<String, MarkerId>,
    markers: Vec<LockMarker>,
}

impl MarkerTable {
    /// Adds the marker in `text`, unless it is known already.
    ///
    /// # Errors
    /// When the text is no marker.
    pub fn add(&mut self, text: &str) -> Result<MarkerId, DependencyError> {
        if let Some(known) = self.known.get(text) {
            return Ok(*known);
        }
        let id = MarkerId(self.markers.len());
        self.markers.push(text.parse()?);
        self.known.insert(text.to_owned(), id);
        Ok(id)
    }

    /// Evaluates the markers in `environment`, as far as it decides them.
    pub fn evaluate<'t>(&'t self, environment: &'t MarkerEnvironment) -> EvaluatedMarkers<'t> {
        let nothing = MarkerSets::default();
        let decided = self.markers.iter().map(|marker| {
            let is_decided = marker.is_about_environment();
            is_decided.then(|| marker.holds(environment, &nothing))
        });
        EvaluatedMarkers { table: self, environment, decided: decided.collect() }
    }
}

/// A [`MarkerTable`] in one environment.
#[derive(Debug)]
pub struct EvaluatedMarkers<'t> {
    table: &'t MarkerTable,
    environment: &'t MarkerEnvironment,
    /// The markers that the environment alone decides.
    decided: Vec<Option<bool>>,
}

impl EvaluatedMarkers<'_> {
    /// Whether the marker holds with these extras and groups; no marker always holds.
    pub fn holds(&self, marker: Option<MarkerId>, sets: &MarkerSets) -> bool {
        marker.is_none_or(|MarkerId(id)| {
            self.decided[id].unwrap_or_else(|| self.table.markers[id].holds(self.environment, sets))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::spec;
    use super::*;

    #[test]
    fn lists_and_extras_are_sets() {
        let target = spec(Some("cp"), Some("3.12"), Some("linux-x86_64")).resolve(None).unwrap();
        let sets = MarkerSets {
            extras: ["a-b".parse().unwrap()].into(),
            groups: ["dev".parse().unwrap(), "test".parse().unwrap()].into(),
        };
        for (text, expected) in [
            ("'A_b' in extras", true),
            ("'dev' in extras", false),
            ("'dev' in dependency_groups and 'test' in dependency_groups", true),
            ("'a-b' not in dependency_groups", true),
            ("extra == 'a.b' and sys_platform == 'linux'", true),
            ("extra != 'a.b' or sys_platform == 'win32'", false),
            ("python_version < '3.9' or 'docs' in dependency_groups", false),
        ] {
            let mut table = MarkerTable::default();
            let id = table.add(text).unwrap();
            assert_eq!(table.evaluate(target.markers()).holds(Some(id), &sets), expected, "{text}");
        }
        let refused = "extras == 'a'".parse::<LockMarker>().unwrap_err();
        assert!(refused.why.contains("write `'name' in extras`"), "{refused}");
    }
}
