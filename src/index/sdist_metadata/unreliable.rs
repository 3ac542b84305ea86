//! Reads the dependencies of a source archive from files that its build may contradict.

use super::TopFiles;
use super::egg_info::{EggInfo, Requirements, read_requires};
use super::keywords::{Keyword, SetupKeywords};
use super::pyproject::{BuildRequirements, flit_table, is_by_poetry, is_plugin};
use super::requirement_lines::{are_equal, dependency, differing};
use super::{setup_cfg, setup_py};
use crate::domain::{CoreMetadata, Dependency, MetadataSource, PackageName, Version};

/// Returns the metadata from the `*.egg-info`, else from an old `PKG-INFO`, else from `setup.cfg`
/// and `setup.py`.
///
/// Returns `None` if these state nothing, contradict each other, or depend on the building machine.
pub fn read(files: &TopFiles, identity: Option<(&PackageName, &Version)>) -> Option<CoreMetadata> {
    let build = BuildRequirements::of(files.pyproject.as_deref(), &files.native);
    if !build.by_setuptools {
        return by_other_backend(files);
    }
    let evidence = Evidence::of(files, &build);
    let told = match files.egg_info(identity) {
        Some(egg_info) => Some((egg_info.requirements()?, MetadataSource::EggInfo)),
        None => files
            .stated()
            .filter(|stated| !stated.requires_dist.is_empty())
            .map(|stated| (listed(stated), MetadataSource::PkgInfo)),
    };
    let (requirements, source) = match told {
        Some((told, _)) if evidence.has_other_branches(&told) => evidence.literals()?,
        Some((told, source)) => (evidence.confirm(told)?, source),
        None => evidence.literals()?,
    };
    let stated = files.egg_info(identity).and_then(|egg_info| egg_info.pkg_info.as_ref()).map(|file| &file.metadata);
    let stated: Vec<_> = stated.into_iter().chain(files.stated()).collect();
    let python = stated.iter().find_map(|stated| stated.requires_python.clone());
    Some(CoreMetadata {
        name: stated.first().map(|stated| stated.name.clone()).unwrap_or_default(),
        version: stated.first().map(|stated| stated.version.clone()).unwrap_or_default(),
        requires_python: python.or_else(|| evidence.keywords.python_requires.literal().cloned()),
        requires_dist: requirements.lines(),
        provides_extra: requirements.extras,
        source,
        ..CoreMetadata::default()
    })
}

/// Returns the metadata of an archive that another backend than setuptools builds.
fn by_other_backend(files: &TopFiles) -> Option<CoreMetadata> {
    let (stated, pyproject) = (files.stated()?, files.pyproject.as_deref()?);
    if !stated.requires_dist.is_empty() || is_by_poetry(pyproject) {
        return Some(CoreMetadata { source: MetadataSource::PkgInfo, ..stated.clone() });
    }
    flit_table(pyproject, stated)
}

/// Returns the literal `setup_requires`.
pub fn setup_requires(files: &TopFiles) -> Vec<String> {
    let evidence = Evidence::of(files, &BuildRequirements::of(files.pyproject.as_deref(), &files.native));
    evidence.keywords.setup_requires.literal().cloned().unwrap_or_default()
}

impl TopFiles {
    /// Returns the `*.egg-info` of this release, if there is exactly one, or several that agree.
    fn egg_info(&self, identity: Option<(&PackageName, &Version)>) -> Option<&EggInfo> {
        let is_right = |egg_info: &&EggInfo| {
            let file = egg_info.pkg_info.as_ref();
            let (name, version) = match (identity, self.stated()) {
                (Some((name, version)), _) => (name.clone(), version.clone()),
                (None, Some(stated)) => match (stated.name.parse(), stated.version.parse()) {
                    (Ok(name), Ok(version)) => (name, version),
                    _ => return false,
                },
                (None, None) => return file.is_some(),
            };
            file.is_some_and(|file| file.check(&name, &version).is_ok())
        };
        let mut all = self.egg_infos.values().filter(is_right);
        let first = all.next()?;
        all.all(|other| other.requires == first.requires).then_some(first)
    }
}

impl EggInfo {
    fn requirements(&self) -> Option<Requirements> {
        self.requires.as_ref().map_or_else(|| Some(Requirements::default()), |text| read_requires(text))
    }
}

/// Returns the dependencies of an old `PKG-INFO`.
fn listed(stated: &CoreMetadata) -> Requirements {
    let is_optional = |line: &&String| line.split_once(';').is_some_and(|(_, marker)| marker.contains("extra"));
    let (optional, base) = stated.requires_dist.iter().partition::<Vec<_>, _>(is_optional);
    Requirements {
        base: base.into_iter().cloned().collect(),
        optional: optional.into_iter().cloned().collect(),
        extras: stated.provides_extra.clone(),
    }
}

/// What `setup.py` and `setup.cfg` state, to compare with other files.
struct Evidence {
    keywords: SetupKeywords,
    /// Whether the two files alone decide what a build states, and both could be read.
    is_whole: bool,
    /// Whether both state a keyword, and differ.
    is_contradiction: bool,
    is_in_cfg: bool,
}

impl Evidence {
    fn of(files: &TopFiles, build: &BuildRequirements) -> Self {
        let script = files.setup_py.as_ref().map(|bytes| setup_py::read(bytes));
        let cfg = files.setup_cfg.as_ref().map(|bytes| setup_cfg::read(bytes));
        let is_read = |file: &Option<Option<SetupKeywords>>| !matches!(file, Some(None));
        let has_project = files.pyproject.as_ref().is_some_and(|text| has_project(text));
        let has_plugin = build.requires.iter().any(|line| is_plugin(line));
        let has_script = script.is_some();
        let is_whole = is_read(&script) && is_read(&cfg) && !has_project && !has_plugin;
        let (script, cfg) = (script.flatten().unwrap_or_default(), cfg.flatten().unwrap_or_default());
        let is_whole = is_whole && (has_script || cfg.install_requires.is_literal());
        let is_in_cfg = matches!(script.install_requires, Keyword::Absent) && cfg.install_requires.is_literal();
        let is_contradiction = contradicts(&script.install_requires, &cfg.install_requires);
        let keywords = script.or(cfg);
        Self { is_whole: is_whole && !keywords.has_plugin, is_contradiction, is_in_cfg, keywords }
    }

    /// Returns the requirements `told` by another file, unless the keywords contradict them.
    fn confirm(&self, told: Requirements) -> Option<Requirements> {
        if self.is_contradiction || self.is_of_another_machine(&told) {
            return None;
        }
        let agrees = match (self.keywords.requirements(), &self.keywords.install_requires) {
            (Some(all), _) if self.is_whole => are_equal(&all.lines(), &told.lines()),
            (_, Keyword::Literal(lines)) => {
                let mut base = Requirements::default();
                base.add("", lines)?;
                let markers = self.keywords.extras_require.literal().map(|extras| extras.base.clone());
                base.base.extend(markers.unwrap_or_default());
                are_equal(&base.base, &told.base)
            }
            _ => true,
        };
        agrees.then_some(told)
    }

    /// Whether `told` is what `setup.py`, all of which could be read, needs on the machine that made the
    /// archive, and on others something else: what they do not agree in stands in its branches.
    fn has_other_branches(&self, told: &Requirements) -> bool {
        let Some(all) = self.keywords.requirements().filter(|_| self.is_whole) else { return false };
        let differing = differing(&all.lines(), &told.lines());
        differing.is_some_and(|lines| {
            let mut projects = lines.iter().filter_map(|line| dependency(line)).map(|dependency| dependency.name);
            !lines.is_empty() && projects.all(|project| self.keywords.in_branches.contains(&project))
        })
    }

    /// Whether `told` always requires a project that `setup.py` names in a branch which depends on
    /// the machine.
    ///
    /// Then `told` was right for the machine that made the archive only.
    fn is_of_another_machine(&self, told: &Requirements) -> bool {
        let is_always_needed = |dependency: &Dependency| dependency.marker.is_always();
        self.keywords.is_conditional()
            && told
                .base
                .iter()
                .filter_map(|line| dependency(line))
                .filter(is_always_needed)
                .any(|dependency| self.keywords.in_branches.contains(&dependency.name))
    }

    /// Returns the requirements that the keywords themselves state.
    fn literals(&self) -> Option<(Requirements, MetadataSource)> {
        let is_usable = self.is_whole && !self.is_contradiction && self.keywords.python_requires.is_known();
        let requirements = is_usable.then(|| self.keywords.requirements()).flatten()?;
        Some((requirements, if self.is_in_cfg { MetadataSource::SetupCfg } else { MetadataSource::SetupPy }))
    }
}

fn contradicts(script: &Keyword<Vec<String>>, cfg: &Keyword<Vec<String>>) -> bool {
    match (script.literal(), cfg.literal()) {
        (Some(script), Some(cfg)) => !are_equal(script, cfg),
        _ => false,
    }
}

fn has_project(pyproject: &str) -> bool {
    pyproject.parse::<toml::Table>().is_ok_and(|table| table.contains_key("project"))
}
