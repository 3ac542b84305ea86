//! The facts as one search reads them: by the requirements, the target and the assumptions.
//!
//! Missing facts are recorded.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::assumptions::{Assumptions, Discovered};
use super::direct_url::DirectUrl;
use super::node::{Node, VersionSet, number, positions};
use super::target_problem::{SpecifierCache, TargetProblem};
use super::target_requirements::ProjectRequirements;
use super::{Facts, MissingFacts, Reason, SharedVersions};
use crate::domain::{
    Candidate, Dependency, DependencySource, ExtraName, FileLink, MaskedUrl, MetadataUnavailable, PackageName,
    ResolutionMetadata, Specifiers, Version,
};
use crate::select::{CandidateSelector, OptIn};

/// The position of the only version of a project that is a single file, or whose listing is not
/// known yet.
pub(super) const ONLY: usize = 0;

/// What one search reads and records.
pub(super) struct SearchView<'v, 'q> {
    pub problem: &'v TargetProblem<'q>,
    pub facts: &'v Facts,
    pub specifier_cache: &'v SpecifierCache,
    pub shared: &'v SharedVersions,
    pub assumptions: &'v Assumptions,
    pub missing: RefCell<MissingFacts>,
    pub discovered: RefCell<Discovered>,
}

/// One dependency of a version, as versions of another project.
pub(super) struct DependencyEdge {
    pub name: PackageName,
    pub extras: Vec<ExtraName>,
    pub set: VersionSet,
}

/// The source of a project's versions.
pub(super) enum PackageSource<'v, 'q> {
    /// One file, whatever an index has.
    Direct(&'v DirectUrl),
    Listed(Rc<CandidateSelector<'q>>),
    /// The listing is not known yet.
    Pending,
}

impl<'v, 'q> SearchView<'v, 'q> {
    pub fn requirements_of(&self, name: &PackageName) -> Option<&'v ProjectRequirements<'q>> {
        self.problem.lines.of_project(name)
    }

    /// Returns the source of `name`; an unknown listing is recorded as missing.
    pub fn source(&self, name: &PackageName) -> PackageSource<'v, 'q> {
        if let Some(direct) = self.direct(name) {
            return PackageSource::Direct(direct);
        }
        if let Some(selector) = self.problem.selector(name, self.facts) {
            return PackageSource::Listed(selector);
        }
        if !self.facts.unavailable.contains(name) {
            let has_hashes = !self.problem.hashes(name).is_empty();
            self.missing.borrow_mut().listings.insert(name.clone(), has_hashes);
        }
        PackageSource::Pending
    }

    /// Returns the file that `name` comes from, by the user's lines or by metadata.
    fn direct(&self, name: &PackageName) -> Option<&'v DirectUrl> {
        let named = self.requirements_of(name).and_then(|asked| asked.file.as_ref());
        named.and_then(|file| file.as_ref().ok()).or_else(|| self.assumptions.files.get(name))
    }

    /// Returns the versions of `name` that `specifiers` and the constraints allow.
    pub fn allowed(&self, name: &PackageName, specifiers: &Specifiers) -> VersionSet {
        let source = self.source(name);
        let own = self.matching_versions(name, specifiers, &source);
        match self.requirements_of(name) {
            Some(asked) if !asked.bounds.is_any() => {
                own.intersection(&self.matching_versions(name, &asked.bounds, &source))
            }
            _ => own,
        }
    }

    fn matching_versions(
        &self,
        name: &PackageName,
        specifiers: &Specifiers,
        source: &PackageSource<'_, '_>,
    ) -> VersionSet {
        match source {
            PackageSource::Direct(DirectUrl { version: Some(version), .. }) if !specifiers.contains(version) => {
                VersionSet::empty()
            }
            PackageSource::Direct(_) | PackageSource::Pending => VersionSet::full(),
            PackageSource::Listed(selector) => self.specifier_cache.of(name, specifiers, selector.candidates()),
        }
    }

    /// Returns the version of `set` to try first.
    pub fn choose(&self, name: &PackageName, set: &VersionSet) -> Option<usize> {
        let PackageSource::Listed(selector) = self.source(name) else {
            return set.contains(&number(ONLY)).then_some(ONLY);
        };
        let versions = selector.candidates().versions();
        let mut among = positions(set, versions.len());
        if self.assumptions.strict.contains(name) {
            let eligible = self.eligible_by_lines(name, &selector);
            among.retain(|position| eligible.contains(position));
        }
        let shared = self.shared.of(name).iter().filter_map(|version| versions.binary_search(version).ok());
        selector.choose(&among, self.opt_in(name), &shared.collect::<Vec<_>>())
    }

    /// Returns the versions that the pre-release rule allows by the user's lines alone.
    fn eligible_by_lines(&self, name: &PackageName, selector: &CandidateSelector<'_>) -> Vec<usize> {
        let any = Specifiers::any();
        let specifiers = self.requirements_of(name).map_or(&any, |asked| &asked.specifiers);
        let among = positions(&self.allowed(name, specifiers), selector.candidates().versions().len());
        selector.eligible(&among, self.opt_in(name)).into_owned()
    }

    /// Returns the version at a position, if the file or its name states it.
    pub fn version(&self, name: &PackageName, position: usize) -> Option<Version> {
        match self.source(name) {
            PackageSource::Direct(direct) => direct.version.clone(),
            PackageSource::Listed(selector) => selector.candidates().versions().get(position).cloned(),
            PackageSource::Pending => None,
        }
    }

    /// Returns the file of a chosen version.
    pub fn file(&self, name: &PackageName, position: usize) -> Option<Arc<FileLink>> {
        match self.source(name) {
            PackageSource::Pending => None,
            PackageSource::Direct(direct) => Some(direct.link.clone()),
            PackageSource::Listed(selector) => {
                let candidate = selector.best_of(position, self.opt_in(name))?;
                Some(Arc::new(FileLink::of(&candidate, self.problem.hashes(name))))
            }
        }
    }

    /// Returns the metadata of a version; `None` while it is not known.
    pub fn metadata(
        &self,
        name: &PackageName,
        position: usize,
    ) -> Option<&'v Result<Arc<ResolutionMetadata>, MetadataUnavailable>> {
        let known = match self.source(name) {
            PackageSource::Pending => return None,
            PackageSource::Direct(direct) => self.facts.metadata.get(&direct.link.url),
            PackageSource::Listed(selector) => self.facts.metadata.get(&self.candidate(name, &selector, position)?.url),
        };
        if known.is_none() {
            let link = self.file(name, position)?;
            self.missing.borrow_mut().metadata.insert(link.url.clone(), (name.clone(), link));
        }
        known
    }

    fn candidate(
        &self,
        name: &PackageName,
        selector: &CandidateSelector<'_>,
        position: usize,
    ) -> Option<Arc<Candidate>> {
        selector.best_of(position, self.opt_in(name))
    }

    /// Whether no earlier search discovered a URL in metadata.
    pub fn assumes_no_file(&self) -> bool {
        self.assumptions.files.is_empty() && self.assumptions.refused.is_empty()
    }

    /// Whether the versions of a node come from a known listing.
    pub fn is_listed(&self, node: &Node) -> bool {
        node.project().is_none_or(|name| matches!(self.source(name), PackageSource::Listed(_)))
    }

    /// Whether a line of metadata applies with one of `extras`.
    pub fn holds(&self, dependency: &Dependency, extras: &[ExtraName]) -> bool {
        dependency.marker.evaluate(self.problem.target.markers(), extras)
    }

    /// Returns a line of metadata as errors quote it: with its marker where that turns on the patch release of
    /// Python, which few people think of when they name a target.
    pub fn quoted(&self, dependency: &Dependency) -> String {
        match dependency.marker.text().filter(|marker| marker.contains("python_full_version")) {
            Some(marker) => {
                let python = &self.problem.target.markers().python_full_version().string;
                format!("{dependency:#} ; {marker} (the target has Python {python})")
            }
            None => format!("{dependency:#}"),
        }
    }

    /// Converts a line of the metadata of `own`, in the version at `position`, into an edge.
    ///
    /// # Errors
    /// When the project must come from a file that cannot be used.
    pub fn edge(&self, dependency: &Dependency, own: &PackageName, position: usize) -> Result<DependencyEdge, String> {
        let name = &dependency.name;
        if let Some(Err(reason)) = self.requirements_of(name).and_then(|asked| asked.file.as_ref()) {
            return Err(format!("the file that is asked for as {name} cannot be used: {reason}"));
        }
        let set = match &dependency.source {
            DependencySource::Versions(specifiers) => self.allowed(name, specifiers),
            DependencySource::Url(url) => {
                let version = self.version(own, position).map(|version| format!(" {version}"));
                let found = self.file_at(name, url)?;
                if found.link.url.is_local() && !self.is_on_this_machine(own, position) {
                    return Err(format!(
                        "{name} at {url} is of this machine, which only files of this machine may name; name it yourself \
                         if it is meant"
                    ));
                }
                self.take_url(name, found, format!("{own}{}", version.unwrap_or_default()))?;
                VersionSet::full()
            }
        };
        Ok(DependencyEdge { name: name.clone(), extras: dependency.extras.clone(), set })
    }

    /// Records what lines allow, if that makes a difference among the versions of `set`.
    pub fn note_opt_in(&self, name: &PackageName, asks: OptIn, set: &VersionSet) {
        let known = self.opt_in(name);
        if known.or(asks) == known || self.assumptions.strict.contains(name) {
            return;
        }
        let PackageSource::Listed(selector) = self.source(name) else { return };
        let versions = selector.candidates().versions();
        let among = positions(set, versions.len());
        let is_hidden = |position: &usize| {
            asks.pre_releases && versions[*position].any_prerelease() || asks.yanked && selector.is_withdrawn(*position)
        };
        if among.iter().any(is_hidden) {
            let mut discovered = self.discovered.borrow_mut();
            let known = discovered.opt_ins.entry(name.clone()).or_default();
            *known = known.or(asks);
        }
    }

    /// Whether the files of the version at `position` are of this machine.
    fn is_on_this_machine(&self, name: &PackageName, position: usize) -> bool {
        match self.source(name) {
            PackageSource::Direct(direct) => direct.link.is_of_this_machine(),
            PackageSource::Listed(selector) => {
                let files = selector.candidates().files(position);
                files.iter().all(|file| file.url.is_local())
            }
            PackageSource::Pending => false,
        }
    }

    /// Returns what the specifiers of `name` allow, as far as is known or assumed.
    pub fn opt_in(&self, name: &PackageName) -> OptIn {
        let own = self.requirements_of(name).map(|asked| asked.opt_in).unwrap_or_default();
        if self.assumptions.strict.contains(name) { own } else { own.or(self.assumptions.opt_in(name)) }
    }

    /// Records the URL in metadata as the source of the project, unless another one was assumed.
    fn take_url(&self, name: &PackageName, found: DirectUrl, named_by: String) -> Result<(), String> {
        if self.assumptions.refused.contains(&found.link.url) {
            return Err(format!("{name} cannot come from {}", found.link.url));
        }
        match self.direct(name) {
            Some(known) if known.link.url == found.link.url => Ok(()),
            Some(known) => Err(format!("{name} comes from {} already", known.link.url)),
            None => {
                let found = DirectUrl { named_by: Some(named_by), ..found };
                self.discovered.borrow_mut().files.entry(name.clone()).or_insert(found);
                Ok(())
            }
        }
    }

    /// Returns the file of `name` at a URL that metadata names.
    fn file_at(&self, name: &PackageName, text: &str) -> Result<DirectUrl, String> {
        let url: MaskedUrl = text.parse().map_err(|error| format!("its URL `{text}` is none: {error}"))?;
        let found = DirectUrl::of_url(name, &url, self.problem.hashes(name), self.problem.target);
        found.map_err(|reason: Reason| reason.to_string())
    }
}
