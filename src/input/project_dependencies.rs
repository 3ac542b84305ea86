//! The dependencies in a pyproject.toml: in the standard tables (PEP 621, PEP 735) and in those of
//! tools.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::dependency_groups::{DependencyGroups, Member};
use super::locking::{self, Fault};
use super::poetry_dependency::{PoetryDependencies, PoetryDependency};
use super::project_indexes::{self, PdmSource, PoetrySource, ProjectIndex, UvIndex};
use super::uv_sources::UvSources;
use crate::domain::{Dependency, DependencySource, ExtraName, GroupName, PackageName};

/// The tables of a pyproject.toml about dependencies.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct PyprojectToml {
    project: Option<Project>,
    dependency_groups: DependencyGroups,
    tool: Tool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Project {
    name: Option<String>,
    dynamic: Vec<String>,
    requires_python: Option<String>,
    dependencies: Vec<String>,
    optional_dependencies: BTreeMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tool {
    poetry: Poetry,
    uv: UvTable,
    pdm: Pdm,
}

/// The settings of PDM: the groups that it had before there were standard ones (PEP 735), and its
/// indexes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Pdm {
    dev_dependencies: BTreeMap<String, Vec<String>>,
    source: Vec<PdmSource>,
}

/// The settings of uv about dependencies, as far as they matter here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct UvTable {
    sources: UvSources,
    dev_dependencies: Option<Vec<String>>,
    index: Vec<UvIndex>,
    index_url: Option<String>,
    extra_index_url: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Poetry {
    name: Option<String>,
    dependencies: BTreeMap<String, PoetryDependencies>,
    dev_dependencies: Option<BTreeMap<String, PoetryDependencies>>,
    group: BTreeMap<String, Group>,
    extras: BTreeMap<String, Vec<String>>,
    source: Vec<PoetrySource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Group {
    optional: bool,
    dependencies: BTreeMap<String, PoetryDependencies>,
}

/// A requirement of the project.
#[derive(Clone, Debug)]
pub struct DeclaredDependency {
    pub name: PackageName,
    pub what: PoetryDependency,
    /// The group that requires it; `None` for the project itself.
    pub group: Option<GroupName>,
    /// The extras that require it, if it is optional.
    pub extras: Option<BTreeSet<ExtraName>>,
}

impl UvTable {
    /// Returns where uv is configured to get dependencies from.
    pub fn sources(&self) -> &UvSources {
        &self.sources
    }

    /// Returns the indexes that uv is configured to ask.
    pub fn indexes(&self) -> Vec<ProjectIndex> {
        let named = self.index.iter().map(ProjectIndex::from);
        let extra = self.extra_index_url.iter().map(|url| ProjectIndex::unnamed(url, false));
        let default = self.index_url.iter().map(|url| ProjectIndex::unnamed(url, true));
        default.chain(named).chain(extra).collect()
    }
}

impl PyprojectToml {
    /// Returns the name of the project, if it is stated.
    pub fn name(&self) -> Option<PackageName> {
        let standard = self.project.as_ref().and_then(|project| project.name.as_ref());
        standard.or(self.tool.poetry.name.as_ref())?.parse().ok()
    }

    /// Whether the standard table names the project.
    pub fn has_standard_name(&self) -> bool {
        self.project.as_ref().is_some_and(|project| project.name.is_some())
    }

    /// Returns the fields that only a build of the project can tell (PEP 621).
    pub fn dynamic(&self) -> &[String] {
        self.project.as_ref().map(|project| project.dynamic.as_slice()).unwrap_or_default()
    }

    /// Returns the Python versions that the project requires.
    pub fn requires_python(&self) -> Option<String> {
        let standard = self.project.as_ref().and_then(|project| project.requires_python.clone());
        let tables = || self.tool.poetry.dependencies.get("python")?.tables().first()?.version.clone();
        standard.or_else(tables)
    }

    /// Whether there is a table that can have dependencies.
    pub fn is_project(&self) -> bool {
        let poetry = &self.tool.poetry;
        let has_dev = poetry.dev_dependencies.as_ref().is_some_and(|dev| !dev.is_empty());
        let has_poetry = has_dev || !(poetry.dependencies.is_empty() && poetry.group.is_empty());
        self.project.is_some() || has_poetry || self.dependency_groups.names().next().is_some()
    }

    /// Returns the settings of uv.
    pub fn uv(&self) -> &UvTable {
        &self.tool.uv
    }

    /// Returns the indexes that its tools are configured to ask.
    ///
    /// # Errors
    /// When only its tool knows which projects are taken from an index.
    pub fn indexes(&self) -> Result<Vec<ProjectIndex>, Fault> {
        let of_pdm: Vec<_> = self.tool.pdm.source.iter().map(PdmSource::index).collect::<Result<_, _>>()?;
        Ok([self.tool.uv.indexes(), project_indexes::of_poetry(&self.tool.poetry.source), of_pdm].concat())
    }

    /// Returns the extras of the project.
    pub fn extras(&self) -> BTreeSet<ExtraName> {
        let standard = self.project.iter().flat_map(|project| project.optional_dependencies.keys());
        self.tool.poetry.extras.keys().chain(standard).filter_map(|name| name.parse().ok()).collect()
    }

    /// Returns the groups of the project, and those of them that are selected by default.
    pub fn groups(&self) -> (BTreeSet<GroupName>, BTreeSet<GroupName>) {
        let poetry = &self.tool.poetry;
        let has_dev = poetry.dev_dependencies.is_some() || self.tool.uv.dev_dependencies.is_some();
        let dev = has_dev.then_some("dev");
        let names = poetry.group.keys().chain(self.tool.pdm.dev_dependencies.keys()).map(String::as_str);
        let names = names.chain(self.dependency_groups.names()).chain(dev);
        let all: BTreeSet<GroupName> = names.filter_map(|name| name.parse().ok()).collect();
        let optional = poetry.group.iter().filter(|(_, group)| group.optional);
        let optional: BTreeSet<GroupName> = optional.filter_map(|(name, _)| name.parse().ok()).collect();
        let default = &all - &optional;
        (all, default)
    }

    /// Returns all requirements.
    ///
    /// # Errors
    /// When a text is no requirement, or groups include each other.
    pub fn dependencies(&self) -> Result<Vec<DeclaredDependency>, Fault> {
        let mut all = Vec::new();
        let mut named = BTreeSet::new();
        if let Some(project) = &self.project {
            for text in &project.dependencies {
                let asked = of_specifier(text, None, None)?;
                named.insert(asked.name.clone());
                all.push(asked);
            }
            for (extra, texts) in &project.optional_dependencies {
                let extra: ExtraName = locking::group_name(extra)?;
                for text in texts {
                    all.push(of_specifier(text, None, Some([extra.clone()].into()))?);
                }
            }
        }
        let poetry = &self.tool.poetry;
        self.add_tables(&poetry.dependencies, None, &named, &mut all)?;
        if let Some(tables) = &poetry.dev_dependencies {
            self.add_tables(tables, Some(&locking::group_name("dev")?), &BTreeSet::new(), &mut all)?;
        }
        for (name, group) in &poetry.group {
            self.add_tables(&group.dependencies, Some(&locking::group_name(name)?), &BTreeSet::new(), &mut all)?;
        }
        for text in self.tool.uv.dev_dependencies.iter().flatten() {
            all.push(of_specifier(text, Some(locking::group_name("dev")?), None)?);
        }
        for (name, texts) in &self.tool.pdm.dev_dependencies {
            for text in texts {
                all.push(of_line(text, locking::group_name(name)?)?);
            }
        }
        let groups = self.dependency_groups.index();
        for name in self.dependency_groups.names() {
            let group: GroupName = locking::group_name(name)?;
            for Member { text, .. } in groups.members(&group)? {
                all.push(of_specifier(&text, Some(group.clone()), None)?);
            }
        }
        Ok(all)
    }

    fn add_tables(
        &self,
        tables: &BTreeMap<String, PoetryDependencies>,
        group: Option<&GroupName>,
        named: &BTreeSet<PackageName>,
        all: &mut Vec<DeclaredDependency>,
    ) -> Result<(), Fault> {
        for (text, dependencies) in tables.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("python")) {
            let name = locking::project_name(text)?;
            if named.contains(&name) {
                // With [project], the table only says where such a dependency is.
                for asked in all.iter_mut().filter(|asked| asked.name == name) {
                    let place = dependencies.tables().into_iter().next().unwrap_or_default();
                    asked.what = std::mem::take(&mut asked.what).located_by(place);
                }
                continue;
            }
            for what in dependencies.tables() {
                let extras = what.optional.then(|| self.extras_with(&name));
                all.push(DeclaredDependency { name: name.clone(), what, group: group.cloned(), extras });
            }
        }
        Ok(())
    }

    fn extras_with(&self, name: &PackageName) -> BTreeSet<ExtraName> {
        let has = |members: &[String]| members.iter().any(|member| member.parse().as_ref() == Ok(name));
        let extras = self.tool.poetry.extras.iter().filter(|(_, members)| has(members));
        extras.filter_map(|(extra, _)| extra.parse().ok()).collect()
    }
}

/// Parses a requirement of a PDM group, which may be an editable line.
fn of_line(text: &str, group: GroupName) -> Result<DeclaredDependency, Fault> {
    let Some(name) = editable_name(text) else { return of_specifier(text, Some(group), None) };
    let url = text.trim_start_matches("-e").trim();
    let (url, _) = url.split_once('#').unwrap_or((url, ""));
    let path = url.strip_prefix("file:///${PROJECT_ROOT}/").map(str::to_owned);
    let url = if path.is_none() { Some(url.to_owned()) } else { None };
    let what = PoetryDependency { path, url, ..PoetryDependency::default() };
    Ok(DeclaredDependency { name: locking::project_name(&name)?, what, group: Some(group), extras: None })
}

/// Returns the project of an editable line, such as `-e file:///${PROJECT_ROOT}/sub#egg=NAME`.
pub fn editable_name(text: &str) -> Option<String> {
    let (_, fragment) = text.strip_prefix("-e ")?.split_once('#')?;
    let name = fragment.split('&').find_map(|part| part.strip_prefix("egg="))?;
    Some(name.split('[').next().unwrap_or(name).to_owned())
}

/// Parses a requirement as in the standard tables (PEP 508).
///
/// # Errors
/// When the text is none.
pub fn of_specifier(
    text: &str,
    group: Option<GroupName>,
    extras: Option<BTreeSet<ExtraName>>,
) -> Result<DeclaredDependency, Fault> {
    let specifier: Dependency = text.parse().map_err(|error| format!("`{text}` is no requirement: {error}"))?;
    let (version, url) = match &specifier.source {
        DependencySource::Versions(versions) => (Some(versions.to_string()), None),
        DependencySource::Url(url) => (None, Some(url.clone())),
    };
    let what = PoetryDependency {
        version,
        url,
        markers: specifier.marker.text().map(str::to_owned),
        extras: specifier.extras.iter().map(ToString::to_string).collect(),
        ..PoetryDependency::default()
    };
    Ok(DeclaredDependency { name: specifier.name, what, group, extras })
}
