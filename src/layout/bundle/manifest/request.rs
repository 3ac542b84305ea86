//! The requests in a manifest: requirements and options as they were asked.

use serde::{Deserialize, Serialize};

use crate::domain::{
    Dependency, DependencySource, FormatControl, MaskedUrl, Origin, ReleaseControl, Request, Requirement, Source,
};

use super::super::WHEELS;
use super::ManifestValueError;
use super::from_domain::portable;

/// Requirements, and the options that hold for them, on some targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRequest {
    /// In the order in which they were read.
    pub requirements: Vec<ManifestRequirement>,
    pub options: ManifestOptions,
    /// Ids of the targets that it is for.
    pub targets: Vec<String>,
}

/// One line that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRequirement {
    /// As PEP 508 has it; an archive named by URL or path is `name @ ./wheels/FILE`.
    pub requirement: String,
    /// The digests it allows, as `sha256:…`; none allows all.
    pub hashes: Vec<String>,
    /// It bounds a project and asks for nothing.
    pub constraint: bool,
    /// `file:line`.
    pub source: String,
}

/// The options that decide which files may be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestOptions {
    pub only_binary: Vec<String>,
    pub no_binary: Vec<String>,
    pub all_releases: Vec<String>,
    pub only_final: Vec<String>,
    pub prefer_binary: bool,
    pub require_hashes: bool,
    /// Whether what the requirements need was asked, too.
    pub dependencies: bool,
}

/// `request` as the manifest keeps it: an archive that it names by URL or path is the bundle's.
///
/// # Errors
/// Names what could not be read again.
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

    /// The request, where `ids` are those of all targets.
    ///
    /// # Errors
    /// Names what cannot be read.
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

/// The values of `one` and `other`, `:all:` before the names, which it would take back; with whether
/// each is of `one`.
fn all_first<'a>(one: &'a [String], other: &'a [String]) -> Vec<(bool, &'a String)> {
    let mut values: Vec<_> =
        one.iter().map(|value| (true, value)).chain(other.iter().map(|value| (false, value))).collect();
    values.sort_by_key(|(_, value)| *value != ":all:");
    values
}

impl ManifestRequirement {
    /// Absent for what cannot be fetched: no target needs it, or nothing would have been bundled.
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
            vcs_info: None,
            origin: read_origin(&self.source),
        })
    }
}

/// `name[extras] @ ./wheels/FILE ; marker`; a name with blanks is kept in percent-encoding.
fn in_bundle(requirement: &Requirement, filename: &str) -> Option<String> {
    let name = requirement.name.as_ref()?;
    let extras: Vec<_> = requirement.extras.iter().map(ToString::to_string).collect();
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let filename = percent_encoding::utf8_percent_encode(filename, percent_encoding::CONTROLS);
    Some(format!("{name}{extras} @ ./{WHEELS}/{}{}", filename.to_string().replace(' ', "%20"), requirement.marker))
}

/// The URL by which files of a bundle are known while an install is replayed.
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
