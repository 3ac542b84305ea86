//! Reads a manifest back into what was fetched and requested.

use std::sync::Arc;

use crate::domain::{
    BuiltFrom, Fetched, FetchedFile, FetchedPackage, FileLink, Linkage, MaskedUrl, MetadataSource, Object,
    ProjectSummary, Status, SystemVersion, Target, TargetDependencies, TargetedQuestion, Yanked,
};

use super::{Manifest, ManifestBuiltFrom, ManifestFile, ManifestPackage, ManifestTarget};
use crate::layout::bundle::ProjectSummaries;

/// A value of a manifest that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the manifest has the value `{0}` where that has no meaning; it was damaged, or written by another tool")]
pub struct ManifestValueError(pub String);

impl ManifestValueError {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Manifest {
    /// Returns the targets, exactly as they were when the bundle was made.
    ///
    /// # Errors
    /// When a target's description cannot be read; the error names it.
    pub fn to_targets(&self) -> Result<Vec<Arc<Target>>, ManifestValueError> {
        self.targets.iter().map(|target| to_target(target).map(Arc::new)).collect()
    }

    /// Returns the questions that were answered for the targets.
    ///
    /// # Errors
    /// When a requirement or option cannot be read; the error names it.
    pub fn to_questions(&self) -> Result<Vec<TargetedQuestion>, ManifestValueError> {
        let ids: Vec<_> = self.targets.iter().map(|target| target.id.as_str()).collect();
        self.requests.iter().map(|request| request.to_domain(&ids)).collect()
    }

    /// Returns the summaries of the distributions, by the SHA-256 of the file.
    pub fn to_summaries(&self) -> ProjectSummaries {
        let project_summary = |package: &ManifestPackage| ProjectSummary {
            license: package.license.clone(),
            summary: package.summary.clone(),
        };
        self.files().filter_map(|(package, file)| Some((file.sha256.parse().ok()?, project_summary(package)))).collect()
    }

    /// Returns what was fetched, as far as the manifest states it.
    ///
    /// # Errors
    /// When a name, version, URL or digest cannot be read; the error names it.
    pub fn to_fetched(&self) -> Result<Fetched, ManifestValueError> {
        let packages = self.packages.iter().map(|package| to_package(package, &self.targets));
        Ok(Fetched { targets: self.to_targets()?, packages: packages.collect::<Result<_, _>>()? })
    }
}

fn to_target(target: &ManifestTarget) -> Result<Target, ManifestValueError> {
    let wrong = || ManifestValueError::new(&target.id);
    // It becomes part of file names, and is printed as it is.
    let is_name =
        |id: &str| !id.starts_with('.') && id.bytes().all(|byte| byte.is_ascii_graphic() && !b"/\\".contains(&byte));
    let description = target.description.as_ref().filter(|_| is_name(&target.id)).ok_or_else(wrong)?;
    Ok(description.target().named(&target.id))
}

fn to_package(package: &ManifestPackage, targets: &[ManifestTarget]) -> Result<FetchedPackage, ManifestValueError> {
    let name = |text: &String| text.parse().map_err(|_| ManifestValueError::new(text));
    let version = package.version.as_ref().map(|text| text.parse().map_err(|_| ManifestValueError::new(text)));
    let files = package.files.iter().map(|file| to_file(file, targets));
    let mut fetched = FetchedPackage {
        name: name(&package.name)?,
        version: version.transpose()?,
        requested_by: package.requested_by.iter().map(|text| super::request::read_origin(text)).collect(),
        dependencies: TargetDependencies::default(),
        files: files.collect::<Result<_, _>>()?,
    };
    let all = fetched.targets();
    let edge = |text: &String| match package.dependency_targets.get(text) {
        Some(ids) => Ok((name(text)?, positions(ids, targets)?)),
        None => Ok((name(text)?, all.clone())),
    };
    fetched.dependencies = package.dependencies.iter().map(edge).collect::<Result<_, _>>()?;
    Ok(fetched)
}

/// Returns the positions of the targets with these ids, rising.
fn positions(ids: &[String], targets: &[ManifestTarget]) -> Result<Vec<usize>, ManifestValueError> {
    let position =
        |id: &String| targets.iter().position(|target| target.id == *id).ok_or_else(|| ManifestValueError::new(id));
    let mut positions = ids.iter().map(position).collect::<Result<Vec<_>, _>>()?;
    positions.sort_unstable();
    Ok(positions)
}

fn to_release(text: &str) -> Result<SystemVersion, ManifestValueError> {
    let numbers = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    numbers.map(|(major, minor)| SystemVersion(major, minor)).ok_or_else(|| ManifestValueError::new(text))
}

fn to_built_from(from: &ManifestBuiltFrom) -> Result<BuiltFrom, ManifestValueError> {
    let url = from.url.clone().unwrap_or_else(|| format!("file:///{}", from.filename));
    Ok(BuiltFrom {
        filename: from.filename.as_str().into(),
        url: url.parse().map_err(|_| ManifestValueError(url))?,
        sha256: from.sha256.parse().map_err(|_| ManifestValueError::new(&from.sha256))?,
        requires: from.build_requires.clone(),
        python: from.python.clone(),
        linkage: Linkage {
            glibc: from.glibc.as_deref().map(to_release).transpose()?,
            has_cpp: from.cpp,
            libraries: from.libraries.clone(),
        },
    })
}

fn to_file(file: &ManifestFile, targets: &[ManifestTarget]) -> Result<FetchedFile, ManifestValueError> {
    let url = |text: &Option<String>| -> Result<MaskedUrl, ManifestValueError> {
        // What came from a local file says no more than that.
        let text = text.clone().unwrap_or_else(|| format!("file:///{}", file.path));
        text.parse().map_err(|_| ManifestValueError(text))
    };
    Ok(FetchedFile {
        link: FileLink {
            filename: file.filename.as_str().into(),
            index: Arc::new(url(&file.index)?),
            requires_python: file.requires_python.as_ref().and_then(|text| text.parse().ok()),
            yanked: Yanked(file.yanked.as_deref().map(Into::into)),
            uploaded: file.uploaded.as_ref().and_then(|text| text.parse().ok()),
            vcs_info: file.vcs_info.clone().map(Arc::new),
            ..FileLink::at(url(&file.url)?)
        },
        targets: positions(&file.targets, targets)?,
        tools: positions(&file.tools, targets)?,
        object: Object {
            sha256: file.sha256.parse().map_err(|_| ManifestValueError::new(&file.sha256))?,
            size: file.size,
        },
        metadata: None,
        metadata_source: file.metadata.as_deref().and_then(MetadataSource::of_name),
        built_from: file.built_from.as_ref().map(to_built_from).transpose()?.map(Arc::new),
        status: Status::Cached,
    })
}
