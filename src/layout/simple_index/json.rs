//! Generates the JSON pages of the index (PEP 691) with sizes and versions (PEP 700).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::{Digest, PackageName, Version};

use super::super::html::href;
use super::{IndexedProject, PageEntry};

/// Returns the page of one project, with the files that the page `held` of an earlier run lists and
/// that still exist, as `is_held` says of their names.
pub fn project(
    name: &PackageName,
    project: &IndexedProject<'_>,
    held: Option<&[u8]>,
    is_held: impl Fn(&str) -> bool,
) -> Vec<u8> {
    let held: HeldPage = held.and_then(|page| serde_json::from_slice(page).ok()).unwrap_or_default();
    let stays = |file: &JsonFile<'_>| !project.files.contains_key(&*file.filename) && is_held(&file.filename);
    let held_files: Vec<_> = held.files.into_iter().filter(stays).collect();
    // A version may have no files (PEP 700).
    let held_versions = if held_files.is_empty() { Vec::new() } else { held.versions };
    let held_versions = held_versions.iter().filter_map(|version| version.parse::<Version>().ok());
    let versions: BTreeSet<_> =
        project.versions.iter().map(|version| (*version).clone()).chain(held_versions).collect();
    let mut files: Vec<_> = project.files.values().map(JsonFile::of).chain(held_files).collect();
    files.sort_by(|one, other| one.filename.cmp(&other.filename));
    let meta = if files.iter().all(|file| file.size.is_some()) { META } else { META_WITHOUT_SIZES };
    text(&ProjectPage { meta, name, versions: versions.iter().map(ToString::to_string).collect(), files })
}

/// Returns the page that lists all projects.
pub fn root<'a>(names: impl Iterator<Item = &'a PackageName>) -> Vec<u8> {
    text(&RootPage { meta: META, projects: names.map(|name| ProjectEntry { name }).collect() })
}

fn text(page: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(page).expect("strings and numbers can always be written");
    bytes.push(b'\n');
    bytes
}

/// The API version 1.1, the first with sizes and versions (PEP 700).
const META: Meta = Meta { api_version: "1.1" };

/// The API version 1.0: later ones promise the size of each file, which another index may not state.
const META_WITHOUT_SIZES: Meta = Meta { api_version: "1.0" };

#[derive(Serialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: &'static str,
}

#[derive(Serialize)]
struct RootPage<'a> {
    meta: Meta,
    projects: Vec<ProjectEntry<'a>>,
}

#[derive(Serialize)]
struct ProjectEntry<'a> {
    name: &'a PackageName,
}

#[derive(Serialize)]
struct ProjectPage<'a> {
    meta: Meta,
    name: &'a PackageName,
    versions: Vec<String>,
    files: Vec<JsonFile<'a>>,
}

/// The parts of an earlier run's page that are kept.
#[derive(Default, Deserialize)]
struct HeldPage {
    versions: Vec<String>,
    files: Vec<JsonFile<'static>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct JsonFile<'a> {
    filename: Cow<'a, str>,
    url: String,
    hashes: Hashes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upload_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_python: Option<String>,
    yanked: YankedValue<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// The digest of the metadata sidecar, under the key of PEP 714 only: pip 22.3 to 23.1 fail on
    /// an object under the older `dist-info-metadata`, and no client reads that key alone.
    core_metadata: Option<Hashes>,
}

/// Digests in hex, by the names of their algorithms.
type Hashes = BTreeMap<String, String>;

fn hashes(digest: &Digest) -> Hashes {
    [(digest.algorithm.name().to_owned(), digest.hex.to_string())].into()
}

/// The value of `yanked`: the reason, or `true` for an empty one, which pip would take for `false`
/// (`docs/facts/pip.md` 3.3).
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum YankedValue<'a> {
    Flag(bool),
    Reason(Cow<'a, str>),
}

impl<'a> JsonFile<'a> {
    fn of(file: &PageEntry<'a>) -> Self {
        Self {
            filename: Cow::Borrowed(file.filename),
            url: href(file.filename),
            hashes: file.digest.as_ref().map(hashes).unwrap_or_default(),
            size: file.size,
            upload_time: file.uploaded.map(|uploaded| uploaded.to_string()),
            requires_python: file.requires_python.map(ToString::to_string),
            yanked: match file.yanked.0.as_deref() {
                None => YankedValue::Flag(false),
                Some("") => YankedValue::Flag(true),
                Some(reason) => YankedValue::Reason(Cow::Borrowed(reason)),
            },
            core_metadata: file.metadata.as_ref().map(hashes),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::Fetched;

    use super::super::{IndexFile, projects};
    use super::*;
    use crate::layout::test_fixtures::{fetched, file, object, package};

    fn project_of(fetched: &Fetched) -> serde_json::Value {
        let files: Vec<_> = fetched.files().map(|(package, file)| IndexFile::of(package, file)).collect();
        let (name, found) = projects(&files).pop_first().unwrap();
        serde_json::from_slice(&project(name, &found, None, |_| false)).unwrap()
    }

    /// Keys and types as PEP 691, 700 and 714 have them.
    #[test]
    fn a_project_page() {
        let mut wheel = file("demo-1.10+x-py3-none-any.whl", b"wheel");
        wheel.metadata = Some(object(b"metadata"));
        wheel.link.requires_python = Some(">=3.8".parse().unwrap());
        wheel.link.yanked.0 = Some("bad".into());
        let other = package("demo", "1.9", vec![file("demo-1.9.zip", b"source")]);
        let world = fetched(vec![package("demo", "1.10+x", vec![wheel]), other]);
        let metadata = "45447b7afbd5e544f7d0f1df0fccd26014d9850130abd3f020b89ff96b82079f";
        let expected = serde_json::json!({
            "meta": {"api-version": "1.1"},
            "name": "demo",
            "versions": ["1.9", "1.10+x"],
            "files": [
                {
                    "filename": "demo-1.10+x-py3-none-any.whl",
                    "url": "demo-1.10%2Bx-py3-none-any.whl",
                    "hashes": {"sha256": "ba59926159d2aa256eb8739b8da7e2b574b960e1202c6d624cbe981cef996c91"},
                    "size": 5,
                    "requires-python": ">=3.8",
                    "yanked": "bad",
                    "core-metadata": {"sha256": metadata},
                },
                {
                    "filename": "demo-1.9.zip",
                    "url": "demo-1.9.zip",
                    "hashes": {"sha256": "41cf6794ba4200b839c53531555f0f3998df4cbb01a4d5cb0b94e3ca5e23947d"},
                    "size": 6,
                    "yanked": false,
                },
            ],
        });
        assert_eq!(project_of(&world), expected);
    }

    #[test]
    fn an_empty_reason_is_a_withdrawal_too() {
        let mut yanked = file("demo-1.9.zip", b"source");
        yanked.link.yanked.0 = Some("".into());
        let world = fetched(vec![package("demo", "1.9", vec![yanked])]);
        assert_eq!(project_of(&world)["files"][0]["yanked"], true);
    }
}
