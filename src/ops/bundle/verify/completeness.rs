//! Proves the completeness of a bundle: the resolver repeats the install of each target with the
//! bundle as the only index.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::file_check::CheckedFile;
use super::{Finding, FindingKind, TargetProof};
use crate::domain::{
    Algorithm, Candidates, Dependency, Fetched, FileRecord, ListingBuilder, MaskedUrl, MetadataSource,
    MetadataUnavailable, PackageName, Question, ResolutionMetadata, ResolvedPackage, Sha256, Solution, Target,
    TargetedQuestion,
};
use crate::layout::{BUNDLE_ROOT, Manifest, ManifestValueError, WHEELS};
use crate::ops::build_tools;
use crate::ops::distribution_inspection::DistributionInspection;
use crate::resolve::{Facts, Failure, MissingFacts, Step, step};

/// The distributions in a bundle, with their metadata.
pub struct AvailableFiles<'a> {
    pub targets: Vec<Arc<Target>>,
    /// The distributions, by path.
    pub files: BTreeMap<String, AvailableFile<'a>>,
    /// The paths of the source archives, by the URLs that the resolver knows them by.
    sources: BTreeMap<MaskedUrl, String>,
}

/// One distribution of a bundle.
pub struct AvailableFile<'a> {
    pub project: PackageName,
    pub filename: &'a str,
    pub sha256: Sha256,
    /// Size in bytes.
    pub size: u64,
    pub inspection: &'a DistributionInspection,
    /// The digest of the archive that it was built from, if it was: a line's `--hash` may be that.
    archive: Option<String>,
    /// Whether its dependencies were found out by a build when the bundle was made.
    is_built: bool,
    /// Positions in [`AvailableFiles::targets`] of the targets that it serves.
    pub targets: Vec<usize>,
    /// The dependencies that its project has on all of its targets by the manifest; used if only a
    /// build could tell them.
    pub dependencies: Vec<Dependency>,
}

impl<'a> AvailableFile<'a> {
    /// Returns its metadata, as far as it can be known.
    fn metadata(&self) -> Result<ResolutionMetadata, MetadataUnavailable> {
        match &self.inspection.metadata {
            told if self.is_built || *told == Err(MetadataUnavailable::NeedsBuild) => {
                Ok(ResolutionMetadata { dependencies: self.dependencies.clone(), ..ResolutionMetadata::default() })
            }
            told => told.clone(),
        }
    }
}

impl<'a> AvailableFiles<'a> {
    /// Returns the files of an archive that its manifest lists.
    ///
    /// # Errors
    /// When the manifest's targets or names cannot be read.
    pub(super) fn of_manifest(manifest: &'a Manifest, checked: &'a [CheckedFile]) -> Result<Self, ManifestValueError> {
        let found: BTreeMap<_, _> = checked.iter().map(|file| (file.path.as_str(), file)).collect();
        let targets = manifest.to_targets()?;
        let positions: BTreeMap<_, _> =
            targets.iter().enumerate().map(|(position, target)| (target.id(), position)).collect();
        let mut files = BTreeMap::new();
        for (package, file) in manifest.files() {
            let Some(checked) = found.get(file.path.as_str()) else { continue };
            let (Some(inspection), Some(sha256)) = (&checked.inspection, checked.sha256) else { continue };
            let project = package.name.parse().map_err(|_| ManifestValueError(package.name.clone()))?;
            let served = file.targets.iter().filter_map(|id| positions.get(id.as_str()).copied()).collect();
            let everywhere = package.dependencies.iter().filter(|name| !package.dependency_targets.contains_key(*name));
            let available = AvailableFile {
                project,
                filename: &file.filename,
                sha256,
                size: checked.size,
                inspection,
                archive: file.built_from.as_ref().map(|from| from.sha256.clone()),
                is_built: file.metadata.as_deref() == Some(MetadataSource::Built.name()),
                targets: served,
                dependencies: everywhere.filter_map(|name| name.parse().ok()).collect(),
            };
            files.insert(file.path.clone(), available);
        }
        Ok(Self::new(targets.clone(), files))
    }

    pub(super) fn of_fetched(fetched: &'a Fetched, inspections: &'a BTreeMap<Sha256, DistributionInspection>) -> Self {
        let available = fetched.files().filter_map(|(package, file)| {
            let (filename, object) = (&*file.link.filename, file.object);
            let targets = package.targets();
            let partial: BTreeSet<_> = package.dependencies.partial(&targets).map(|(name, _)| name).collect();
            let everywhere = package.dependencies.names().filter(|name| !partial.contains(name));
            let available = AvailableFile {
                project: package.name.clone(),
                filename,
                sha256: object.sha256,
                size: object.size,
                inspection: inspections.get(&object.sha256)?,
                archive: file.built_from.as_ref().map(|from| from.sha256.to_string()),
                is_built: file.metadata_source == Some(MetadataSource::Built) && file.built_from.is_none(),
                targets: file.targets.clone(),
                dependencies: everywhere.filter_map(|name| name.as_ref().parse().ok()).collect(),
            };
            Some((format!("{WHEELS}/{filename}"), available))
        });
        Self::new(fetched.targets.clone(), available.collect())
    }

    fn new(targets: Vec<Arc<Target>>, files: BTreeMap<String, AvailableFile<'a>>) -> Self {
        let sources = files.iter().filter(|(_, file)| file.inspection.build.is_some());
        let sources = sources.filter_map(|(path, _)| Some((root().join(&href(path)).ok()?, path.clone())));
        Self { targets, sources: sources.collect(), files }
    }

    fn facts(&self) -> Facts {
        let root: Arc<MaskedUrl> = Arc::new(root());
        let mut builders = BTreeMap::new();
        let mut facts = Facts::default();
        for (path, file) in &self.files {
            let (href, sha256) = (href(path), file.sha256.to_string());
            let new = || ListingBuilder::new(file.project.clone(), root.clone(), (*root).clone());
            builders.entry(file.project.clone()).or_insert_with(new).push(&FileRecord {
                filename: file.filename,
                href: &href,
                hashes: file.archive.iter().chain([&sha256]).map(|hex| (Algorithm::Sha256, &**hex)).collect(),
                size: Some(file.size),
                ..FileRecord::default()
            });
            if let Ok(url) = root.join(&href) {
                facts.metadata.insert(url, file.metadata().map(Arc::new));
            }
        }
        let indexes = vec![root];
        facts.candidates = builders
            .into_iter()
            .map(|(project, builder)| {
                (project, Arc::new(Candidates::new(vec![builder.finish()], indexes.clone(), false)))
            })
            .collect();
        facts
    }

    /// Returns the source archive at `url`.
    fn source(&self, url: &MaskedUrl) -> Option<&AvailableFile<'a>> {
        self.files.get(self.sources.get(url)?)
    }
}

fn root() -> MaskedUrl {
    BUNDLE_ROOT.parse().expect("it is a URL")
}

fn href(path: &str) -> String {
    const KEPT: percent_encoding::AsciiSet =
        percent_encoding::CONTROLS.add(b' ').add(b'#').add(b'?').add(b'%').add(b':').add(b'"').add(b'<').add(b'>');
    percent_encoding::utf8_percent_encode(path, &KEPT).to_string()
}

/// Checks that each target of a manifest installs from the bundle alone.
pub(super) fn of_manifest(
    manifest: &Manifest,
    available: &AvailableFiles<'_>,
    allow_unprovable: bool,
) -> (Vec<TargetProof>, Vec<Finding>) {
    match manifest.to_questions() {
        Ok(questions) => prove(&questions, available, allow_unprovable),
        Err(error) => {
            let proofs =
                available.targets.iter().map(|target| TargetProof { id: target.id().to_owned(), is_complete: false });
            (proofs.collect(), vec![Finding::new(FindingKind::Manifest, error)])
        }
    }
}

/// Checks that the available files alone answer each target's question; returns a proof per
/// target, and every gap.
pub fn prove(
    questions: &[TargetedQuestion],
    available: &AvailableFiles<'_>,
    allow_unprovable: bool,
) -> (Vec<TargetProof>, Vec<Finding>) {
    let mut replay = Replay { available, facts: available.facts(), findings: Vec::new() };
    for asked in questions {
        replay.answer(asked);
    }
    replay.unasked(questions);
    replay.findings.retain(|finding| !allow_unprovable || finding.kind != FindingKind::Unprovable);
    let is_complete = |id: &str| !replay.findings.iter().any(|finding| finding.targets.iter().any(|each| each == id));
    let proofs = available
        .targets
        .iter()
        .map(|target| target.id())
        .map(|id| TargetProof { id: id.to_owned(), is_complete: is_complete(id) });
    (proofs.collect(), replay.findings)
}

struct Replay<'a> {
    available: &'a AvailableFiles<'a>,
    facts: Facts,
    findings: Vec<Finding>,
}

impl Replay<'_> {
    fn answer(&mut self, asked: &TargetedQuestion) {
        let targets: Vec<_> =
            asked.targets.iter().filter_map(|target| self.available.targets.get(*target).cloned()).collect();
        let (solutions, failures) = self.solve(&asked.question, &targets);
        for failure in failures {
            let ids = failure.targets.iter().map(|target| targets[*target].id().to_owned()).collect();
            let message = format!("the bundle alone does not install: {}", self.explain(&failure));
            self.findings.push(Finding::new(FindingKind::Gap, message).on(ids));
        }
        for (position, solution) in &solutions {
            self.builds(&asked.question, &targets[*position], solution);
        }
    }

    /// Checks that every source archive that `target` gets can be built, as well as its build
    /// requirements.
    fn builds(&mut self, question: &Question, target: &Arc<Target>, solution: &Solution) {
        let mut waiting: Vec<_> = solution.packages.iter().map(|package| package.file.url.clone()).collect();
        let mut seen = BTreeSet::new();
        while let Some(url) = waiting.pop() {
            let Some(file) = self.available.source(&url) else { continue };
            let Some(needs) = file.inspection.build.as_ref().filter(|_| seen.insert(url)) else { continue };
            if let Some(sign) = &needs.fetches_by {
                self.unprovable(file.filename, sign, target);
            }
            let packages = self.builders(question, target, &needs.requires, file.filename);
            let lacks_wheel = |package: &ResolvedPackage| build_tools::needs_wheel(&package.name, &package.version);
            if needs.by_setuptools && packages.iter().any(lacks_wheel) {
                let more = self.builders(question, target, &build_tools::with_wheel(needs), file.filename);
                waiting.extend(more.into_iter().map(|package| package.file.url));
            }
            waiting.extend(packages.into_iter().map(|package| package.file.url));
        }
    }

    /// Returns the packages that the build requirements `lines` of `filename` are solved by.
    fn builders(
        &mut self,
        question: &Question,
        target: &Arc<Target>,
        lines: &[String],
        filename: &str,
    ) -> Vec<ResolvedPackage> {
        let build = build_tools::tool_question(question, lines, &build_tools::build_origin(filename));
        let (solutions, failures) = self.solve(&build, std::slice::from_ref(target));
        for failure in failures {
            self.build_gap(filename, target, &failure);
        }
        solutions.into_values().flat_map(|solution| solution.packages).collect()
    }

    fn build_gap(&mut self, filename: &str, target: &Target, failure: &Failure) {
        let message = format!("{filename} cannot be built from the bundle alone: {}", self.explain(failure));
        self.add(FindingKind::BuildGap, message, target);
    }

    fn unprovable(&mut self, filename: &str, sign: &str, target: &Target) {
        let message =
            format!("{filename} is not provable: its build fetches from elsewhere than an index, as `{sign}` shows");
        self.add(FindingKind::Unprovable, message, target);
    }

    /// Adds a finding on a target, joining it with the same finding on others.
    fn add(&mut self, kind: FindingKind, message: String, target: &Target) {
        let id = target.id().to_owned();
        match self.findings.iter_mut().find(|finding| finding.kind == kind && finding.message == message) {
            Some(expected) => expected.targets.extend((!expected.targets.contains(&id)).then_some(id)),
            None => self.findings.push(Finding::new(kind, message).on(vec![id])),
        }
    }

    /// Describes a failure, and lists the projects that are not in the bundle at all.
    fn explain(&self, failure: &Failure) -> String {
        let projects: BTreeSet<_> = failure.projects().collect();
        let is_absent =
            |name: &&&PackageName| self.facts.candidates.get(*name).is_some_and(|candidates| candidates.is_unknown());
        let absent = projects.iter().filter(is_absent).map(|name| format!("\n  {name} is not in the bundle"));
        // The bundle is the only index, and was named.
        let failure = failure.to_string().replace(&format!(" on {BUNDLE_ROOT}"), "");
        format!("{failure}{}", absent.collect::<String>())
    }

    /// Runs the resolver until only facts are missing that the bundle does not have.
    fn solve(&mut self, question: &Question, targets: &[Arc<Target>]) -> (BTreeMap<usize, Solution>, Vec<Failure>) {
        loop {
            match step(question, targets, &self.facts) {
                Step::Solved(solutions) => return (solutions.into_iter().enumerate().collect(), Vec::new()),
                Step::Impossible { failures, solved } => return (solved, failures),
                Step::Incomplete(missing) => self.tell_absent(missing),
            }
        }
    }

    /// Answers that `missing` does not exist, since all facts were given at the beginning.
    fn tell_absent(&mut self, missing: MissingFacts) {
        for project in missing.listings.into_keys() {
            self.facts.candidates.insert(project, Arc::new(Candidates::new(Vec::new(), vec![Arc::new(root())], false)));
        }
        for (url, _) in missing.metadata {
            let why = MetadataUnavailable::Refused(format!(
                "{url} is not in the bundle; an installer would ask the network for it"
            ));
            self.facts.metadata.insert(url, Err(why));
        }
    }

    fn unasked(&mut self, questions: &[TargetedQuestion]) {
        let asked: BTreeSet<_> = questions.iter().flat_map(|asked| asked.targets.iter().copied()).collect();
        let unasked = self.available.targets.iter().enumerate().filter(|(position, _)| !asked.contains(position));
        let ids: Vec<_> = unasked.map(|(_, target)| target.id().to_owned()).collect();
        if !ids.is_empty() {
            let message = "the manifest does not tell what was asked, so nothing can be proved";
            self.findings.push(Finding::new(FindingKind::Manifest, message).on(ids));
        }
    }
}
