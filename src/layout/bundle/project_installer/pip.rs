//! pip: `pip install -r pylock.toml` with the project's own pylock.toml, in which the files of the
//! bundle stand in the place of URLs (`docs/facts/locks.md` 5).
//!
//! The extras and groups that are packed can still be chosen; others are no longer in the lock.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::visit_mut::VisitMut;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, TomlError, Value};

use super::relocated_lock::{BuiltWheels, MaskCredentials, last_part};
use super::{BundleLocation, Pages, ProjectInstaller};
use crate::domain::{Fetched, FetchedFile, LockedProject, SelectedGroups};
use crate::layout::bundle::target_markers::TargetMarkers;

/// Where the lock is in the bundle.
const LOCK: &str = "pip/pylock.toml";

/// Where the wheels are from there.
const WHEELS: &str = "../wheels";

pub const INSTALLER: ProjectInstaller = ProjectInstaller {
    name: "pip",
    lock: "pylock.toml",
    contents: Some(("pip/", "the project's own lock, with these packages in it, for pip 26.1 and later")),
    files,
    preparation: None,
    options: |_| Vec::new(),
    variables: |_: &BundleLocation<'_>| Vec::new(),
    command: |project, folder| {
        let extras = project.extras.join(",");
        let lock =
            if extras.is_empty() { format!("{folder}/{LOCK}") } else { format!("\"{folder}/{LOCK}[{extras}]\"") };
        format!("python -m pip install --no-index -r {lock}")
    },
    needs: None,
    lock_path: Some(LOCK),
};

fn files(project: &LockedProject, fetched: &Fetched) -> Result<Pages, String> {
    let lock = project.files.first().ok_or("its text is not known")?;
    let text = relocated(&lock.text, &project.groups, fetched)
        .map_err(|error| format!("{}: {}", lock.path, error.message()))?;
    Ok(vec![(LOCK.to_owned(), text.into_bytes())])
}

/// Rewrites a pylock.toml to name the files of a bundle, and no others, for its targets alone.
///
/// # Errors
/// When it is no TOML.
fn relocated(lock: &str, groups: &SelectedGroups, fetched: &Fetched) -> Result<String, TomlError> {
    let mut document: DocumentMut = lock.trim_start_matches('\u{feff}').parse()?;
    let root = document.as_table_mut();
    let groups_taken: Vec<_> = groups.groups.iter().map(ToString::to_string).collect();
    set_list(root, "extras", &groups.extras.iter().map(ToString::to_string).collect::<Vec<_>>());
    set_list(root, "dependency-groups", &groups_taken);
    set_list(root, "default-groups", &groups_taken);
    set_list(root, "environments", &TargetMarkers::environments(fetched));
    let relocation = Relocation::of(fetched);
    retain(root, "packages", |package| relocation.relocate_package(package));
    MaskCredentials.visit_document_mut(&mut document);
    Ok(document.to_string())
}

/// Sets a list of the lock, or removes it if it would be empty.
fn set_list(root: &mut Table, key: &str, texts: &[String]) {
    match texts {
        [] => drop(root.remove(key)),
        texts => drop(root.insert(key, Item::Value(Array::from_iter(texts).into()))),
    }
}

/// Keeps the tables of a list for which `keep` says so, after it has changed them, and removes the
/// list if it is then empty.
fn retain(parent: &mut dyn TableLike, key: &str, mut keep: impl FnMut(&mut dyn TableLike) -> bool) {
    let Some(list) = parent.get_mut(key) else { return };
    let is_empty = if let Some(tables) = list.as_array_of_tables_mut() {
        let kept: Vec<_> = tables.iter_mut().map(|table| keep(table)).collect();
        let mut kept = kept.into_iter();
        tables.retain(|_| kept.next().unwrap_or_default());
        tables.is_empty()
    } else if let Some(values) = list.as_array_mut() {
        let kept: Vec<_> =
            values.iter_mut().map(|value| value.as_inline_table_mut().is_some_and(|table| keep(table))).collect();
        let mut kept = kept.into_iter();
        values.retain(|_| kept.next().unwrap_or_default());
        values.is_empty()
    } else {
        false
    };
    if is_empty {
        parent.remove(key);
    }
}

/// Adds tables to a list.
fn extend(parent: &mut dyn TableLike, key: &str, tables: Vec<InlineTable>) {
    for table in tables {
        let list = parent.entry(key).or_insert_with(|| Item::Value(Array::new().into()));
        match list.as_array_of_tables_mut() {
            Some(list) => list.push(table.into_table()),
            None => list.as_array_mut().into_iter().for_each(|list| list.push(table.clone())),
        }
    }
}

/// The files of a bundle.
struct Relocation<'a> {
    filenames: BTreeSet<&'a str>,
    /// The archives that repositories were packed into, by project.
    packed: BTreeMap<&'a str, &'a FetchedFile>,
    built: BuiltWheels<'a>,
}

impl<'a> Relocation<'a> {
    fn of(fetched: &'a Fetched) -> Self {
        let filenames = fetched.files().map(|(_, file)| &*file.link.filename).collect();
        let packed = fetched.files().filter(|(_, file)| file.link.vcs_info.is_some());
        let packed = packed.map(|(package, file)| (package.name.as_ref(), file)).collect();
        Self { filenames, packed, built: BuiltWheels::of(fetched) }
    }

    /// Rewrites the entry of a package; returns whether the bundle has a file of it.
    fn relocate_package(&self, package: &mut dyn TableLike) -> bool {
        package.remove("index");
        if package.remove("vcs").is_some() {
            let name = package.get("name").and_then(Item::as_str).unwrap_or_default();
            let packed = self.packed.get(name).map(|file| archive(file));
            packed.is_some_and(|archive| {
                package.insert("archive", Item::Value(archive.into()));
                true
            })
        } else {
            for key in ["archive", "sdist"] {
                let file = package.get_mut(key).and_then(Item::as_table_like_mut);
                if file.is_some_and(|file| !self.relocate_file(file)) {
                    package.remove(key);
                }
            }
            retain(package, "wheels", |wheel| self.relocate_file(wheel));
            let built: Vec<_> = self.built.of_entry(package.get("name"), package.get("version")).map(archive).collect();
            extend(package, "wheels", built);
            ["archive", "sdist", "wheels"].iter().any(|key| package.contains_key(key))
        }
    }

    /// Rewrites a file of the lock to name its path in the bundle; returns whether the bundle has it.
    fn relocate_file(&self, file: &mut dyn TableLike) -> bool {
        let text = |key: &str| file.get(key).and_then(Item::as_str);
        let named = text("name").map(str::to_owned);
        let Some(filename) = named.or_else(|| text("url").or(text("path")).map(last_part)) else { return false };
        file.remove("url");
        file.insert("path", Item::Value(format!("{WHEELS}/{filename}").into()));
        self.filenames.contains(filename.as_str())
    }
}

fn archive(file: &FetchedFile) -> InlineTable {
    let hashes = InlineTable::from_iter([("sha256", file.object.sha256.to_string())]);
    let path = format!("{WHEELS}/{}", file.link.filename);
    InlineTable::from_iter([("path", Value::from(path)), ("hashes", hashes.into())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::test_fixtures::{built_wheel, fetched, file, package};

    const LOCK: &str = r#"lock-version = "1.0"
created-by = "somebody"
extras = ["speed", "slow"]
dependency-groups = ["dev", "docs"]
default-groups = ["docs"]

[[packages]]
name = "demo"
version = "1.0"
index = "https://me:hunter2@index.example/simple"
wheels = [
    { url = "https://files.example/demo-1.0%2Bx-py3-none-any.whl", hashes = { sha256 = "1" } }, # kept
    { url = "https://files.example/demo-1.0-cp39-none-any.whl", hashes = { sha256 = "2" } },
]

[[packages]]
name = "made"
[packages.vcs]
type = "git"
url = "https://me:hunter2@git.example/made"
commit-id = "0123"

[[packages]]
name = "app"
[packages.directory]
path = "."

[[packages]]
name = "tables"
version = "2.0"
marker = "'speed' in extras"
[[packages.wheels]]
name = "tables-2.0-py3-none-any.whl"
url = "https://files.example/tables"
[packages.wheels.hashes]
sha256 = "3"
[packages.sdist]
url = "https://files.example/tables-2.0.tar.gz"
"#;

    #[test]
    fn a_lock_keeps_what_is_packed_and_names_the_files_of_the_bundle_alone() {
        let mut made = file("made-1.0.tar.gz", b"made");
        made.link.vcs_info = Some(std::sync::Arc::new(crate::domain::VcsInfo {
            url: "https://git.example/made".to_owned(),
            requested_revision: None,
            commit_id: "0123".to_owned(),
            subdirectory: None,
        }));
        let world = fetched(vec![
            package("demo", "1.0", vec![file("demo-1.0+x-py3-none-any.whl", b"demo")]),
            package("made", "1.0", vec![made]),
            package("tables", "2.0", vec![file("tables-2.0-py3-none-any.whl", b"tables"), built_wheel("tables")]),
        ]);
        let mut groups = SelectedGroups { project: true, ..SelectedGroups::default() };
        groups.extras.insert("speed".parse().unwrap());
        groups.groups.insert("dev".parse().unwrap());
        let text = relocated(LOCK, &groups, &world).unwrap();
        assert!(!text.contains("://") && !text.contains("hunter2"), "{text}");
        let lock: toml::Table = text.parse().unwrap();
        for (key, expected) in [("extras", "speed"), ("dependency-groups", "dev"), ("default-groups", "dev")] {
            assert_eq!(lock[key].as_array().unwrap(), &[toml::Value::from(expected)], "{key}");
        }
        let [demo, made, tables] = lock["packages"].as_array().unwrap().as_slice() else { panic!("{text}") };
        assert_eq!(demo["wheels"].as_array().unwrap().len(), 1);
        assert_eq!(demo["wheels"][0]["path"].as_str(), Some("../wheels/demo-1.0+x-py3-none-any.whl"));
        assert_eq!(demo["wheels"][0]["hashes"]["sha256"].as_str(), Some("1"));
        assert_eq!(made["archive"]["path"].as_str(), Some("../wheels/made-1.0.tar.gz"));
        assert_eq!(tables["wheels"][0]["path"].as_str(), Some("../wheels/tables-2.0-py3-none-any.whl"));
        assert_eq!(tables["wheels"][1]["path"].as_str(), Some("../wheels/tables-1.0-py3-none-any.whl"));
        assert!(tables.get("sdist").is_none() && tables["marker"].as_str() == Some("'speed' in extras"));
    }
}
