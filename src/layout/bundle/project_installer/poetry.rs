//! Poetry: `poetry install` with the project's untouched poetry.lock, for which the bundle fills a cache
//! folder of Poetry (`docs/facts/locks.md` 4).
//!
//! The bundle has the answers of the project's indexes, as if these had the bundle's files only, in the
//! HTTP caches of Poetry before 2.4 and since. A script fills the cache folder with them and links the
//! files into it, so that no archive has them twice.

mod cache;
mod project;
mod releases;

use self::cache::PoetryCache;
use self::project::{PoetryProject, PoetryRepository};
use self::releases::PoetryRelease;
use super::{BundleLocation, Pages, Preparation, ProjectInstaller};
use crate::domain::{Fetched, LockedProject, SelectedGroups};
use crate::layout::bundle::target_markers::TargetMarkers;
use crate::layout::pip_http_cache::entry::HTML;

/// Where the cache is.
const FOLDER: &str = "poetry";

/// The script that fills a cache folder.
const SCRIPT_PATH: &str = "poetry/fill_cache.py";

const SCRIPT: &str = include_str!("../scripts/fill_cache.py");

/// The group of the project's own dependencies.
const MAIN: &str = "main";

pub const INSTALLER: ProjectInstaller = ProjectInstaller {
    name: "poetry",
    lock: "poetry.lock",
    contents: Some(("poetry/", "the answers of indexes, for the cache folder of Poetry")),
    files,
    preparation: Some(Preparation { script: SCRIPT_PATH, argument: cache_folder }),
    options,
    variables,
    command: |_, _| "poetry install".to_owned(),
    needs: Some(
        "after `python FOLDER/poetry/fill_cache.py CACHE`, where POETRY_CACHE_DIR is the full path of CACHE and \
         POETRY_VIRTUALENVS_IN_PROJECT is true",
    ),
    lock_path: None,
};

/// Returns a folder beside the bundle, since Poetry writes to its cache.
fn cache_folder(location: &BundleLocation<'_>) -> String {
    format!("{}-poetry-cache", location.path)
}

fn variables(location: &BundleLocation<'_>) -> Vec<(&'static str, String)> {
    // New environments would be in the cache folder otherwise.
    vec![("POETRY_CACHE_DIR", cache_folder(location)), ("POETRY_VIRTUALENVS_IN_PROJECT", "true".to_owned())]
}

/// Returns the options for what was selected; `--only` names every group, also that of the project
/// itself.
fn options(groups: &SelectedGroups) -> Vec<String> {
    let named = groups.groups.iter().map(AsRef::as_ref).filter(|group| *group != MAIN);
    let has_main = groups.project || groups.groups.iter().any(|group| group.as_ref() == MAIN);
    let only: Vec<_> = has_main.then_some(MAIN).into_iter().chain(named).collect();
    let extras = groups.extras.iter().map(|extra| format!("--extras {extra}"));
    std::iter::once(format!("--only {}", only.join(","))).chain(extras).collect()
}

fn files(project: &LockedProject, fetched: &Fetched) -> Result<Pages, String> {
    let project = PoetryProject::of(project, fetched)?;
    let markers = TargetMarkers::of(fetched);
    let releases: Vec<_> = fetched.packages.iter().filter_map(|package| PoetryRelease::of(package, &markers)).collect();
    let mut cache = PoetryCache::default();
    for release in &releases {
        cache.add_files(release, project.direct_url(release));
        for repository in project.repositories_of(release) {
            add_answers(&mut cache, (&project, repository), &releases, release)?;
        }
    }
    let mut pages = cache.into_pages(FOLDER);
    pages.push((SCRIPT_PATH.to_owned(), SCRIPT.as_bytes().to_vec()));
    Ok(pages)
}

/// Adds what a repository answers about a release; where something is built, also what Poetry's
/// resolver asks of the requirements of builds.
fn add_answers(
    cache: &mut PoetryCache,
    (project, repository): (&PoetryProject, &PoetryRepository),
    releases: &[PoetryRelease<'_>],
    release: &PoetryRelease<'_>,
) -> Result<(), String> {
    const JSON: &str = "application/json";
    const SIMPLE: &str = "application/vnd.pypi.simple.v1+json";
    let of_project: Vec<_> = releases.iter().filter(|other| other.name() == release.name()).collect();
    match repository {
        PoetryRepository::Default { base } => {
            let url = |path: &str| base.join(path).map_err(|error| error.to_string());
            let answer = url(&format!("pypi/{}/{}/json", release.name(), project.spelling(release)))?;
            cache.add_answer(repository.name(), &answer, JSON, &release.json());
            if project.has_builds {
                let url = url(&format!("simple/{}/", release.name()))?;
                cache.add_answer(repository.name(), &url, SIMPLE, &releases::simple_json(&of_project));
            }
        }
        PoetryRepository::Named { url, .. } => {
            let page = url.project_page(release.name());
            cache.add_answer(repository.name(), &page, HTML, &releases::links(&of_project));
            for (url, metadata) in release.metadata().filter(|_| project.has_builds) {
                cache.add_answer(repository.name(), &url, "text/plain", metadata.as_bytes());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::ProjectFile;
    use crate::layout::test_fixtures::{fetched, file, package};

    const LOCK: &str = "[[package]]\nname = 'Demo'\nversion = '1.0'\nfiles = []\n[[package]]\nname = 'own'\nversion = \
                        '2.0'\nfiles = []\n[package.source]\ntype = 'legacy'\nurl = 'https://me:hunter2@own.example/simple'\nreference \
                        = 'Own'\n";

    const PROJECT: &str = "[[tool.poetry.source]]\nname = 'Own'\nurl = 'https://me:hunter2@own.example/simple/'\n";

    fn project(lock: &str) -> LockedProject {
        let files = [("poetry.lock", lock), ("pyproject.toml", PROJECT)];
        LockedProject {
            format: "poetry.lock",
            groups: SelectedGroups::default(),
            is_default: true,
            default_index: Some("https://index.example/simple".parse().unwrap()),
            files: files
                .map(|(path, text)| ProjectFile { path: path.to_owned(), text: text.to_owned() })
                .into_iter()
                .collect(),
        }
    }

    fn world(more: &[&str]) -> Fetched {
        let mut packages = vec![
            package("demo", "1.0", vec![file("demo-1.0+x-py3-none-any.whl", b"demo")]),
            package("own", "2.0", vec![file("own-2.0-py3-none-any.whl", b"own")]),
        ];
        packages
            .extend(more.iter().map(|name| package(name, "3.0", vec![file(&format!("{name}-3.0.tar.gz"), b"sdist")])));
        fetched(packages)
    }

    fn pages(lock: &str, world: &Fetched) -> Result<BTreeMap<String, Vec<u8>>, String> {
        files(&project(lock), world).map(|pages| pages.into_iter().collect())
    }

    /// Paths by Python: `hashlib.sha224(b"https://index.example/pypi/demo/1.0/json")` and so on.
    #[test]
    fn each_release_has_an_answer_where_poetry_looks() {
        let pages = pages(LOCK, &world(&[])).unwrap();
        let demo = "b/6/6/1/f/b661f72586150c0c59073e1afe84139d5055ff659ebcbffc5603df65";
        let has = |start: &str| pages.keys().filter(|path| path.starts_with(start)).count();
        assert_eq!(has(&format!("poetry/cache/repositories/PyPI/_http_/{demo}")), 2, "{:?}", pages.keys());
        assert_eq!(has(&format!("poetry/cache/repositories/PyPI/_http/{demo}")), 1);
        assert_eq!((has("poetry/cache/repositories/PyPI/"), has("poetry/cache/repositories/Own/")), (3, 3));
        let text: String = pages.values().map(|bytes| String::from_utf8_lossy(bytes)).collect();
        assert!(!text.contains("hunter2") && text.contains("\"requires_dist\":[]"));
    }

    /// By Python: the SHA-256 of `json.dumps({"sha256": …, "url": …}, sort_keys=True, separators=(",", ":"))`.
    #[test]
    fn files_have_a_place_where_poetry_keeps_downloads() {
        let pages = pages(LOCK, &world(&[])).unwrap();
        let artifacts: BTreeMap<String, String> = serde_json::from_slice(&pages["poetry/artifacts.json"]).unwrap();
        let place = artifacts.iter().find(|(_, name)| *name == "own-2.0-py3-none-any.whl").unwrap().0;
        assert_eq!(
            place,
            "f4/e4/0e/29e23ec1ac966d015dda79727adf1579e598ed6e2da5d4fbfbe782a74d/own-2.0-py3-none-any.whl"
        );
    }

    #[test]
    fn builds_bring_what_the_resolver_of_poetry_asks() {
        let pages = pages(LOCK, &world(&["tool"])).unwrap();
        let of = |name: &str| pages.keys().filter(|path| path.contains(&format!("/{name}/_http/"))).count();
        // Of each of three packages a release and a page; a page of each, and the metadata of two wheels.
        assert_eq!((of("PyPI"), of("Own")), (6, 5));
    }

    #[test]
    fn what_poetry_would_ask_elsewhere_is_refused() {
        let git = "[[package]]\nname = 'demo'\nversion = '1.0'\n[package.source]\ntype = 'git'\nurl = 'https://git.example/demo'\n";
        assert!(pages(git, &world(&[])).unwrap_err().contains("demo is of a repository"));
        let unknown = LockedProject { default_index: None, ..project(LOCK) };
        assert!(files(&unknown, &world(&[])).unwrap_err().contains("default index"));
    }

    #[test]
    fn options_choose_what_was_chosen() {
        let mut groups = SelectedGroups { project: true, ..SelectedGroups::default() };
        assert_eq!(options(&groups), ["--only main"]);
        groups.groups.insert("dev".parse().unwrap());
        groups.extras.insert("pg".parse().unwrap());
        assert_eq!(options(&groups), ["--only main,dev", "--extras pg"]);
        assert_eq!(options(&SelectedGroups { project: false, ..groups })[0], "--only dev");
    }
}
