//! The requests in a manifest: requirements and options as the user gave them.

use serde::{Deserialize, Serialize};

use crate::domain::{
    Dependency, DependencySource, FormatControl, MaskedUrl, Origin, ReleaseControl, Request, Requirement, Source,
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

/// Returns `request` as a manifest would state it: archives named by URL or path become files of
/// the bundle.
///
/// # Errors
/// When a requirement or option cannot be read back; the error names it.
pub fn bundled(request: &Request) -> Result<Request, ManifestValueError> {
    let kept = request.requirements.iter().filter_map(ManifestRequirement::of);
    let requirements = kept.map(|requirement| requirement.to_domain()).collect::<Result<_, _>>()?;
    Ok(Request { requirements, ..request.clone() })
}

impl ManifestRequest {
    pub(super) fn of(request: &Request, ids: &[String]) -> Self {
        Self {
            requirements: request.requirements.iter().filter_map(ManifestRequirement::of).collect(),
            options: ManifestOptions {
                only_binary: request.formats.only_binary_values(),
                no_binary: request.formats.no_binary_values(),
                all_releases: request.releases.all_releases_values(),
                only_final: request.releases.only_final_values(),
                prefer_binary: request.prefer_binary,
                require_hashes: request.require_hashes,
                dependencies: request.follow_dependencies,
            },
            targets: request.targets.iter().map(|position| ids[*position].clone()).collect(),
        }
    }

    /// Returns the request in domain types; `ids` are the ids of all targets.
    ///
    /// # Errors
    /// When a value cannot be read; the error names it.
    pub(super) fn to_domain(&self, ids: &[&str]) -> Result<Request, ManifestValueError> {
        let position = |id: &String| ids.iter().position(|each| each == id).ok_or_else(|| ManifestValueError::new(id));
        Ok(Request {
            requirements: self.requirements.iter().map(ManifestRequirement::to_domain).collect::<Result<_, _>>()?,
            formats: self.options.formats()?,
            releases: self.options.releases()?,
            prefer_binary: self.options.prefer_binary,
            require_hashes: self.options.require_hashes,
            follow_dependencies: self.options.dependencies,
            targets: self.targets.iter().map(position).collect::<Result<_, _>>()?,
        })
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
            name: Some(dependency.name),
            extras: dependency.extras,
            source,
            marker: dependency.marker,
            hashes: hashes.collect::<Result<_, _>>()?,
            editable: false,
            constraint: self.constraint,
            config_settings: Default::default(),
            origin: read_origin(&self.source),
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
