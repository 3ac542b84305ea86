//! The name and the version of a project, as far as they are stated without a build.

use toml::Table;

use super::keywords::SetupKeywords;
use super::{TopFiles, setup_cfg, setup_py};

/// The name and version of a project; a field that only its build knows is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatedIdentity {
    pub name: Option<String>,
    pub version: Option<String>,
}

impl TopFiles {
    /// Returns the name and the version from `PKG-INFO`, else `[project]` (PEP 621), else Poetry's
    /// table, else `setup.py` and `setup.cfg`.
    pub fn stated_identity(&self) -> StatedIdentity {
        if let Some(stated) = self.stated().filter(|stated| !stated.name.is_empty()) {
            return StatedIdentity { name: Some(stated.name.clone()), version: Some(stated.version.clone()) };
        }
        let pyproject = self.pyproject.as_deref().and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
        of_project(&pyproject).or_else(|| of_poetry(&pyproject)).unwrap_or_else(|| self.of_setuptools())
    }

    fn of_setuptools(&self) -> StatedIdentity {
        let script = match &self.setup_py {
            Some(bytes) => setup_py::read(bytes),
            None => Some(SetupKeywords::default()),
        };
        let cfg = self.setup_cfg.as_deref().and_then(setup_cfg::read).unwrap_or_default();
        let Some(script) = script else { return StatedIdentity::default() };
        let has_plugin = script.has_plugin;
        let keywords = script.or(cfg);
        StatedIdentity {
            name: keywords.name.literal().cloned(),
            // A plugin such as pbr makes another version of the one that is stated.
            version: keywords.version.literal().filter(|_| !has_plugin).cloned(),
        }
    }
}

fn of_project(pyproject: &Table) -> Option<StatedIdentity> {
    let project = pyproject.get("project")?.as_table()?;
    Some(StatedIdentity { name: text(project, "name"), version: text(project, "version") })
}

/// Returns the name and version in Poetry's table, if there is no `[project]`.
///
/// Poetry completes `[project]` from its own table, which may state a version that a plugin
/// replaces.
fn of_poetry(pyproject: &Table) -> Option<StatedIdentity> {
    let tool = pyproject.get("tool")?.as_table()?;
    let poetry = tool.get("poetry")?.as_table()?;
    let is_replaced = tool.contains_key("poetry-dynamic-versioning");
    Some(StatedIdentity { name: text(poetry, "name"), version: text(poetry, "version").filter(|_| !is_replaced) })
}

fn text(table: &Table, key: &str) -> Option<String> {
    table.get(key)?.as_str().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(file: &str, text: &str) -> (Option<String>, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(file), text).unwrap();
        let StatedIdentity { name, version } =
            super::super::top_files_of_folder(folder.path()).unwrap().stated_identity();
        (name, version)
    }

    #[test]
    fn each_kind_of_project_states_its_name_and_version() {
        let whole = (Some("demo".to_owned()), Some("1.0".to_owned()));
        for (file, text) in [
            ("pyproject.toml", "[project]\nname = 'demo'\nversion = '1.0'\n"),
            ("pyproject.toml", "[tool.poetry]\nname = 'demo'\nversion = '1.0'\n"),
            ("setup.cfg", "[metadata]\nname = demo\nversion = 1.0\n"),
            ("setup.py", "from setuptools import setup\nVERSION = '1.0'\nsetup(name='demo', version=VERSION)\n"),
            ("PKG-INFO", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"),
        ] {
            assert_eq!(stated(file, text), whole, "{file}: {text}");
        }
    }

    #[test]
    fn a_version_that_only_the_build_knows_is_absent() {
        let named = (Some("demo".to_owned()), None);
        for (file, text) in [
            ("pyproject.toml", "[project]\nname = 'demo'\ndynamic = ['version']\n[tool.poetry]\nversion = '1'\n"),
            ("pyproject.toml", "[tool.poetry]\nname = 'demo'\nversion = '0'\n[tool.poetry-dynamic-versioning]\n"),
            ("setup.cfg", "[metadata]\nname = demo\nversion = attr: demo.__version__\n"),
            ("setup.py", "from setuptools import setup\nsetup(name='demo', use_scm_version=True)\n"),
            ("setup.py", "from setuptools import setup\nsetup(name='demo', version='1', pbr=True)\n"),
            ("setup.py", "from setuptools import setup\nsetup(name='demo', version=open('VERSION').read())\n"),
        ] {
            assert_eq!(stated(file, text), named, "{file}: {text}");
        }
        assert_eq!(stated("setup.py", "print('hello')\n"), (None, None));
        assert_eq!(stated("pyproject.toml", "[build-system]\nrequires = []\n"), (None, None));
    }
}
