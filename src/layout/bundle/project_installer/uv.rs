//! uv: `uv sync --frozen` in a folder of the bundle that stands for the project.
//!
//! It has the project's own uv.lock with the wheels of the bundle in the place of its registries and
//! URLs, which is uv's notation for `--find-links` folders, and of each pyproject.toml what uv reads
//! of it (`docs/facts/locks.md` 1). The project itself stays as it is.

mod lock;
mod pyproject;
mod script;

pub use self::script::INSTALLER as SCRIPT_INSTALLER;

use super::{BundleLocation, Pages, ProjectInstaller};
use crate::domain::{Fetched, LockedProject, MemberSelection, SelectedGroups};

/// Where the project is.
const FOLDER: &str = "uv";

/// Where the wheels are from there.
const WHEELS: &str = "../wheels";

pub const INSTALLER: ProjectInstaller = ProjectInstaller {
    name: "uv",
    lock: "uv.lock",
    contents: Some(("uv/", "the project's own lock, with these packages in it, for uv")),
    files,
    preparation: None,
    options,
    variables,
    command: |_, folder| {
        format!(
            "uv sync --frozen --offline --no-install-workspace --project {folder}/{FOLDER} --find-links {folder}/wheels"
        )
    },
    needs: Some("where UV_PROJECT_ENVIRONMENT is the full path of the environment, such as the project's .venv"),
    lock_path: Some("uv/uv.lock"),
};

fn variables(location: &BundleLocation<'_>) -> Vec<(&'static str, String)> {
    let BundleLocation { path, url, project } = location;
    let switches = ["UV_FROZEN", "UV_OFFLINE", "UV_NO_INSTALL_WORKSPACE"].map(|name| (name, "1".to_owned()));
    let places = [
        ("UV_PROJECT", format!("{path}/{FOLDER}")),
        ("UV_PROJECT_ENVIRONMENT", format!("{project}/.venv")),
        // Builds of source archives find their requirements there.
        ("UV_FIND_LINKS", format!("{url}wheels")),
    ];
    switches.into_iter().chain(places).collect()
}

fn options(groups: &SelectedGroups) -> Vec<String> {
    let named = |option: &str, name: &str| format!("{option} {name}");
    let members = match &groups.members {
        MemberSelection::Root => Vec::new(),
        MemberSelection::All => vec!["--all-packages".to_owned()],
        MemberSelection::Named(members) => members.iter().map(|name| named("--package", name.as_ref())).collect(),
    };
    if !groups.project {
        let groups = groups.groups.iter().map(|group| named("--only-group", group.as_ref()));
        return members.into_iter().chain(groups).collect();
    }
    let of_groups = groups.groups.iter().map(|group| named("--group", group.as_ref()));
    let of_extras = groups.extras.iter().map(|extra| named("--extra", extra.as_ref()));
    members.into_iter().chain(["--no-default-groups".to_owned()]).chain(of_groups).chain(of_extras).collect()
}

fn files(project: &LockedProject, fetched: &Fetched) -> Result<Pages, String> {
    if project.text("pyproject.toml").is_none() {
        return Err("there is no pyproject.toml beside the lock".to_owned());
    }
    let lock = project.text("uv.lock").ok_or("it has another name, which uv does not read")?;
    let lock = lock::relocated(lock, fetched).map_err(|error| format!("uv.lock: {}", error.message()))?;
    let mut files = vec![(format!("{FOLDER}/uv.lock"), lock.into_bytes())];
    for file in project.files.iter().filter(|file| file.path.ends_with("pyproject.toml")) {
        let reduced = pyproject::reduced(&file.text).map_err(|error| format!("{}: {}", file.path, error.message()))?;
        files.push((format!("{FOLDER}/{}", file.path), reduced.into_bytes()));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ProjectFile;

    const LOCK: &str = "version = 1\n[[package]]\nname = \"app\"\nsource = { virtual = \".\" }\n";

    #[test]
    fn a_project_is_served_where_its_file_is_known() {
        let mut project = LockedProject {
            format: "uv.lock",
            groups: SelectedGroups::default(),
            is_default: true,
            default_index: None,
            files: vec![ProjectFile { path: "uv.lock".to_owned(), text: LOCK.to_owned() }],
        };
        assert!(files(&project, &Fetched::default()).unwrap_err().contains("no pyproject.toml"));
        for path in ["pyproject.toml", "packages/sub/pyproject.toml"] {
            project.files.push(ProjectFile { path: path.to_owned(), text: "[project]\nname = 'x'\n".to_owned() });
        }
        let paths: Vec<_> = files(&project, &Fetched::default()).unwrap().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["uv/uv.lock", "uv/pyproject.toml", "uv/packages/sub/pyproject.toml"]);
    }

    #[test]
    fn options_choose_what_was_chosen() {
        let mut groups = SelectedGroups { project: true, ..SelectedGroups::default() };
        groups.extras.insert("cpu".parse().unwrap());
        groups.groups.insert("dev".parse().unwrap());
        assert_eq!(options(&groups), ["--no-default-groups", "--group dev", "--extra cpu"]);
        assert_eq!(options(&SelectedGroups { project: false, ..groups }), ["--only-group dev"]);
        let members = MemberSelection::Named(["server".parse().unwrap()].into());
        let groups = SelectedGroups { project: true, members, ..SelectedGroups::default() };
        assert_eq!(options(&groups), ["--package server", "--no-default-groups"]);
    }
}
