//! The repositories that Poetry asks about the packages of a project.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::releases::PoetryRelease;
use crate::domain::{Fetched, FetchedFile, LockedProject, MaskedUrl, PackageName, Version};

/// A project of Poetry, as far as it decides who is asked.
#[derive(Debug)]
pub struct PoetryProject {
    repositories: Vec<PoetryRepository>,
    /// The packages of the lock: their versions as it spells them, and their sources.
    locked: BTreeMap<(PackageName, Version), (String, ReleaseSource)>,
    /// Whether a source archive is among the files, or what builds one.
    pub has_builds: bool,
}

/// A repository that Poetry asks.
#[derive(Debug)]
pub enum PoetryRepository {
    /// The index that needs no configuration, with its URL above `simple/`.
    Default { base: MaskedUrl },
    /// A source of the project.
    Named { name: String, url: MaskedUrl },
}

#[derive(Debug)]
enum ReleaseSource {
    Default,
    /// The name of a source of the project.
    Named(String),
    /// An archive by URL.
    Archive(MaskedUrl),
    /// A local file, which comes with the project.
    Local,
}

#[derive(Deserialize)]
struct LockDocument {
    #[serde(default)]
    package: Vec<LockEntry>,
}

#[derive(Deserialize)]
struct LockEntry {
    name: String,
    version: String,
    source: Option<EntrySource>,
}

#[derive(Deserialize)]
struct EntrySource {
    r#type: String,
    url: String,
    reference: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    tool: Tool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tool {
    poetry: Poetry,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Poetry {
    source: Vec<StatedSource>,
}

#[derive(Deserialize)]
struct StatedSource {
    name: String,
    /// Absent for the default index.
    url: Option<String>,
}

impl PoetryProject {
    /// Reads the lock and the pyproject.toml of `project`, whose packages are among those `fetched`.
    ///
    /// # Errors
    /// When a file cannot be read, or Poetry would ask what a cache cannot answer.
    pub fn of(project: &LockedProject, fetched: &Fetched) -> Result<Self, String> {
        let text = project.text("poetry.lock").ok_or("it has another name, which Poetry does not read")?;
        let lock: LockDocument = parsed("poetry.lock", text)?;
        let document: Document =
            project.text("pyproject.toml").map(|text| parsed("pyproject.toml", text)).transpose()?.unwrap_or_default();
        let mut named: BTreeMap<String, MaskedUrl> = BTreeMap::new();
        for StatedSource { name, url } in document.tool.poetry.source {
            let url = url.map(|url| url.parse()).transpose().map_err(|_| format!("the source {name} has no URL"))?;
            named.extend(url.map(|url| (name, url)));
        }
        let mut locked = BTreeMap::new();
        for package in lock.package {
            let (Ok(name), Ok(version)) = (package.name.parse::<PackageName>(), package.version.parse()) else {
                continue;
            };
            let source = source(&name, package.source, fetched, &mut named)?;
            locked.insert((name, version), (package.version, source));
        }
        let base = project.default_index.as_ref().and_then(above_simple);
        let needs_default = locked.values().any(|(_, source)| matches!(source, ReleaseSource::Default));
        if base.is_none() && needs_default {
            return Err("the default index that Poetry asks is not known: no pip was found that names it".to_owned());
        }
        let named = named.into_iter().map(|(name, url)| PoetryRepository::Named { name, url });
        let repositories = base.map(|base| PoetryRepository::Default { base }).into_iter().chain(named).collect();
        let is_of_build = |file: &FetchedFile| !file.tools.is_empty() || !file.link.is_wheel();
        let has_builds = fetched.files().any(|(_, file)| is_of_build(file));
        Ok(Self { repositories, locked, has_builds })
    }

    /// Returns the repositories that may be asked about a release: that of the lock; where something
    /// is built any, since builds may require it.
    pub fn repositories_of<'p>(&'p self, release: &'p PoetryRelease<'_>) -> impl Iterator<Item = &'p PoetryRepository> {
        let source = self.source(release);
        self.repositories.iter().filter(move |repository| {
            self.has_builds
                || match (source, repository) {
                    (Some(ReleaseSource::Default), PoetryRepository::Default { .. }) => true,
                    (Some(ReleaseSource::Named(wanted)), PoetryRepository::Named { name, .. }) => wanted == name,
                    _ => false,
                }
        })
    }

    /// Returns the URL of a release that is an archive by URL.
    pub fn direct_url(&self, release: &PoetryRelease<'_>) -> Option<&MaskedUrl> {
        match self.source(release) {
            Some(ReleaseSource::Archive(url)) => Some(url),
            _ => None,
        }
    }

    /// Returns the version of a release as Poetry writes it into URLs.
    pub fn spelling(&self, release: &PoetryRelease<'_>) -> String {
        self.locked(release).map_or_else(|| release.version().to_string(), |(spelling, _)| spelling.clone())
    }

    fn source(&self, release: &PoetryRelease<'_>) -> Option<&ReleaseSource> {
        self.locked(release).map(|(_, source)| source)
    }

    fn locked(&self, release: &PoetryRelease<'_>) -> Option<&(String, ReleaseSource)> {
        self.locked.get(&(release.name().clone(), release.version().clone()))
    }
}

impl PoetryRepository {
    /// Returns the name of its folder in the cache.
    pub fn name(&self) -> &str {
        match self {
            Self::Default { .. } => "PyPI",
            Self::Named { name, .. } => name,
        }
    }
}

/// Returns the URL above the `simple` of an index, where Poetry expects the answers about releases.
fn above_simple(index: &MaskedUrl) -> Option<MaskedUrl> {
    let path = index.secret().path();
    let above = if path.ends_with('/') { ".." } else { "." };
    if path.trim_end_matches('/').ends_with("/simple") { index.join(above).ok() } else { None }
}

fn parsed<'t, T: Deserialize<'t>>(name: &str, text: &'t str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| format!("{name}: {}", error.message()))
}

/// Returns the source of a locked package, whose URL is noted if the project does not state it.
///
/// # Errors
/// When it is a repository that is needed: Poetry keeps no archive of one.
fn source(
    name: &PackageName,
    source: Option<EntrySource>,
    fetched: &Fetched,
    named: &mut BTreeMap<String, MaskedUrl>,
) -> Result<ReleaseSource, String> {
    let Some(EntrySource { r#type, url, reference }) = source else { return Ok(ReleaseSource::Default) };
    let url_of = |url: &str| url.parse().map_err(|_| format!("the source of {name} has no URL"));
    match (r#type.as_str(), reference) {
        ("legacy", Some(reference)) => {
            if !named.contains_key(&reference) {
                named.insert(reference.clone(), url_of(&url)?);
            }
            Ok(ReleaseSource::Named(reference))
        }
        ("url", _) => Ok(ReleaseSource::Archive(url_of(&url)?)),
        ("git", _) if fetched.packages.iter().any(|package| package.name == *name) => {
            Err(format!("{name} is of a repository, which Poetry would clone"))
        }
        _ => Ok(ReleaseSource::Local),
    }
}
