//! What a distribution that lies at hand says of itself.

use std::io::{Read, Seek};

use crate::domain::{About, CoreMetadata, Needs, PackageName, SourceFilename, Unknown, WheelFilename};
use crate::index::sdist_metadata::{self, BuildNeeds, SdistError, TopFiles};
use crate::index::{self, wheel_metadata};

/// What was found in a wheel or source archive.
#[derive(Clone, Debug)]
pub struct Inside {
    pub needs: Result<Needs, Unknown>,
    /// What its build needs (PEP 518); nothing for a wheel.
    pub build: Option<BuildNeeds>,
    pub about: About,
}

impl Inside {
    /// Looks into the file `filename` of `project`, if it is known of which.
    pub fn of(input: impl Read + Seek, filename: &str, project: Option<&PackageName>) -> Self {
        match filename.parse::<WheelFilename>() {
            Ok(wheel) => Self::of_wheel(input, &wheel),
            Err(_) => Self::of_source(input, filename, project),
        }
    }

    fn of_wheel(input: impl Read + Seek, filename: &WheelFilename) -> Self {
        match wheel_metadata::read(input, filename) {
            Ok(file) => Self { needs: Ok(Needs::of(&file.metadata)), build: None, about: index::about(&file.bytes) },
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
        let needs = top.core_metadata(identity).map(|metadata: CoreMetadata| Needs::of(&metadata));
        Self {
            needs: needs.map_err(|error| match error {
                SdistError::NeedsBuild => Unknown::NeedsBuild,
                other => Unknown::Refused(other.to_string()),
            }),
            build: Some(top.build_needs()),
            about: about(&top),
        }
    }

    fn refused(why: String) -> Self {
        Self { needs: Err(Unknown::Refused(why)), build: None, about: About::default() }
    }
}

fn about(top: &TopFiles) -> About {
    top.pkg_info.as_ref().map(|file| index::about(&file.bytes)).unwrap_or_default()
}
