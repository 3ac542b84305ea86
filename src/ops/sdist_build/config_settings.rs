//! Config settings: what build backends are told (PEP 517).

use std::collections::BTreeMap;

use crate::domain::PackageName;

/// Settings of a build backend by key, with several values for a repeated one.
pub type BackendSettings = BTreeMap<String, Vec<String>>;

/// The config settings of a run: those for every archive, and those of a requirement for its
/// project.
#[derive(Clone, Debug, Default)]
pub struct ConfigSettings {
    pub all: BackendSettings,
    pub projects: BTreeMap<PackageName, BackendSettings>,
}

impl ConfigSettings {
    /// Returns the settings for the archives of `project`; its own replace those for all.
    pub fn of(&self, project: &PackageName) -> BackendSettings {
        let mut settings = self.all.clone();
        settings.extend(self.projects.get(project).cloned().unwrap_or_default());
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_a_project_replace_those_for_all() {
        let one = |key: &str, value: &str| (key.to_owned(), vec![value.to_owned()]);
        let [demo, other]: [PackageName; 2] = ["demo", "other"].map(|name| name.parse().unwrap());
        let all = BackendSettings::from([one("a", "1"), one("b", "1")]);
        let own = BackendSettings::from([one("b", "2"), one("c", "2")]);
        let settings = ConfigSettings { all: all.clone(), projects: BTreeMap::from([(demo.clone(), own)]) };
        assert_eq!(settings.of(&demo), BackendSettings::from([one("a", "1"), one("b", "2"), one("c", "2")]));
        assert_eq!(settings.of(&other), all);
    }
}
