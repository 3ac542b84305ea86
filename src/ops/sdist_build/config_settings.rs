//! Config settings: what build backends are told (PEP 517).

use std::collections::BTreeMap;

use crate::domain::PackageName;

/// Settings by key, with several values for a repeated one.
pub type Settings = BTreeMap<String, Vec<String>>;

/// The config settings of a run: those for every archive, and those of a requirement for its
/// project.
#[derive(Clone, Debug, Default)]
pub struct ConfigSettings {
    pub all: Settings,
    pub projects: BTreeMap<PackageName, Settings>,
}

impl ConfigSettings {
    /// Returns the settings for the archives of `project`; its own replace those for all.
    pub fn of(&self, project: &PackageName) -> Settings {
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
        let all = Settings::from([one("a", "1"), one("b", "1")]);
        let own = Settings::from([one("b", "2"), one("c", "2")]);
        let settings = ConfigSettings { all: all.clone(), projects: BTreeMap::from([(demo.clone(), own)]) };
        assert_eq!(settings.of(&demo), Settings::from([one("a", "1"), one("b", "2"), one("c", "2")]));
        assert_eq!(settings.of(&other), all);
    }
}
