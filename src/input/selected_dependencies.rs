//! The requirements of a project that the selected groups and extras ask for.

use super::project_dependencies::DeclaredDependency;
use crate::domain::{PackageName, SelectedGroups};

/// Returns `groups` with what the selected requirements ask of the project itself: a group or an extra that
/// names the project asks for its own dependencies, with the extras that it states.
pub(super) fn with_own<'a>(
    mut groups: SelectedGroups,
    project: Option<&PackageName>,
    asked: impl Iterator<Item = &'a DeclaredDependency> + Clone,
) -> SelectedGroups {
    loop {
        let before = groups.clone();
        for own in asked.clone().filter(|asked| Some(&asked.name) == project && asked.is_selected(&before)) {
            groups.project = true;
            groups.extras.extend(own.what.extras.iter().filter_map(|extra| extra.parse().ok()));
        }
        if groups == before {
            return groups;
        }
    }
}

/// Returns those of `asked` that the groups select, without the project itself.
pub(super) fn wanted(
    asked: Vec<DeclaredDependency>,
    project: Option<&PackageName>,
    groups: &SelectedGroups,
) -> Vec<DeclaredDependency> {
    asked.into_iter().filter(|asked| Some(&asked.name) != project && asked.is_selected(groups)).collect()
}

impl DeclaredDependency {
    /// Whether these groups and extras ask for it.
    pub fn is_selected(&self, groups: &SelectedGroups) -> bool {
        let of_group = self.group.as_ref().map_or(groups.project, |group| groups.groups.contains(group));
        of_group && self.extras.as_ref().is_none_or(|extras| !extras.is_disjoint(&groups.extras))
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::GroupSelection;
    use crate::input::fake_source::FakeSource;
    use crate::input::lock_tests::groups;
    use crate::input::{Location, ParsedInput, RequirementsReader, Role};

    fn read(text: &str, asked: GroupSelection) -> ParsedInput {
        let machine = FakeSource::new().file("/w/pyproject.toml", text);
        let mut reader = RequirementsReader::new(&machine).with_groups(asked);
        reader.file(&Location::parse("pyproject.toml"), Role::Requirements);
        reader.finish()
    }

    fn named(read: &ParsedInput) -> Vec<&str> {
        read.requirements.iter().filter_map(|one| Some(one.name.as_ref()?.as_ref())).collect()
    }

    /// As `uv export --only-group dev`.
    #[test]
    fn a_group_that_names_the_project_takes_it_with_the_extras() {
        let text = "[project]\nname = 'app'\ndependencies = ['core']\n[project.optional-dependencies]\nfast = \
                    ['speedups', 'app[more]']\nmore = ['extra']\nother = ['unwanted']\n[dependency-groups]\ndev = \
                    ['App[fast]', 'linter']\nbare = ['app']\nalone = ['tool']\n";
        let only = |name: &str| GroupSelection { only_groups: [name.parse().unwrap()].into(), ..groups(&[], &[]) };
        let dev = read(text, only("dev"));
        assert_eq!(named(&dev), ["core", "speedups", "extra", "linter"], "{:?}", dev.problems);
        assert_eq!(dev.projects.len(), 1, "the project itself is taken");
        assert_eq!(named(&read(text, only("bare"))), ["core"]);
        let alone = read(text, only("alone"));
        assert_eq!((named(&alone), alone.projects.len()), (vec!["tool"], 0));
        let dynamic = text.replace("dependencies = ['core']", "dynamic = ['dependencies']");
        assert!(read(&dynamic, only("dev")).problems[0].message.contains("its dependencies are dynamic"));
        assert!(!read(&dynamic, only("alone")).has_errors());
    }
}
