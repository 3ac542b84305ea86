//! Reads `pyproject.toml`: the build requirements (PEP 518), and tables of tools.

use std::collections::BTreeSet;

use super::egg_info::Requirements;
use super::native_code::NativeCode;
use super::requirement_lines::dependency;
use crate::domain::{CoreMetadata, Dependency, MetadataSource};

/// The build requirements of a source archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuildRequirements {
    /// `build-system.requires`, as written.
    pub requires: Vec<String>,
    /// Whether setuptools builds it, which may require more when it runs (PEP 517).
    pub by_setuptools: bool,
    /// The tool or file that shows that the build fetches from elsewhere than an index.
    pub fetches_by: Option<String>,
    /// The languages of what it compiles, as far as files tell.
    pub languages: BTreeSet<&'static str>,
}

/// Whether poetry builds the archive: its `PKG-INFO` is complete whatever its metadata version.
pub fn is_by_poetry(pyproject: &str) -> bool {
    pyproject.parse::<toml::Table>().is_ok_and(|table| has_poetry_backend(&table))
}

pub(super) fn has_poetry_backend(table: &toml::Table) -> bool {
    let backend = table.get("build-system").and_then(|system| system.get("build-backend")?.as_str());
    backend.is_some_and(|backend| backend.starts_with("poetry"))
}

/// Returns the metadata of `[tool.flit.metadata]`, which flit used before `[project]`.
pub fn flit_table(pyproject: &str, stated: &CoreMetadata) -> Option<CoreMetadata> {
    let table = pyproject.parse::<toml::Table>().ok()?;
    let flit = table.get("tool")?.get("flit")?.get("metadata")?.as_table()?;
    let mut requirements = Requirements::default();
    requirements.add("", &strings(flit.get("requires")))?;
    for (extra, lines) in flit.get("requires-extra").and_then(toml::Value::as_table).into_iter().flatten() {
        requirements.add(extra, &strings(Some(lines)))?;
    }
    Some(CoreMetadata {
        requires_python: flit.get("requires-python").and_then(toml::Value::as_str).map(ToOwned::to_owned),
        requires_dist: requirements.lines(),
        provides_extra: requirements.extras,
        source: MetadataSource::Pyproject,
        ..stated.clone()
    })
}

fn strings(value: Option<&toml::Value>) -> Vec<String> {
    let values = value.and_then(toml::Value::as_array).into_iter().flatten();
    values.filter_map(toml::Value::as_str).map(ToOwned::to_owned).collect()
}

/// What pip builds with if an archive does not say; up to 23.3 it requires `wheel`, too.
const DEFAULT_BUILD: [&str; 2] = ["setuptools>=40.8.0", "wheel"];

/// Build tools that fetch crates, or whatever CMake downloads.
const FETCHING_TOOLS: [&str; 5] = ["maturin", "setuptools-rust", "scikit-build", "scikit-build-core", "cmake"];

impl BuildRequirements {
    /// Reads the build requirements from the text of a `pyproject.toml`, or from its absence
    /// (`docs/facts/pip.md` 6.3).
    ///
    /// `native` is the code that the build compiles.
    pub fn of(pyproject: Option<&str>, native: &NativeCode) -> Self {
        let table = pyproject.and_then(|text| text.parse::<toml::Table>().ok());
        let system = table.as_ref().and_then(|table| table.get("build-system")?.as_table());
        let requires: Vec<String> = match system.and_then(|system| system.get("requires")?.as_array()) {
            Some(lines) => lines.iter().filter_map(toml::Value::as_str).map(ToOwned::to_owned).collect(),
            None => DEFAULT_BUILD.map(ToOwned::to_owned).into(),
        };
        let backend = system.and_then(|system| system.get("build-backend")?.as_str());
        let by_setuptools = backend.is_none_or(|backend| backend.starts_with("setuptools."));
        let fetches_by = fetches_by(&requires, backend, native);
        Self { requires, by_setuptools, fetches_by, languages: native.languages.clone() }
    }

    /// Reads the build requirements of a project that is installed as an editable (PEP 660) from the
    /// text of its `pyproject.toml`; `None` if that does not say how it is built.
    pub fn of_editable(pyproject: &str) -> Option<Self> {
        let table = pyproject.parse::<toml::Table>().ok()?;
        let backend = table.get("build-system")?.get("build-backend").and_then(toml::Value::as_str);
        let mut needs = Self::of(Some(pyproject), &NativeCode::default());
        if backend.is_some_and(|backend| backend.starts_with("hatchling")) {
            // Its hook asks for it when it runs.
            needs.requires.push("editables".to_owned());
        }
        Some(needs)
    }
}

/// The backend of archives that name none; it builds in their folder, as `python setup.py` does.
const DEFAULT_BACKEND: &str = "setuptools.build_meta:__legacy__";

/// Returns `build-backend` and `backend-path` of a `pyproject.toml`, or the defaults.
pub fn build_backend(pyproject: Option<&str>) -> (String, Vec<String>) {
    let table = pyproject.and_then(|text| text.parse::<toml::Table>().ok());
    let system = table.as_ref().and_then(|table| table.get("build-system")?.as_table());
    let name = system.and_then(|system| system.get("build-backend")?.as_str()).unwrap_or(DEFAULT_BACKEND);
    (name.to_owned(), strings(system.and_then(|system| system.get("backend-path"))))
}

/// Returns the tool or file by which the build fetches crates or what CMake downloads.
///
/// Other builds may fetch, too, without anything that shows it.
fn fetches_by(requires: &[String], backend: Option<&str>, native: &NativeCode) -> Option<String> {
    let projects = requires.iter().filter_map(|line| line.parse::<Dependency>().ok());
    let mut projects = projects.map(|dependency| dependency.name.to_string());
    let tool = projects.find(|name| FETCHING_TOOLS.contains(&name.as_str()));
    let by_maturin = || backend.filter(|backend| *backend == "maturin").map(ToOwned::to_owned);
    let by_crate = || native.has_crate.then(|| "Cargo.toml".to_owned());
    tool.or_else(by_maturin).or_else(by_crate).or_else(|| native.cmake_download.clone())
}

/// Build requirements that change which dependencies setuptools states.
const PLUGINS: [&str; 5] = ["pbr", "d2to1", "setupmeta", "setuptools-declarative-requirements", "setuptools-pipfile"];

/// Whether the build requirement `line` is one of [`PLUGINS`].
pub fn is_plugin(line: &str) -> bool {
    dependency(line).is_none_or(|dependency| PLUGINS.contains(&dependency.name.to_string().as_str()))
}
