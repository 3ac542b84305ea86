//! From solutions to files: the files to fetch ([`Plan`]) and the fetched ones ([`Fetched`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    BuiltFrom, CoreMetadata, FileLink, MetadataSource, Origin, PackageName, Sha256, Target, TargetDependencies, Version,
};

/// The resolved packages of one target.
#[derive(Clone, Debug, Default)]
pub struct Solution {
    /// The packages, sorted by name.
    pub packages: Vec<ResolvedPackage>,
    /// Warnings for the user.
    pub notes: Vec<String>,
}

/// The one file of a project for one target.
#[derive(Clone, Debug)]
pub struct ResolvedPackage {
    pub name: PackageName,
    /// The version; `None` only for a direct URL whose file name does not state it.
    pub version: Option<Version>,
    /// The lines that asked for it, directly or through other packages.
    pub requested_by: Vec<Origin>,
    /// The projects that it needs on this target, sorted.
    pub dependencies: Vec<PackageName>,
    pub file: FileLink,
    /// The source of its dependencies; `None` if they were not needed.
    pub metadata_source: Option<MetadataSource>,
}

/// The files to fetch, each once, with the lines that asked for them and the targets that they
/// serve.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The targets in the order given; files refer to them by position.
    pub targets: Vec<Arc<Target>>,
    /// The packages, sorted by name, then version.
    pub packages: Vec<PlannedPackage>,
    /// Warnings for the user, sorted.
    pub notes: Vec<String>,
    /// The source archives that resolution considered, chosen or not, whose metadata a build may
    /// contradict.
    pub unreliable: BTreeMap<Box<str>, MetadataSource>,
}

/// One version of one project, with its files at a stage of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackageFiles<File> {
    pub name: PackageName,
    /// The version; `None` only for a direct URL whose file name does not state it.
    pub version: Option<Version>,
    /// The lines that asked for it, directly or through other packages.
    pub requested_by: Vec<Origin>,
    /// The projects that it needs, by the positions of the run's targets.
    pub dependencies: TargetDependencies,
    /// The files, sorted by file name.
    pub files: Vec<File>,
}

/// A package whose files are to be fetched.
pub type PlannedPackage = PackageFiles<PlannedFile>;

/// A package whose files are in the store.
pub type FetchedPackage = PackageFiles<FetchedFile>;

impl<File> PackageFiles<File> {
    /// Returns the same package with the files at the next stage.
    pub fn map_files<Next>(self, next: impl FnMut(File) -> Next) -> PackageFiles<Next> {
        let Self { name, version, requested_by, dependencies, files } = self;
        PackageFiles { name, version, requested_by, dependencies, files: files.into_iter().map(next).collect() }
    }
}

/// A file to fetch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlannedFile {
    pub link: FileLink,
    /// The positions in [`Plan::targets`] of the targets that it serves, rising.
    pub targets: Vec<usize>,
    /// Those of them on which it is not installed, since it builds a source archive there or is the
    /// installer.
    pub tools: Vec<usize>,
    /// The metadata that its index claims for it, if the plan depends on that; the file itself may
    /// state otherwise, and decides.
    pub claimed: Option<Arc<CoreMetadata>>,
    /// The source of its dependencies; `None` if they were not needed.
    pub metadata_source: Option<MetadataSource>,
    /// The source archive that it was built from, if it is a wheel that was built here.
    pub built_from: Option<Arc<BuiltFrom>>,
}

impl Plan {
    /// Merges solutions, one for each target.
    pub fn merge(targets: Vec<Arc<Target>>, solutions: Vec<Solution>) -> Self {
        let (mut resolved, mut notes) = (Vec::new(), Vec::new());
        for (target, solution) in solutions.into_iter().enumerate() {
            merge_sorted(&mut notes, solution.notes);
            resolved.extend(solution.packages.into_iter().map(|package| (target, package)));
        }
        resolved.sort_by(|(_, a), (_, b)| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        let mut packages: Vec<PlannedPackage> = Vec::new();
        for (target, package) in resolved {
            match packages.last_mut() {
                Some(last) if (&last.name, &last.version) == (&package.name, &package.version) => {
                    last.add(target, package);
                }
                _ => {
                    let mut first = PlannedPackage::empty(&package);
                    first.add(target, package);
                    packages.push(first);
                }
            }
        }
        packages.iter_mut().for_each(PlannedPackage::sort_files);
        Self { targets, packages, notes, unreliable: BTreeMap::new() }
    }

    /// Adds packages that take part in an install without being installed; `positions` are those of
    /// the targets of `tools` in this plan.
    pub fn add_tools(&mut self, tools: Self, positions: &[usize]) {
        merge_sorted(&mut self.notes, tools.notes);
        self.unreliable.extend(tools.unreliable);
        for package in tools.packages {
            let key = (&package.name, &package.version);
            match self.packages.binary_search_by(|known| (&known.name, &known.version).cmp(&key)) {
                Ok(found) => self.packages[found].add_tools(package, positions),
                Err(place) => {
                    let (dependencies, files) = Default::default();
                    let mut empty = PlannedPackage { dependencies, files, ..package.clone() };
                    empty.add_tools(package, positions);
                    self.packages.insert(place, empty);
                }
            }
        }
    }

    /// Returns every file with its package, in order.
    pub fn files(&self) -> impl Iterator<Item = (&PlannedPackage, &PlannedFile)> {
        self.packages.iter().flat_map(|package| package.files.iter().map(move |file| (package, file)))
    }
}

impl PlannedPackage {
    /// Returns the positions of the targets that it serves, rising.
    pub fn targets(&self) -> Vec<usize> {
        served(self.files.iter().map(|file| &file.targets))
    }

    fn empty(package: &ResolvedPackage) -> Self {
        Self {
            name: package.name.clone(),
            version: package.version.clone(),
            requested_by: Vec::new(),
            dependencies: TargetDependencies::default(),
            files: Vec::new(),
        }
    }

    /// Adds what is chosen for the target at `target`; the files are sorted afterwards.
    fn add(&mut self, target: usize, package: ResolvedPackage) {
        merge_sorted(&mut self.requested_by, package.requested_by);
        self.dependencies.add(target, package.dependencies);
        match self.files.iter_mut().find(|file| file.link.is_same_file(&package.file)) {
            Some(file) => file.targets.push(target),
            None => {
                let file = PlannedFile::new(package.file, vec![target], Vec::new());
                self.files.push(PlannedFile { metadata_source: package.metadata_source, ..file });
            }
        }
    }

    /// Adds the files of `tools`, whose targets are at `positions` in this plan.
    fn add_tools(&mut self, tools: Self, positions: &[usize]) {
        merge_sorted(&mut self.requested_by, tools.requested_by);
        self.dependencies.merge(tools.dependencies.moved(positions));
        for tool in tools.files {
            let targets: Vec<_> = tool.targets.iter().map(|target| positions[*target]).collect();
            match self.files.iter_mut().find(|file| file.link.is_same_file(&tool.link)) {
                Some(file) => file.serve_as_tool(targets),
                None => self.files.push(PlannedFile { tools: targets.clone(), targets, ..tool }),
            }
        }
        self.sort_files();
    }

    /// Replaces source archives, each for a target that it served, by `wheels`.
    pub fn replace(&mut self, archives: &BTreeSet<(Box<str>, usize)>, wheels: Vec<PlannedFile>) {
        for file in &mut self.files {
            let filename = &file.link.filename;
            file.targets.retain(|target| !archives.contains(&(filename.clone(), *target)));
        }
        self.files.retain(|file| !file.targets.is_empty());
        self.files.extend(wheels);
        self.sort_files();
    }

    fn sort_files(&mut self) {
        self.files.sort_by(|a, b| (&a.link.filename, &a.link.url).cmp(&(&b.link.filename, &b.link.url)));
    }
}

fn merge_sorted<T: Ord>(all: &mut Vec<T>, more: Vec<T>) {
    all.extend(more);
    all.sort_unstable();
    all.dedup();
}

impl PlannedFile {
    fn new(link: FileLink, targets: Vec<usize>, tools: Vec<usize>) -> Self {
        Self { link, targets, tools, claimed: None, metadata_source: None, built_from: None }
    }

    fn serve_as_tool(&mut self, targets: Vec<usize>) {
        let new: Vec<_> = targets.into_iter().filter(|target| !self.targets.contains(target)).collect();
        merge_sorted(&mut self.targets, new.clone());
        merge_sorted(&mut self.tools, new);
    }
}

/// Where a file came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The file is not fetched yet (`--dry-run`).
    Planned,
    /// The file was in the store.
    Cached,
    Downloaded,
}

/// An object of the store, by its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    pub sha256: Sha256,
    /// Size in bytes.
    pub size: u64,
}

/// A [`Plan`] whose files are all in the store.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    pub targets: Vec<Arc<Target>>,
    /// The packages, sorted by name, then version.
    pub packages: Vec<FetchedPackage>,
}

/// A file that is in the store.
#[derive(Clone, Debug)]
pub struct FetchedFile {
    pub link: FileLink,
    /// The positions in [`Fetched::targets`] of the targets that it serves, rising.
    pub targets: Vec<usize>,
    /// Those of them on which it is not installed, since it builds a source archive there or is the
    /// installer.
    pub tools: Vec<usize>,
    pub object: Object,
    /// The wheel's own `METADATA`, if a layout needs it (PEP 658).
    pub metadata: Option<Object>,
    /// The source of its dependencies; `None` if they were not needed.
    pub metadata_source: Option<MetadataSource>,
    /// The source archive that it was built from, if it is a wheel that was built here.
    pub built_from: Option<Arc<BuiltFrom>>,
    pub status: Status,
}

impl Fetched {
    /// Returns every file with its package, in order.
    pub fn files(&self) -> impl Iterator<Item = (&FetchedPackage, &FetchedFile)> {
        self.packages.iter().flat_map(|package| package.files.iter().map(move |file| (package, file)))
    }

    /// Returns the packages that the targets install, without those that are only tools.
    pub fn installed(&self) -> Self {
        let packages = self.packages.iter().filter_map(|package| {
            let files: Vec<_> = package.files.iter().filter_map(FetchedFile::installed).collect();
            let is_tool = files.is_empty() && !package.files.is_empty();
            (!is_tool).then(|| FetchedPackage { files, ..package.clone() })
        });
        Self { targets: self.targets.clone(), packages: packages.collect() }
    }
}

impl FetchedPackage {
    /// Returns the positions of the targets that it serves, rising.
    pub fn targets(&self) -> Vec<usize> {
        served(self.files.iter().map(|file| &file.targets))
    }
}

/// Returns the targets of any of the files.
fn served<'a>(files: impl Iterator<Item = &'a Vec<usize>>) -> Vec<usize> {
    let mut all = Vec::new();
    merge_sorted(&mut all, files.flatten().copied().collect());
    all
}

impl FetchedFile {
    fn installed(&self) -> Option<Self> {
        let targets: Vec<_> = self.targets.iter().copied().filter(|target| !self.tools.contains(target)).collect();
        let is_tool = targets.is_empty() && !self.tools.is_empty();
        (!is_tool).then(|| Self { targets, tools: Vec::new(), ..self.clone() })
    }
}
