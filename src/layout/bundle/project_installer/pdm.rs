//! PDM: `pdm sync` with the project's untouched pdm.lock, for which the bundle has an index as files
//! that `PDM_PYPI_URL` names (`docs/facts/locks.md` 2). A project that names sources of its own is
//! not served: PDM would ask those.

use std::collections::BTreeMap;

use super::{BundleLocation, Pages, ProjectInstaller};
use crate::domain::{Fetched, FetchedFile, LockedProject, PackageName, SelectedGroups};
use crate::layout::WHEELS;
use crate::layout::html::{Anchor, href, page, restrictions};

/// Where the pages are.
const FOLDER: &str = "simple";

pub const INSTALLER: ProjectInstaller = ProjectInstaller {
    name: "pdm",
    lock: "pdm.lock",
    contents: Some(("simple/", "an index of the packages, for PDM")),
    files,
    preparation: None,
    options,
    variables,
    command: |_, _| "pdm sync".to_owned(),
    needs: Some("where PDM_PYPI_URL is the file: URL of FOLDER/simple"),
    lock_path: None,
};

fn variables(location: &BundleLocation<'_>) -> Vec<(&'static str, String)> {
    vec![("PDM_PYPI_URL", format!("{}{FOLDER}", location.url))]
}

/// Returns the options for what was selected; with a development group PDM leaves the others out,
/// without one `--prod` does.
fn options(groups: &SelectedGroups) -> Vec<String> {
    let named: Vec<_> = groups.groups.iter().map(AsRef::as_ref).filter(|group| *group != "default").collect();
    let switch = match (groups.project, named.is_empty()) {
        (false, _) => Some("--no-default".to_owned()),
        (true, true) => Some("--prod".to_owned()),
        (true, false) => None,
    };
    let extras = groups.extras.iter().map(AsRef::as_ref);
    switch.into_iter().chain(named.into_iter().chain(extras).map(|group| format!("--group {group}"))).collect()
}

fn files(project: &LockedProject, fetched: &Fetched) -> Result<Pages, String> {
    let text = project.text("pyproject.toml").ok_or("there is no pyproject.toml beside the lock")?;
    let document: toml::Table =
        text.parse().map_err(|error: toml::de::Error| format!("pyproject.toml: {}", error.message()))?;
    let pdm = document.get("tool").and_then(|tool| tool.get("pdm"));
    if pdm.is_some_and(|pdm| pdm.get("source").is_some()) {
        return Err("the project names sources of its own (tool.pdm.source), which PDM would ask".to_owned());
    }
    let mut projects: BTreeMap<&PackageName, Vec<&FetchedFile>> = BTreeMap::new();
    for (package, file) in fetched.files() {
        projects.entry(&package.name).or_default().push(file);
    }
    let pages = projects.into_iter().map(|(name, files)| {
        let anchors: Vec<_> = files.into_iter().map(anchor).collect();
        (format!("{FOLDER}/{name}/index.html"), page(&format!("Links for {name}"), &anchors))
    });
    Ok(pages.collect())
}

fn anchor(file: &FetchedFile) -> Anchor {
    let filename = &file.link.filename;
    Anchor {
        href: format!("../../{WHEELS}/{}#sha256={}", href(filename), file.object.sha256),
        text: filename.to_string(),
        attributes: restrictions(file.link.requires_python.as_ref(), &file.link.yanked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ProjectFile;
    use crate::layout::test_fixtures::{fetched, file, package};

    #[test]
    fn each_project_has_a_page_unless_the_project_names_sources() {
        let world = fetched(vec![package("demo", "1.0", vec![file("demo-1.0+x-py3-none-any.whl", b"wheel")])]);
        let project = |text: &str| LockedProject {
            format: "pdm.lock",
            groups: SelectedGroups::default(),
            is_default: true,
            default_index: None,
            files: vec![ProjectFile { path: "pyproject.toml".to_owned(), text: text.to_owned() }],
        };
        let pages = files(&project("[project]\nname = 'app'\n"), &world).unwrap();
        assert_eq!(pages[0].0, "simple/demo/index.html");
        let page = String::from_utf8_lossy(&pages[0].1).into_owned();
        assert!(page.contains("href=\"../../wheels/demo-1.0%2Bx-py3-none-any.whl#sha256="), "{page}");
        let own = files(&project("[[tool.pdm.source]]\nurl = 'https://index.example/simple'\n"), &world);
        assert!(own.unwrap_err().contains("tool.pdm.source"));
    }
}
