//! Inspects a local distribution: its metadata, summary and file list.

use std::io::{Read, Seek};

use crate::domain::{
    CoreMetadata, MetadataUnavailable, PackageName, ProjectSummary, ResolutionMetadata, SourceFilename, WheelFilename,
};
use crate::index::sdist_metadata::{self, BuildRequirements, SdistError, TopFiles};
use crate::index::{self, wheel_metadata};

/// What was found in a wheel or source archive.
#[derive(Clone, Debug)]
pub struct DistributionInspection {
    pub metadata: Result<ResolutionMetadata, MetadataUnavailable>,
    /// The build requirements (PEP 518); `None` for a wheel.
    pub build: Option<BuildRequirements>,
    pub project_summary: ProjectSummary,
}

impl DistributionInspection {
    /// Inspects the file `filename` of `project`, if the project is known.
    pub fn of(input: impl Read + Seek, filename: &str, project: Option<&PackageName>) -> Self {
        match filename.parse::<WheelFilename>() {
            Ok(wheel) => Self::of_wheel(input, &wheel),
            Err(_) => Self::of_source(input, filename, project),
        }
    }

    fn of_wheel(input: impl Read + Seek, filename: &WheelFilename) -> Self {
        match wheel_metadata::read(input, filename) {
            Ok(file) => Self {
                metadata: Ok(ResolutionMetadata::of(&file.metadata)),
                build: None,
                project_summary: index::project_summary(&file.bytes),
            },
            Err(error) => Self::refused(error.to_string()),
        }
    }

    fn of_source(input: impl Read + Seek, filename: &str, project: Option<&PackageName>) -> Self {
        let top = match sdist_metadata::top_files(input, filename) {
            Ok(top) => top,
            Err(error) => return Self::refused(error.to_string()),
        };
        let source = project.map_or_else(|| top.release(filename), |name| SourceFilename::parse(filename, name)).ok();
        let identity = source.as_ref().map(|source| (&source.name, &source.version));
        let metadata = top.core_metadata(identity).map(|metadata: CoreMetadata| ResolutionMetadata::of(&metadata));
        Self {
            metadata: metadata.map_err(|error| match error {
                SdistError::NeedsBuild => MetadataUnavailable::NeedsBuild,
                other => MetadataUnavailable::Refused(other.to_string()),
            }),
            build: Some(top.build_requirements()),
            project_summary: project_summary(&top),
        }
    }

    fn refused(why: String) -> Self {
        Self {
            metadata: Err(MetadataUnavailable::Refused(why)),
            build: None,
            project_summary: ProjectSummary::default(),
        }
    }
}

fn project_summary(top: &TopFiles) -> ProjectSummary {
    top.pkg_info.as_ref().map(|file| index::project_summary(&file.bytes)).unwrap_or_default()
}
