//! Dependency groups of a pyproject.toml (PEP 735), including the groups that they include.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::locking::Fault;
use crate::domain::GroupName;

/// The table `[dependency-groups]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct DependencyGroups(BTreeMap<String, Vec<Entry>>);

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    Requirement(String),
    Include {
        #[serde(rename = "include-group")]
        group: String,
    },
}

/// A requirement of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub text: String,
    /// The group in which it is written.
    pub group: String,
}

/// What was collected of a group so far.
#[derive(Default)]
struct Collected {
    members: Vec<Member>,
    /// The groups that are being read, each included by the one before.
    open: Vec<GroupName>,
    /// Every group that was begun, which is read once however often it is included.
    begun: BTreeSet<GroupName>,
}

impl DependencyGroups {
    /// Returns the names of the groups as written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns the groups by their normalized names; of several with one name the first counts.
    pub fn index(&self) -> GroupIndex<'_> {
        let named = self.0.iter().rev().filter_map(|(name, entries)| Some((name.parse().ok()?, (&**name, &**entries))));
        GroupIndex(named.collect())
    }
}

/// The groups of a project by their names.
pub(super) struct GroupIndex<'a>(BTreeMap<GroupName, (&'a str, &'a [Entry])>);

/// The number of groups of which each includes the next.
const DEEPEST: usize = 100;

impl GroupIndex<'_> {
    /// Returns the requirements of a group and of all that it includes.
    ///
    /// # Errors
    /// When an included group does not exist, a group includes itself, or groups are nested too deeply.
    pub fn members(&self, group: &GroupName) -> Result<Vec<Member>, Fault> {
        let mut collected = Collected::default();
        self.collect(group, &mut collected)?;
        Ok(collected.members)
    }

    fn collect(&self, wanted: &GroupName, collected: &mut Collected) -> Result<(), Fault> {
        if collected.open.contains(wanted) {
            let names: Vec<_> = collected.open.iter().chain([wanted]).map(ToString::to_string).collect();
            return Err(format!("the group `{wanted}` includes itself: {}", names.join(" → ")));
        }
        if collected.open.len() == DEEPEST {
            return Err(format!("the group `{}` includes others more than {DEEPEST} deep", collected.open[0]));
        }
        if !collected.begun.insert(wanted.clone()) {
            return Ok(());
        }
        let Some((name, entries)) = self.0.get(wanted) else {
            return Err(format!("the group `{wanted}` is included, and there is none"));
        };
        collected.open.push(wanted.clone());
        for entry in *entries {
            match entry {
                Entry::Requirement(text) => {
                    collected.members.push(Member { text: text.clone(), group: (*name).to_owned() });
                }
                Entry::Include { group } => {
                    let group = group.parse().map_err(|_| format!("`{group}` is no name of a group"))?;
                    self.collect(&group, collected)?;
                }
            }
        }
        collected.open.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_include_each_other_and_never_themselves() {
        let text = "dev = ['a', {include-group = 'Test_It'}]\ntest-it = ['b']\nround = [{include-group = 'trip'}]\ntrip = \
                    [{include-group = 'round'}]\nlost = [{include-group = 'nowhere'}]\n";
        let groups: DependencyGroups = toml::from_str(text).unwrap();
        let members = |name: &str| groups.index().members(&name.parse().unwrap());
        let texts: Vec<_> = members("dev").unwrap().into_iter().map(|member| member.text).collect();
        assert_eq!(texts, ["a", "b"]);
        assert!(members("round").unwrap_err().contains("round → trip → round"));
        let twice = |number: usize| {
            format!("g{number} = [{{include-group = 'g{0}'}}, {{include-group = 'g{0}'}}]\n", number + 1)
        };
        let many: String = (0..60).map(twice).chain(["g60 = ['deep']\n".to_owned()]).collect();
        let many: DependencyGroups = toml::from_str(&many).unwrap();
        assert_eq!(many.index().members(&"g0".parse().unwrap()).unwrap().len(), 1, "each is read once");
        let chain = |number: usize| format!("g{number} = [{{include-group = 'g{}'}}]\n", number + 1);
        let deep: String = (0..200).map(chain).chain(["g200 = []\n".to_owned()]).collect();
        let deep: DependencyGroups = toml::from_str(&deep).unwrap();
        let of = |name: &str| deep.index().members(&name.parse().unwrap());
        assert!(of("g0").unwrap_err().contains("more than 100 deep") && of("g101").is_ok());
        assert!(members("lost").unwrap_err().contains("`nowhere` is included"));
    }
}
