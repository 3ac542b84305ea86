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

    /// Returns the requirements of a group and of all that it includes.
    ///
    /// # Errors
    /// When an included group does not exist, or a group includes itself.
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
        if !collected.begun.insert(wanted.clone()) {
            return Ok(());
        }
        let is_wanted = |(name, _): &(&String, &Vec<Entry>)| name.parse().as_ref() == Ok(wanted);
        let Some((name, entries)) = self.0.iter().find(is_wanted) else {
            return Err(format!("the group `{wanted}` is included, and there is none"));
        };
        collected.open.push(wanted.clone());
        for entry in entries {
            match entry {
                Entry::Requirement(text) => {
                    collected.members.push(Member { text: text.clone(), group: name.clone() });
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
        let members = |name: &str| groups.members(&name.parse().unwrap());
        let texts: Vec<_> = members("dev").unwrap().into_iter().map(|member| member.text).collect();
        assert_eq!(texts, ["a", "b"]);
        assert!(members("round").unwrap_err().contains("round → trip → round"));
        let twice = |number: usize| {
            format!("g{number} = [{{include-group = 'g{0}'}}, {{include-group = 'g{0}'}}]\n", number + 1)
        };
        let many: String = (0..60).map(twice).chain(["g60 = ['deep']\n".to_owned()]).collect();
        let many: DependencyGroups = toml::from_str(&many).unwrap();
        assert_eq!(many.members(&"g0".parse().unwrap()).unwrap().len(), 1, "each is read once");
        assert!(members("lost").unwrap_err().contains("`nowhere` is included"));
    }
}
