//! A project's uv.lock with the wheels of a bundle in the place of its registries and URLs.

use std::collections::BTreeSet;

use toml_edit::visit_mut::VisitMut;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TomlError, Value};

use super::super::relocated_lock::{BuiltWheels, MaskCredentials, last_part};
use super::WHEELS;
use crate::domain::Fetched;

/// Rewrites a uv.lock to name the files of a bundle, and no others: uv takes the best file of a
/// lock, and fails where it is not there.
///
/// # Errors
/// When it is no TOML.
pub fn relocated(lock: &str, fetched: &Fetched) -> Result<String, TomlError> {
    let mut document: DocumentMut = lock.parse()?;
    let mut relocation = Relocation::of(fetched);
    relocation.members = members(&document);
    if let Some(packages) = document.get_mut("package").and_then(Item::as_array_of_tables_mut) {
        relocation.relocate_packages(packages);
    }
    MaskCredentials.visit_document_mut(&mut document);
    Ok(document.to_string())
}

/// Returns the project and the members of its workspace.
fn members(document: &DocumentMut) -> BTreeSet<String> {
    let listed = document.get("manifest").and_then(|manifest| manifest.get("members")).and_then(Item::as_array);
    let listed = listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let packages = document.get("package").and_then(Item::as_array_of_tables);
    let is_top = |package: &&Table| {
        let source = package.get("source").and_then(Item::as_inline_table);
        source.is_some_and(|source| FOLDERS.iter().any(|key| source.get(key).and_then(Value::as_str) == Some(".")))
    };
    let top = packages.into_iter().flatten().filter(is_top).filter_map(|package| text(package, "name"));
    listed.chain(top).collect()
}

/// The keys of sources that are folders.
const FOLDERS: [&str; 3] = ["editable", "directory", "virtual"];

/// The files of a bundle, and what the registries of a lock become.
struct Relocation<'a> {
    fetched: &'a Fetched,
    filenames: BTreeSet<&'a str>,
    built: BuiltWheels<'a>,
    /// The registries, in the order in which they occur.
    registries: Vec<String>,
    /// The packages that are the project and the members of its workspace.
    members: BTreeSet<String>,
}

/// Where a package of a lock comes from, as far as its files differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SourceKind {
    Registry,
    /// An archive by URL or path, which the bundle has.
    Archive,
    /// A repository of which the bundle has an archive, or an archive of which it has a built wheel.
    Replaced,
    /// A folder, or what the bundle does not have.
    Untouched,
}

impl<'a> Relocation<'a> {
    fn of(fetched: &'a Fetched) -> Self {
        let filenames = fetched.files().map(|(_, file)| &*file.link.filename).collect();
        let built = BuiltWheels::of(fetched);
        Self { fetched, filenames, built, registries: Vec::new(), members: BTreeSet::new() }
    }

    fn relocate_packages(&mut self, packages: &mut ArrayOfTables) {
        for package in packages.iter_mut() {
            let name = text(package, "name").unwrap_or_default();
            let old = package.get("source").and_then(Item::as_inline_table).cloned().unwrap_or_default();
            let source = package.get_mut("source").and_then(Item::as_inline_table_mut);
            let kind = source.map_or(SourceKind::Untouched, |source| self.relocate_source(&name, source));
            self.relocate_files(package, kind, &old, &name);
            for key in ["dependencies", "optional-dependencies", "dev-dependencies"] {
                package.get_mut(key).into_iter().for_each(|item| self.relocate_edges(item));
            }
        }
    }

    /// Rewrites the sources of edges: of a list, or of lists by extra or group.
    fn relocate_edges(&mut self, item: &mut Item) {
        if let Some(lists) = item.as_table_like_mut() {
            lists.iter_mut().for_each(|(_, list)| self.relocate_edges(list));
        }
        for edge in item.as_array_mut().into_iter().flat_map(Array::iter_mut).filter_map(Value::as_inline_table_mut) {
            let name = edge.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(source) = edge.get_mut("source").and_then(Value::as_inline_table_mut) {
                self.relocate_source(&name, source);
            }
        }
    }

    /// Rewrites the source of the package `name`, if the bundle has its files; returns what it was.
    fn relocate_source(&mut self, name: &str, source: &mut InlineTable) -> SourceKind {
        let get = |key: &str| source.get(key).and_then(Value::as_str).map(str::to_owned);
        if let Some(registry) = get("registry") {
            let folder = self.registry_folder(registry);
            *source = replaced(source, "registry", &folder);
            return SourceKind::Registry;
        }
        // The bundle has no folder of the project: what is virtual is not installed, but its needs are.
        if let Some(folder) = FOLDERS.iter().find_map(|key| get(key)).filter(|_| !self.members.contains(name)) {
            *source = replaced(source, "virtual", &folder);
            return SourceKind::Untouched;
        }
        let (kind, filename) = match (get("url").or(get("path")), get("git")) {
            (Some(place), _) => (SourceKind::Archive, Some(last_part(&place))),
            (None, Some(_)) => (SourceKind::Replaced, self.packed_archive_of(name)),
            (None, None) => return SourceKind::Untouched,
        };
        let is_there = |filename: &String| self.filenames.contains(filename.as_str());
        let (kind, filename) = match filename.filter(is_there) {
            Some(filename) => (kind, Some(filename)),
            None => (SourceKind::Replaced, self.built_wheel_of(name)),
        };
        match filename {
            Some(filename) => {
                *source = replaced(source, "path", &format!("{WHEELS}/{filename}"));
                kind
            }
            None => SourceKind::Untouched,
        }
    }

    /// Returns the folder of the wheels, spelled differently for each registry: two that have the same version
    /// of a project would be one package for uv, which tells them apart by their texts.
    fn registry_folder(&mut self, registry: String) -> String {
        let known = self.registries.iter().position(|known| *known == registry);
        let position = known.unwrap_or_else(|| {
            self.registries.push(registry);
            self.registries.len() - 1
        });
        format!("{WHEELS}{}", "/../wheels".repeat(position))
    }

    /// Returns the file name of the archive into which the repository of a project was packed, or of the
    /// wheel that was built from that.
    fn packed_archive_of(&self, name: &str) -> Option<String> {
        let of_project = self.fetched.files().filter(|(package, _)| package.name.as_ref() == name);
        let mut direct = of_project.filter(|(_, file)| *file.link.index == file.link.url);
        direct.next().map(|(_, file)| file.link.filename.to_string()).or_else(|| self.built_wheel_of(name))
    }

    /// Returns the file name of the wheel that was built from the archive of a project.
    fn built_wheel_of(&self, name: &str) -> Option<String> {
        let name = Item::Value(name.into());
        self.built.of_entry(Some(&name), None).next().map(|file| file.link.filename.to_string())
    }

    fn digest_of(&self, filename: &str) -> Option<String> {
        let mut found = self.fetched.files().filter(|(_, file)| *file.link.filename == *filename);
        found.next().map(|(_, file)| format!("sha256:{}", file.object.sha256))
    }

    /// Rewrites the files of a package whose source was `old`, by the kind of that.
    fn relocate_files(&self, package: &mut Table, kind: SourceKind, old: &InlineTable, name: &str) {
        let of_source = ["url", "path"].iter().find_map(|key| old.get(key)?.as_str()).map(last_part);
        match kind {
            SourceKind::Registry => self.relocate_registry_files(package),
            SourceKind::Archive => {
                let wheels = package.get_mut("wheels").and_then(Item::as_array_mut);
                for wheel in wheels.into_iter().flat_map(Array::iter_mut).filter_map(Value::as_inline_table_mut) {
                    *wheel = replaced(wheel, "filename", of_source.as_deref().unwrap_or_default());
                }
            }
            SourceKind::Replaced => {
                let archive = self.packed_archive_of(name).unwrap_or_default();
                let digest = self.digest_of(&archive).unwrap_or_default();
                let hashed = InlineTable::from_iter([("hash", digest)]);
                let is_wheel = archive.ends_with(".whl");
                package.remove("sdist");
                package[if is_wheel { "wheels" } else { "sdist" }] = match is_wheel {
                    true => Item::Value(Array::from_iter([replaced(&hashed, "filename", &archive)]).into()),
                    false => Item::Value(hashed.into()),
                };
            }
            SourceKind::Untouched => {}
        }
    }

    /// Keeps the files of a registry's package that the bundle has, and adds the wheels that were built.
    fn relocate_registry_files(&self, package: &mut Table) {
        if let Some(wheels) = package.get_mut("wheels").and_then(Item::as_array_mut) {
            wheels.retain(|wheel| self.has(wheel.as_inline_table()));
            for wheel in wheels.iter_mut().filter_map(Value::as_inline_table_mut) {
                let filename = filename(wheel).unwrap_or_default();
                *wheel = replaced(wheel, "path", &filename);
            }
        }
        let sdist = package.get("sdist").and_then(Item::as_inline_table).cloned();
        match sdist.filter(|sdist| self.has(Some(sdist))) {
            Some(sdist) => {
                let filename = filename(&sdist).unwrap_or_default();
                package["sdist"] = Item::Value(replaced(&sdist, "path", &filename).into());
            }
            None => drop(package.remove("sdist")),
        }
        self.add_built_wheels(package);
    }

    /// Adds the wheels that were built from the source archive of a registry's package.
    fn add_built_wheels(&self, package: &mut Table) {
        let built: Vec<_> = self.built.of_entry(package.get("name"), package.get("version")).collect();
        for file in built {
            let hash = format!("sha256:{}", file.object.sha256);
            let wheel = InlineTable::from_iter([("path", file.link.filename.to_string()), ("hash", hash)]);
            let wheels = package.entry("wheels").or_insert_with(|| Item::Value(Array::new().into()));
            wheels.as_array_mut().into_iter().for_each(|wheels| wheels.push(wheel.clone()));
        }
    }

    fn has(&self, file: Option<&InlineTable>) -> bool {
        file.and_then(filename).is_some_and(|filename| self.filenames.contains(filename.as_str()))
    }
}

/// Returns a copy of the table in which `key` with `place` replaces all keys that say where a file is.
fn replaced(old: &InlineTable, key: &str, place: &str) -> InlineTable {
    const PLACES: [&str; 9] =
        ["registry", "url", "path", "git", "filename", "subdirectory", "editable", "directory", "virtual"];
    let mut new = InlineTable::new();
    new.insert(key, place.into());
    for (key, value) in old.iter().filter(|(key, _)| !PLACES.contains(key)) {
        new.insert(key, value.clone());
    }
    *new.decor_mut() = old.decor().clone();
    new
}

/// Returns the name of a file of a lock.
fn filename(file: &InlineTable) -> Option<String> {
    let place = ["filename", "url", "path"].iter().find_map(|key| file.get(key)?.as_str())?;
    Some(last_part(place))
}

fn text(table: &Table, key: &str) -> Option<String> {
    table.get(key).and_then(Item::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::test_fixtures::{built_wheel, fetched, file, package};

    const LOCK: &str = r#"version = 1
requires-python = ">=3.9"

[[package]]
name = "app"
version = "1"
source = { editable = "." }
dependencies = [
    { name = "demo", version = "1.0", source = { registry = "https://two.example/simple" }, marker = "os_name == 'nt'" },
    { name = "direct" },
    { name = "made" },
    { name = "lib" },
]

[[package]]
name = "demo"
version = "1.0"
source = { registry = "https://me:hunter2@one.example/simple" }
sdist = { url = "https://files.example/demo-1.0.tar.gz", hash = "sha256:1", size = 1 }
wheels = [
    { url = "https://files.example/demo-1.0-cp39-none-any.whl", hash = "sha256:2" },
    { url = "https://files.example/demo-1.0%2Bx-py3-none-any.whl", hash = "sha256:3" }, # kept
]

[[package]]
name = "demo"
version = "1.0"
source = { registry = "https://two.example/simple" }

[[package]]
name = "direct"
version = "1.0"
source = { url = "https://files.example/direct-1.0-py3-none-any.whl" }
wheels = [
    { url = "https://files.example/direct-1.0-py3-none-any.whl", hash = "sha256:4" },
]

[[package]]
name = "lib"
version = "1"
source = { editable = "../lib" }

[[package]]
name = "made"
version = "1.0"
source = { git = "https://me:hunter2@git.example/made?rev=main#0123" }
"#;

    fn world() -> Fetched {
        let mut direct = file("direct-1.0-py3-none-any.whl", b"direct");
        direct.link.index = direct.link.url.clone().into();
        let mut made = file("made-1.0.tar.gz", b"made");
        made.link.index = made.link.url.clone().into();
        fetched(vec![
            package("demo", "1.0", vec![file("demo-1.0+x-py3-none-any.whl", b"wheel")]),
            package("direct", "1.0", vec![direct]),
            package("made", "1.0", vec![made]),
        ])
    }

    #[test]
    fn wheels_that_were_built_stand_for_their_archives() {
        let lock = "[[package]]\nname = \"old\"\nversion = \"1.0\"\nsource = { registry = \"https://index.example/simple\" }\nsdist = { \
                    url = \"https://files.example/old-1.0.tar.gz\", hash = \"sha256:1\" }\n[[package]]\nname = \"made\"\nversion = \
                    \"1.0\"\nsource = { url = \"https://files.example/made-1.0.tar.gz\" }\nsdist = { hash = \"sha256:2\" }\n";
        let world = fetched(["old", "made"].map(|name| package(name, "1.0", vec![built_wheel(name)])).into());
        let lock: toml::Table = relocated(lock, &world).unwrap().parse().unwrap();
        let [old, made] = lock["package"].as_array().unwrap().as_slice() else { panic!("{lock:?}") };
        assert_eq!(old["wheels"][0]["path"].as_str(), Some("old-1.0-py3-none-any.whl"));
        assert_eq!(made["source"]["path"].as_str(), Some("../wheels/made-1.0-py3-none-any.whl"));
        assert_eq!(made["wheels"][0]["filename"].as_str(), Some("made-1.0-py3-none-any.whl"));
        for package in [old, made] {
            assert!(package["wheels"][0]["hash"].as_str().unwrap().len() > 70 && package.get("sdist").is_none());
        }
    }

    #[test]
    fn a_lock_names_the_files_of_the_bundle_alone() {
        let text = relocated(LOCK, &world()).unwrap();
        assert!(!text.contains("://") && !text.contains("hunter2"), "{text}");
        let lock: toml::Table = text.parse().unwrap();
        let [app, one, two, direct, lib, made] = lock["package"].as_array().unwrap().as_slice() else {
            panic!("{text}")
        };
        assert_eq!(app["dependencies"][0]["source"], two["source"]);
        assert_eq!(app["source"]["editable"].as_str(), Some("."));
        assert_eq!(lib["source"]["virtual"].as_str(), Some("../lib"));
        assert_eq!(one["source"]["registry"].as_str(), Some("../wheels/../wheels"));
        assert_eq!(two["source"]["registry"].as_str(), Some("../wheels"));
        assert_eq!(one["wheels"].as_array().unwrap().len(), 1);
        assert_eq!(one["wheels"][0]["path"].as_str(), Some("demo-1.0+x-py3-none-any.whl"));
        assert_eq!(one["wheels"][0]["hash"].as_str(), Some("sha256:3"));
        assert!(one.get("sdist").is_none());
        assert_eq!(direct["source"]["path"].as_str(), Some("../wheels/direct-1.0-py3-none-any.whl"));
        assert_eq!(direct["wheels"][0]["filename"].as_str(), Some("direct-1.0-py3-none-any.whl"));
        assert_eq!(made["source"]["path"].as_str(), Some("../wheels/made-1.0.tar.gz"));
        assert!(made["sdist"]["hash"].as_str().unwrap().starts_with("sha256:"));
    }
}
