//! pipenv: `pipenv sync` with the project's untouched Pipfile.lock; pip finds the wheels by its
//! variables (`docs/facts/locks.md` 3).

use super::{BundleLocation, ProjectInstaller};
use crate::domain::SelectedGroups;
use crate::layout::WHEELS;

pub const INSTALLER: ProjectInstaller = ProjectInstaller {
    name: "pipenv",
    lock: "Pipfile.lock",
    contents: None,
    files: |_, _| Ok(Vec::new()),
    preparation: None,
    options,
    variables,
    command: |_, _| "pipenv sync".to_owned(),
    needs: Some("where PIP_NO_INDEX is 1, and PIP_FIND_LINKS is the full path of FOLDER/wheels"),
    lock_path: None,
};

fn variables(location: &BundleLocation<'_>) -> Vec<(&'static str, String)> {
    vec![("PIP_NO_INDEX", "1".to_owned()), ("PIP_FIND_LINKS", format!("{}{WHEELS}", location.url))]
}

/// Returns the options for what was selected; pipenv calls the categories `default` and `develop` by
/// the tables of the Pipfile.
fn options(groups: &SelectedGroups) -> Vec<String> {
    let table = |category: &str| match category {
        "default" => "packages".to_owned(),
        "develop" => "dev-packages".to_owned(),
        other => other.to_owned(),
    };
    let mut tables: Vec<_> = groups.groups.iter().map(|group| table(group.as_ref())).collect();
    if groups.project && !tables.iter().any(|table| table == "packages") {
        tables.insert(0, "packages".to_owned());
    }
    vec![format!("--categories \"{}\"", tables.join(" "))]
}
