//! The requests in a manifest: the questions that were answered, as the user put them.

use serde::{Deserialize, Serialize};

use crate::domain::{
    Dependency, DependencySource, FormatControl, MaskedUrl, Origin, Question, ReleaseControl, Requirement,
    SelectionPolicy, Source, TargetedQuestion,
};

use super::super::WHEELS;
use super::ManifestValueError;
use super::from_domain::portable;

/// The requirements for some targets, with the options that apply to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRequest {
    /// The requirements, in the order in which they were read.
    pub requirements: Vec<ManifestRequirement>,
    pub options: ManifestOptions,
    /// Ids of the targets that the request is for.
    pub targets: Vec<String>,
}

/// One line of a requirements file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRequirement {
    /// The PEP 508 text; an archive that was named by URL or path is `name @ ./wheels/FILE`.
    pub requirement: String,
    /// The allowed digests, each as `sha256:…`; if empty, every digest is allowed.
    pub hashes: Vec<String>,
    /// Whether it is a constraint, which bounds a project's version and asks for nothing.
    pub constraint: bool,
    /// The origin, as `file:line`.
    pub source: String,
}

/// The options that decide which files are allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestOptions {
    pub only_binary: Vec<String>,
    pub no_binary: Vec<String>,
    pub all_releases: Vec<String>,
    pub only_final: Vec<String>,
    pub prefer_binary: bool,
    pub require_hashes: bool,
    /// Whether dependencies were followed.
    pub dependencies: bool,
}

/// Returns the question as a manifest would state it: archives named by URL or path become files of
/// the bundle, and options that only chose among files of the index are left out.
///
/// # Errors
/// When a requirement or option cannot be read back; the error names it.
pub fn bundled(asked: &TargetedQuestion) -> Result<TargetedQuestion, ManifestValueError> {
    let Question { requirements, policy, require_hashes, follow_dependencies, .. } = &asked.question;
    let kept = requirements.iter().filter_map(ManifestRequirement::of);
    let question = Question {
        requirements: kept.map(|requirement| requirement.to_domain()).collect::<Result<_, _>>()?,
        policy: SelectionPolicy { exclude_newer: None, ..policy.clone() },
        require_hashes: *require_hashes,
        follow_dependencies: *follow_dependencies,
        ..Question::default()
    };
    Ok(question.for_targets(asked.targets.clone()))
}

impl ManifestRequest {
    pub(super) fn of(asked: &TargetedQuestion, ids: &[String]) -> Self {
        let TargetedQuestion { question, targets } = asked;
        let SelectionPolicy { formats, releases, prefer_binary, exclude_newer: _ } = &question.policy;
        Self {
            requirements: question.requirements.iter().filter_map(ManifestRequirement::of).collect(),
            options: ManifestOptions {
                only_binary: formats.only_binary_values(),
                no_binary: formats.no_binary_values(),
                all_releases: releases.all_releases_values(),
                only_final: releases.only_final_values(),
                prefer_binary: *prefer_binary,
                require_hashes: question.require_hashes,
                dependencies: question.follow_dependencies,
            },
            targets: targets.iter().map(|position| ids[*position].clone()).collect(),
        }
    }

    /// Returns the question that the request states; `ids` are the ids of all targets.
    ///
    /// # Errors
    /// When a value cannot be read; the error names it.
    pub(super) fn to_domain(&self, ids: &[&str]) -> Result<TargetedQuestion, ManifestValueError> {
        let position = |id: &String| ids.iter().position(|each| each == id).ok_or_else(|| ManifestValueError::new(id));
        let question = Question {
            requirements: self.requirements.iter().map(ManifestRequirement::to_domain).collect::<Result<_, _>>()?,
            policy: SelectionPolicy {
                formats: self.options.formats()?,
                releases: self.options.releases()?,
                prefer_binary: self.options.prefer_binary,
                exclude_newer: None,
            },
            require_hashes: self.options.require_hashes,
            follow_dependencies: self.options.dependencies,
            ..Question::default()
        };
        Ok(question.for_targets(self.targets.iter().map(position).collect::<Result<_, _>>()?))
    }
}

impl ManifestOptions {
    fn formats(&self) -> Result<FormatControl, ManifestValueError> {
        let mut formats = FormatControl::default();
        for (is_only, value) in all_first(&self.only_binary, &self.no_binary) {
            if is_only { formats.only_binary(value) } else { formats.no_binary(value) }.map_err(ManifestValueError)?;
        }
        Ok(formats)
    }

    fn releases(&self) -> Result<ReleaseControl, ManifestValueError> {
        let mut releases = ReleaseControl::default();
        for (is_all, value) in all_first(&self.all_releases, &self.only_final) {
            if is_all { releases.all_releases(value) } else { releases.only_final(value) }
                .map_err(ManifestValueError)?;
        }
        Ok(releases)
    }
}

/// Returns the values of `one` and `other`, each with whether it is of `one`.
///
/// `:all:` comes first, since it would undo the names before it.
fn all_first<'a>(one: &'a [String], other: &'a [String]) -> Vec<(bool, &'a String)> {
    let mut values: Vec<_> =
        one.iter().map(|value| (true, value)).chain(other.iter().map(|value| (false, value))).collect();
    values.sort_by_key(|(_, value)| *value != ":all:");
    values
}

impl ManifestRequirement {
    /// Returns `None` for a requirement that cannot be fetched: no target needs it, or there would
    /// be no bundle.
    fn of(requirement: &Requirement) -> Option<Self> {
        let filename = match &requirement.source {
            Source::Index(_) => None,
            Source::Url(url) => Some(url.filename()),
            Source::Archive(path) => Some(path.file_name()?.to_str()?.to_owned()),
            Source::Project(_) | Source::Repository(_) => return None,
        };
        let in_fragment = match &requirement.source {
            Source::Url(url) => url.digest(),
            _ => None,
        };
        Some(Self {
            requirement: match filename {
                Some(filename) => in_bundle(requirement, &filename)?,
                None => requirement.to_string(),
            },
            hashes: requirement.hashes.iter().chain(&in_fragment).map(ToString::to_string).collect(),
            constraint: requirement.constraint,
            source: portable(&requirement.origin).to_string(),
        })
    }

    fn to_domain(&self) -> Result<Requirement, ManifestValueError> {
        let wrong = || ManifestValueError::new(&self.requirement);
        let dependency: Dependency = self.requirement.parse().map_err(|_| wrong())?;
        let source = match dependency.source {
            DependencySource::Versions(specifiers) => Source::Index(specifiers),
            DependencySource::Url(path) => Source::Url(bundle_url(&path).ok_or_else(wrong)?),
        };
        let hashes = self.hashes.iter().map(|text| text.parse().map_err(|_| ManifestValueError::new(text)));
        Ok(Requirement {
            extras: dependency.extras,
            marker: dependency.marker,
            hashes: hashes.collect::<Result<_, _>>()?,
            constraint: self.constraint,
            ..Requirement::named(dependency.name, source, read_origin(&self.source))
        })
    }
}

/// Returns `name[extras] @ ./wheels/FILE ; marker`, with blanks in the file name percent-encoded.
fn in_bundle(requirement: &Requirement, filename: &str) -> Option<String> {
    let name = requirement.name.as_ref()?;
    let extras: Vec<_> = requirement.extras.iter().map(ToString::to_string).collect();
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let filename = percent_encoding::utf8_percent_encode(filename, percent_encoding::CONTROLS);
    Some(format!("{name}{extras} @ ./{WHEELS}/{}{}", filename.to_string().replace(' ', "%20"), requirement.marker))
}

/// The base URL that stands for the bundle's folder while an install is checked.
pub const BUNDLE_ROOT: &str = "bundle:///";

fn bundle_url(path: &str) -> Option<MaskedUrl> {
    let root: MaskedUrl = BUNDLE_ROOT.parse().ok()?;
    root.join(path.strip_prefix("./")?).ok()
}

pub(super) fn read_origin(text: &str) -> Origin {
    let numbered = text.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    let (file, line) = numbered.unwrap_or((text, 0));
    Origin { file: file.into(), line }
}
