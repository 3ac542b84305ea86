//! Checks whether a lock is up to date with the project beside it, by the digest of the project's
//! requirements that Poetry, PDM and pipenv write into their locks.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use toml::{Table, Value};

use super::Problem;
use super::project_dependencies::{DeclaredDependency, PyprojectToml};
use super::text_file::TextFile;
use super::version_range::VersionRange;
use crate::domain::{LockedPackage, Sha256, list_first};

/// Returns a warning if the `content-hash` of a poetry.lock is not that of the pyproject.toml
/// beside it.
pub(super) fn poetry(lock: &TextFile, project: &TextFile, recorded: &str) -> Option<Problem> {
    let document: Table = project.toml().ok()?;
    let tables = [true, false].map(|groups| poetry_table(&document, groups));
    let is_fresh = tables.iter().any(|table| digest(table, &WIDE) == recorded);
    warning_if_stale(lock, is_fresh, recorded, "pyproject.toml", "poetry lock")
}

/// Returns a warning if the `content_hash` of a pdm.lock is not that of the pyproject.toml beside
/// it.
pub(super) fn pdm(lock: &TextFile, project: &TextFile, recorded: &str) -> Option<Problem> {
    let document: Table = project.toml().ok()?;
    let recorded = recorded.strip_prefix("sha256:").unwrap_or(recorded);
    let is_fresh = pdm_tables(&document).iter().any(|table| digest(table, &WIDE) == recorded);
    warning_if_stale(lock, is_fresh, recorded, "pyproject.toml", "pdm lock --update-reuse")
}

/// Returns a warning if the `hash` of a Pipfile.lock is not that of the Pipfile beside it.
pub(super) fn pipenv(lock: &TextFile, pipfile: &TextFile, recorded: &str) -> Option<Problem> {
    let document: Table = pipfile.toml().ok()?;
    let is_fresh = digest(&pipfile_table(&document), &NARROW) == recorded;
    warning_if_stale(lock, is_fresh, recorded, "Pipfile", "pipenv lock")
}

/// The number of requirements that a warning names.
const NAMED: usize = 5;

/// Returns a warning that names the requirements of the project that no locked version of their project
/// meets; a lock that is up to date has none.
pub(super) fn unmet(lock: &TextFile, project: &PyprojectToml, packages: &[LockedPackage]) -> Option<Problem> {
    let asked = project.dependencies().ok()?;
    let told: BTreeSet<_> = asked.iter().filter_map(|asked| unmet_requirement(asked, packages)).collect();
    let why = format!("what is locked is not what pyproject.toml asks for: {}", list_first(&told, NAMED));
    (!told.is_empty()).then(|| lock.warning(None, why))
}

fn unmet_requirement(asked: &DeclaredDependency, packages: &[LockedPackage]) -> Option<String> {
    let text = asked.what.version.as_deref()?;
    let range: VersionRange = text.parse().ok()?;
    let locked = packages.iter().filter(|package| package.name == asked.name);
    let versions: Vec<_> = locked.filter_map(|package| package.version.as_ref()).collect();
    let is_met = versions.is_empty() || versions.iter().any(|version| range.contains(version));
    let versions: Vec<_> = versions.iter().map(ToString::to_string).collect();
    (!is_met).then(|| format!("{} {} (not {text})", asked.name, versions.join(" and ")))
}

fn warning_if_stale(lock: &TextFile, is_fresh: bool, recorded: &str, project: &str, command: &str) -> Option<Problem> {
    let is_digest = recorded.len() == 64;
    let why = format!(
        "{project} has changed since, as the digest of it in the lock tells: what was added there is missing here; \
         `{command}` brings the lock up to date"
    );
    (is_digest && !is_fresh).then(|| lock.warning(None, why))
}

/// Returns what Poetry's digest is made of; it includes `[project]` since 2.0 and
/// `[dependency-groups]` since 2.3.
fn poetry_table(document: &Table, with_groups: bool) -> Table {
    let project = picked(table(document, &["project"]), &["requires-python", "dependencies", "optional-dependencies"]);
    let groups = table(document, &["dependency-groups"]).filter(|groups| with_groups && !groups.is_empty());
    let is_standard = !project.is_empty() || groups.is_some();
    let poetry = table(document, &["tool", "poetry"]);
    let legacy = ["dependencies", "source", "extras", "dev-dependencies"];
    let mut own = picked(poetry, &["group"]);
    for key in legacy {
        match poetry.and_then(|poetry| poetry.get(key)) {
            Some(value) => drop(own.insert(key.to_owned(), value.clone())),
            None if is_standard => {}
            None => drop(own.insert(key.to_owned(), null())),
        }
    }
    if !is_standard {
        return own;
    }
    let mut all = Table::new();
    if !project.is_empty() {
        all.insert("project".to_owned(), Value::Table(project));
    }
    all.extend(groups.map(|groups| ("dependency-groups".to_owned(), Value::Table(groups.clone()))));
    all.insert("tool".to_owned(), Value::Table(Table::from_iter([("poetry".to_owned(), Value::Table(own))])));
    all
}

/// Returns what PDM's digest may be made of: with `resolution` since 2.18, before with `overrides`
/// of it, and in the first versions without either.
fn pdm_tables(document: &Table) -> [Table; 3] {
    let (project, pdm) = (table(document, &["project"]), table(document, &["tool", "pdm"]));
    let of = |table: Option<&Table>, key: &str| table.and_then(|table| table.get(key)).cloned();
    let or_table = |value: Option<Value>| value.unwrap_or_else(|| Value::Table(Table::new()));
    let or_list = |value: Option<Value>| value.unwrap_or_else(|| Value::Array(Vec::new()));
    let mut groups = table(document, &["dependency-groups"]).cloned().unwrap_or_default();
    groups.extend(table(document, &["tool", "pdm", "dev-dependencies"]).cloned().unwrap_or_default());
    let bare = Table::from_iter([
        ("sources".to_owned(), or_list(of(pdm, "source"))),
        ("dependencies".to_owned(), or_list(of(project, "dependencies"))),
        ("dev-dependencies".to_owned(), Value::Table(groups)),
        ("optional-dependencies".to_owned(), or_table(of(project, "optional-dependencies"))),
        ("requires-python".to_owned(), of(project, "requires-python").unwrap_or_else(|| Value::String(String::new()))),
    ]);
    let with = |key: &str, value| {
        let mut table = bare.clone();
        table.insert(key.to_owned(), value);
        table
    };
    let overrides = of(table(document, &["tool", "pdm", "resolution"]), "overrides");
    [with("resolution", or_table(of(pdm, "resolution"))), with("overrides", or_table(overrides)), bare.clone()]
}

/// Returns what pipenv's digest is made of: the sources, the Python and every category.
fn pipfile_table(document: &Table) -> Table {
    const OTHER: [&str; 8] =
        ["source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv", "default"];
    let of = |key: &str| document.get(key).cloned();
    let or_table = |value: Option<Value>| value.unwrap_or_else(|| Value::Table(Table::new()));
    let meta = Table::from_iter([
        ("sources".to_owned(), of("source").unwrap_or_else(|| Value::Array(Vec::new()))),
        ("requires".to_owned(), or_table(of("requires"))),
    ]);
    let categories = document.iter().filter(|(key, _)| !OTHER.contains(&key.as_str()) && key.as_str() != "develop");
    let mut all: Table = categories.map(|(key, value)| (key.clone(), value.clone())).collect();
    all.insert("_meta".to_owned(), Value::Table(meta));
    all.insert("default".to_owned(), or_table(of("packages")));
    all.insert("develop".to_owned(), or_table(of("dev-packages")));
    all
}

fn table<'t>(document: &'t Table, path: &[&str]) -> Option<&'t Table> {
    path.iter().try_fold(document, |table, key| table.get(*key)?.as_table())
}

fn picked(table: Option<&Table>, keys: &[&str]) -> Table {
    let has = |key: &&str| Some(((*key).to_owned(), table?.get(*key)?.clone()));
    keys.iter().filter_map(has).collect()
}

/// Returns a date in the place of null, which TOML does not have; none of these tables can hold a
/// date.
fn null() -> Value {
    Value::Datetime(toml::value::Datetime { date: None, time: None, offset: None })
}

/// The separators of items and keys in Python's `json.dumps`.
struct Separators {
    item: &'static str,
    key: &'static str,
}

/// The default separators.
const WIDE: Separators = Separators { item: ", ", key: ": " };

const NARROW: Separators = Separators { item: ",", key: ":" };

/// Returns the digest of a table as Python's `json.dumps(table, sort_keys=True)` writes it.
fn digest(table: &Table, separators: &Separators) -> String {
    let mut text = String::new();
    write_table(table, separators, &mut text);
    Sha256::of(text.as_bytes()).to_string()
}

fn write_table(table: &Table, separators: &Separators, text: &mut String) {
    let mut sorted: Vec<_> = table.iter().collect();
    sorted.sort_by_key(|(key, _)| *key);
    text.push('{');
    for (position, (key, value)) in sorted.into_iter().enumerate() {
        text.push_str(if position == 0 { "" } else { separators.item });
        write_text(key, text);
        text.push_str(separators.key);
        write_value(value, separators, text);
    }
    text.push('}');
}

fn write_value(value: &Value, separators: &Separators, text: &mut String) {
    match value {
        Value::String(string) => write_text(string, text),
        Value::Array(values) => {
            text.push('[');
            for (position, value) in values.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { separators.item });
                write_value(value, separators, text);
            }
            text.push(']');
        }
        Value::Table(table) => write_table(table, separators, text),
        Value::Datetime(_) => text.push_str("null"),
        Value::Integer(number) => write!(text, "{number}").expect("writing to a string cannot fail"),
        Value::Float(number) => write!(text, "{number:?}").expect("writing to a string cannot fail"),
        Value::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
    }
}

/// Writes a JSON string in ASCII.
fn write_text(string: &str, text: &mut String) {
    let quoted = serde_json::Value::from(string).to_string();
    for unit in quoted.chars() {
        match unit {
            ' '..='~' => text.push(unit),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    write!(text, "\\u{unit:04x}").expect("writing to a string cannot fail");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::fake_source::FakeSource;
    use crate::input::{Location, Role, read};

    #[test]
    fn json_is_as_python_writes_it() {
        let table: Table = "b = ['é\"😀', 1, 1.5, true]\na = {}\n".parse().unwrap();
        let mut text = String::new();
        write_table(&table, &WIDE, &mut text);
        assert_eq!(text, r#"{"a": {}, "b": ["\u00e9\"\ud83d\ude00", 1, 1.5, true]}"#);
    }

    /// The digests are those that Poetry 2.5, PDM 2.29 and pipenv 2026.10 write for these projects.
    #[test]
    fn a_project_that_changed_after_its_lock_is_told() {
        let standard =
            "[project]\nname = 'app'\nversion = '1'\nrequires-python = '>=3.9'\ndependencies = ['demo>=1']\n";
        let poetry = "[tool.poetry]\nname = 'app'\n[tool.poetry.dependencies]\npython = '^3.9'\ndemo = '^1'\n";
        let pipfile = "[[source]]\nurl = 'https://index.example/simple'\nverify_ssl = true\nname = 'main'\n[packages]\ndemo \
                       = '*'\n[requires]\npython_version = '3.11'\n";
        let lock = |name: &str, digest: &str| match name {
            "poetry.lock" => format!("package = []\n[metadata]\nlock-version = '2.1'\ncontent-hash = '{digest}'\n"),
            "pdm.lock" => format!(
                "[metadata]\nlock_version = '4.5.0'\nstrategy = ['inherit_metadata']\ncontent_hash = 'sha256:{digest}'\n"
            ),
            _ => format!(
                "{{\"_meta\": {{\"hash\": {{\"sha256\": \"{digest}\"}}, \"pipfile-spec\": 6}}, \"default\": {{}}}}"
            ),
        };
        for (name, beside, project, digest) in [
            (
                "poetry.lock",
                "pyproject.toml",
                standard,
                "e38aab329fc32610740d42f5c9b46d14a9d6f4a94781d4de17897b4826a3df7a",
            ),
            (
                "poetry.lock",
                "pyproject.toml",
                poetry,
                "0f8a47c54e21a8d91d8c61f3376c4e9cf583b5d9ba4893a94d0d587fe9348406",
            ),
            (
                "pdm.lock",
                "pyproject.toml",
                standard,
                "81d07423a1afbf7e2e52bf7c9ea9920198c391edf1b245451a297a7aa3d5660c",
            ),
            ("Pipfile.lock", "Pipfile", pipfile, "2bd241bbf47541d1ae102d2d1acd0b01eb18f15747400d0bfad19ec45d1fefc8"),
        ] {
            let told = |project: &str| {
                let machine = FakeSource::new()
                    .file(&format!("/w/{name}"), lock(name, digest))
                    .file(&format!("/w/{beside}"), project);
                let read = read(&Location::parse(name), Role::Requirements, &machine);
                assert!(!read.has_errors(), "{name}: {:?}", read.problems);
                read.problems.iter().map(ToString::to_string).collect::<String>()
            };
            assert_eq!(told(project), "", "{name}: {project}");
            let changed = told(&project.replace("demo", "other"));
            assert!(changed.contains(&format!("{beside} has changed since")), "{name}: {changed}");
        }
    }
}
