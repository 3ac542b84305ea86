//! Reads a static `[project]` table of a `pyproject.toml` (PEP 621).

use super::pyproject::has_poetry_backend;
use super::requirement_lines::{dependency, from_section};
use crate::domain::{CoreMetadata, Version};

/// The first version of each build tool that reads `[project]`; older ones ignore it.
///
/// hatchling and pdm-backend always did.
const FIRST_READERS: [(&str, [u64; 2]); 4] =
    [("setuptools", [61, 0]), ("poetry-core", [2, 0]), ("poetry", [2, 0]), ("flit-core", [3, 2])];

/// The first setuptools that takes nothing from `setup.py` which `[project]` neither has nor calls dynamic.
const STRICT_SETUPTOOLS: [u64; 2] = [69, 0];

/// The fields that decide which dependencies there are, each with the key of `[tool.poetry]` that counts
/// for Poetry where `[project]` lacks it.
const DECISIVE: [(&str, &str); 2] = [("dependencies", "dependencies"), ("optional-dependencies", "extras")];

/// Returns the metadata of the `[project]` table, unless something about dependencies in it is dynamic or
/// the build would not go by it.
///
/// `has_setup_py` is whether there is a `setup.py`, which may complete the table.
pub fn read(text: &str, stated: Option<&CoreMetadata>, has_setup_py: bool) -> Option<CoreMetadata> {
    let document = text.parse::<toml::Table>().ok()?;
    let project = document.get("project")?.as_table()?;
    let dynamic = lines(project.get("dynamic"))?;
    let is_dynamic = |field: &str| dynamic.iter().any(|each| each == field);
    if ["dependencies", "optional-dependencies", "requires-python"].into_iter().any(is_dynamic)
        || is_ignored(&document)
        || has_setup_py && is_completed_by_setup_py(&document, project)
        || is_completed_by_poetry(&document, project)
    {
        return None;
    }
    let mut metadata = CoreMetadata {
        name: project.get("name")?.as_str()?.to_owned(),
        version: stated.map(|stated| stated.version.clone()).unwrap_or_default(),
        requires_python: project.get("requires-python").and_then(toml::Value::as_str).map(ToOwned::to_owned),
        requires_dist: lines(project.get("dependencies"))?,
        ..CoreMetadata::default()
    };
    let optional = project.get("optional-dependencies").and_then(toml::Value::as_table);
    for (extra, value) in optional.into_iter().flatten() {
        metadata.provides_extra.push(extra.clone());
        let lines = lines(Some(value))?.into_iter();
        metadata.requires_dist.extend(lines.map(|line| from_section(&line, extra, "").unwrap_or(line)));
    }
    Some(metadata)
}

/// Whether the build tool that the file requires is older than the first that reads `[project]`.
fn is_ignored(document: &toml::Table) -> bool {
    FIRST_READERS.iter().any(|(tool, first)| is_built_by_older(document, tool, *first))
}

/// Whether the file requires a version of a build tool that is older than `first`.
fn is_built_by_older(document: &toml::Table, tool: &str, first: [u64; 2]) -> bool {
    let requires = document.get("build-system").and_then(|system| lines(system.get("requires")));
    let required = requires.into_iter().flatten().filter_map(|line| dependency(&line));
    required.filter(|required| required.name.to_string() == tool).any(|required| {
        required.source.specifiers().is_some_and(|specifiers| !specifiers.reaches(&Version::new(first)))
    })
}

/// Whether an older setuptools takes a field from `setup.py`, since `[project]` lacks it.
fn is_completed_by_setup_py(document: &toml::Table, project: &toml::Table) -> bool {
    DECISIVE.iter().any(|(field, _)| !project.contains_key(*field))
        && is_built_by_older(document, "setuptools", STRICT_SETUPTOOLS)
}

/// Whether Poetry takes a field from its own table, since `[project]` lacks it (poetry-core 2's `Factory`).
fn is_completed_by_poetry(document: &toml::Table, project: &toml::Table) -> bool {
    let poetry = document.get("tool").and_then(|tool| tool.get("poetry")?.as_table());
    has_poetry_backend(document)
        && poetry.is_some_and(|poetry| {
            DECISIVE.iter().any(|(field, key)| !project.contains_key(*field) && poetry.contains_key(*key))
        })
}

/// Returns a list of texts, which is empty if it is absent; `None` if it is anything else.
fn lines(value: Option<&toml::Value>) -> Option<Vec<String>> {
    let Some(value) = value else { return Some(Vec::new()) };
    value.as_array()?.iter().map(|line| line.as_str().map(ToOwned::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: &str = "[project]\nname = 'demo'\ndependencies = ['six']\n";

    fn is_static(text: &str) -> bool {
        read(text, None, true).is_some()
    }

    #[test]
    fn what_the_build_ignores_states_nothing() {
        for (tool, does_count) in [
            ("setuptools==60.10.0", false),
            ("setuptools<61", false),
            ("setuptools>=40.8.0", true),
            ("setuptools==65.5.0", false),
            ("setuptools>=61", true),
            ("setuptools>=61,<70", true),
            ("setuptools>=61,<69", false),
            ("poetry-core<2", false),
            ("poetry_core>=1.0.0,<2.0.0", false),
            ("poetry-core>=1.0.0", true),
            ("flit_core>=2,<3", false),
            ("flit_core >=3.2,<4", true),
            ("hatchling<1", true),
        ] {
            assert_eq!(is_static(&format!("{SIX}[build-system]\nrequires = ['{tool}']\n")), does_count, "{tool}");
        }
    }

    #[test]
    fn what_poetry_takes_from_its_own_table_is_not_in_the_standard_one() {
        let backend = "[build-system]\nrequires = ['poetry-core']\nbuild-backend = 'poetry.core.masonry.api'\n";
        let other = backend.replace("poetry.core.masonry.api", "hatchling.build");
        let bare = "[project]\nname = 'demo'\n";
        let own = "[tool.poetry.dependencies]\nsix = '*'\n";
        let extras = "[tool.poetry.extras]\nfast = ['six']\n";
        assert!(!is_static(&format!("{bare}{backend}{own}")));
        assert!(!is_static(&format!("{SIX}{backend}{extras}")));
        assert!(is_static(&format!("{SIX}{backend}{own}")));
        assert!(is_static(&format!("{bare}{backend}")));
        assert!(is_static(&format!("{bare}{other}{own}")));
    }

    #[test]
    fn an_old_setuptools_without_a_setup_py_has_the_table_alone() {
        let text = format!("{SIX}[build-system]\nrequires = ['setuptools==65.5.0']\n");
        assert!(!is_static(&text) && read(&text, None, false).is_some());
    }

    #[test]
    fn what_is_no_list_of_texts_states_nothing() {
        for wrong in ["dependencies = 'six'", "dependencies = [1]", "optional-dependencies = {x = 'six'}"] {
            assert!(!is_static(&format!("[project]\nname = 'demo'\n{wrong}\n")), "{wrong}");
        }
    }
}
