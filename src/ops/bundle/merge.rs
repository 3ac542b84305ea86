//! `prefetch merge`: makes one bundle that serves the targets of two.

use std::collections::BTreeSet;
use std::path::Path;

use super::BundleError;
use super::open_bundle::{BundleOverlay, OpenBundle};
use crate::archive::{ArchiveFormat, CancelFlag, FileSink, TreeSink as _, parent};
use crate::domain::{Fetched, FetchedFile, FetchedPackage, Question, TargetedQuestion, Timestamp};
use crate::layout::{self, BundleInput, ProjectSummaries, SBOMS, SbomFormat, Sboms};

/// Writes a bundle for all targets of both as `out`, with the bills of materials that either has,
/// dated `created` if that is given. Returns the locks of projects by which their tools install from
/// one of the two, and not from this.
///
/// # Errors
/// When a bundle cannot be read, both serve one target by different requests, two different files
/// have one name, `out` cannot be written, or `cancel` was set meanwhile.
pub fn merge(
    first: &Path,
    second: &Path,
    out: &Path,
    format: &ArchiveFormat,
    created: Option<Timestamp>,
    cancel: &CancelFlag,
) -> Result<BTreeSet<String>, BundleError> {
    let scratch = parent(out);
    let opened = [OpenBundle::open(first, scratch, cancel)?, OpenBundle::open(second, scratch, cancel)?];
    let mut all = MergedParts::default();
    for bundle in &opened {
        all.add(MergedParts::of(bundle)?)?;
    }
    let all = all.in_order();
    let has = |format: &SbomFormat| opened.iter().any(|bundle| format.is_in(&bundle.manifest));
    let sboms = Sboms { formats: SBOMS.iter().filter(|format| has(format)).collect(), created };
    let input = BundleInput {
        fetched: &all.fetched,
        questions: &all.questions,
        summaries: &all.summaries,
        sboms: &sboms,
        project: None,
    };
    let tree = layout::bundle(&input)?;
    FileSink { path: out, format }.write(&tree, &BundleOverlay(opened.iter().collect()))?;
    let projects = opened.iter().filter_map(|bundle| bundle.manifest.project.as_ref());
    Ok(projects.map(|project| project.lock.clone()).collect())
}

/// Everything that the content of the merged bundle depends on.
#[derive(Default)]
struct MergedParts {
    fetched: Fetched,
    questions: Vec<TargetedQuestion>,
    summaries: ProjectSummaries,
}

impl MergedParts {
    fn of(bundle: &OpenBundle) -> Result<Self, BundleError> {
        let fail = |why| BundleError::ManifestValue { path: bundle.path.clone(), why };
        Ok(Self {
            fetched: bundle.manifest.to_fetched().map_err(fail)?,
            questions: bundle.manifest.to_questions().map_err(fail)?,
            summaries: bundle.manifest.to_summaries(),
        })
    }

    fn add(&mut self, other: Self) -> Result<(), BundleError> {
        let positions = self.add_targets(&other)?;
        let other = other.moved(&positions);
        other.questions.into_iter().for_each(|asked| self.add_question(asked));
        other.fetched.packages.into_iter().for_each(|package| self.add_package(package));
        self.fetched.packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        self.summaries.extend(other.summaries);
        Ok(())
    }

    /// Replaces each target's position `n` by `positions[n]`.
    fn moved(mut self, positions: &[usize]) -> Self {
        for asked in &mut self.questions {
            asked.targets = moved(&asked.targets, positions);
        }
        for package in &mut self.fetched.packages {
            package.dependencies = std::mem::take(&mut package.dependencies).moved(positions);
            for file in &mut package.files {
                file.targets = moved(&file.targets, positions);
                file.tools = moved(&file.tools, positions);
            }
        }
        self
    }

    /// Sorts everything, so that the result does not depend on which bundle came first.
    fn in_order(mut self) -> Self {
        let targets = std::mem::take(&mut self.fetched.targets);
        let mut order: Vec<_> = targets.iter().enumerate().collect();
        order.sort_by_key(|(_, target)| target.id());
        let mut positions = vec![0; targets.len()];
        order.iter().enumerate().for_each(|(new, (old, _))| positions[*old] = new);
        self.fetched.targets = order.into_iter().map(|(_, target)| target.clone()).collect();
        let mut all = self.moved(&positions);
        all.questions.sort_by(|a, b| a.targets.cmp(&b.targets));
        all
    }

    /// Adds the targets of the other bundle, and returns their positions among all.
    fn add_targets(&mut self, other: &Self) -> Result<Vec<usize>, BundleError> {
        let mut positions = Vec::new();
        for (position, target) in other.fetched.targets.iter().enumerate() {
            let known = self.fetched.targets.iter().position(|known| known.id() == target.id());
            if let Some(known) = known {
                let is_same = self.fetched.targets[known].description() == target.description()
                    && question(&self.questions, known) == question(&other.questions, position);
                if !is_same {
                    return Err(BundleError::SameTarget { id: target.id().to_owned() });
                }
            }
            positions.push(known.unwrap_or_else(|| {
                self.fetched.targets.push(target.clone());
                self.fetched.targets.len() - 1
            }));
        }
        Ok(positions)
    }

    fn add_question(&mut self, asked: TargetedQuestion) {
        let TargetedQuestion { question, mut targets } = asked;
        targets.retain(|target| !self.questions.iter().any(|known| known.targets.contains(target)));
        match self.questions.iter_mut().find(|known| known.question == question) {
            Some(known) => known.targets.extend(targets),
            None if targets.is_empty() => {}
            None => self.questions.push(question.for_targets(targets)),
        }
    }

    fn add_package(&mut self, package: FetchedPackage) {
        let same = |known: &&mut FetchedPackage| known.name == package.name && known.version == package.version;
        let Some(known) = self.fetched.packages.iter_mut().find(same) else {
            return self.fetched.packages.push(package);
        };
        merge_sorted(&mut known.requested_by, package.requested_by);
        known.dependencies.merge(package.dependencies);
        for file in package.files {
            let same = |held: &&mut FetchedFile| held.object == file.object && held.link.filename == file.link.filename;
            match known.files.iter_mut().find(same) {
                Some(held) => {
                    let place = |file: &FetchedFile| (file.link.url.clone(), file.link.index.clone());
                    if place(&file) < place(held) {
                        held.link = file.link;
                    }
                    merge_sorted(&mut held.targets, file.targets);
                    merge_sorted(&mut held.tools, file.tools);
                }
                None => known.files.push(file),
            }
        }
        known.files.sort_by(|a, b| (&a.link.filename, &a.link.url).cmp(&(&b.link.filename, &b.link.url)));
    }
}

/// Returns the question that was answered for the target at `position`.
fn question(questions: &[TargetedQuestion], position: usize) -> Option<&Question> {
    questions.iter().find(|asked| asked.targets.contains(&position)).map(|asked| &asked.question)
}

fn moved(targets: &[usize], positions: &[usize]) -> Vec<usize> {
    let mut moved: Vec<_> = targets.iter().map(|target| positions[*target]).collect();
    moved.sort_unstable();
    moved
}

fn merge_sorted<T: Ord>(all: &mut Vec<T>, more: Vec<T>) {
    all.extend(more);
    all.sort();
    all.dedup();
}
