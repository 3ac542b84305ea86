//! Checks of what a build made: a wheel, of the release that the archive is of.

use std::fs::File;
use std::path::Path;

use crate::domain::{CoreMetadata, MetadataUnavailable, PackageName, SourceFilename, Version, WheelFilename};
use crate::index::{MetadataResult, wheel_metadata};
use crate::interpreter::BuildError;
use crate::ops::fetch_error::FetchError;

/// Returns the last part of a path, whatever folders a backend put before it.
pub fn base_name(path: &str) -> &Path {
    Path::new(Path::new(path).file_name().unwrap_or_default())
}

/// Refuses a file called `filename` that is no wheel of the release in the name of its `archive`.
///
/// # Errors
/// When the file name or the content is no wheel's, or the wheel is of another release.
pub fn check_wheel(wheel: File, filename: &str, project: &PackageName, archive: &str) -> Result<(), FetchError> {
    let answer = |why: String| BuildError::Answer(format!("`{filename}` is no wheel: {why}"));
    let name: WheelFilename = filename.parse().map_err(|why| answer(format!("{why}")))?;
    let file = wheel_metadata::read(wheel, &name);
    let file = file.map_err(|why| answer(why.to_string()))?;
    match check_identity(file.metadata, project, archive) {
        Err(MetadataUnavailable::Refused(why)) => Err(FetchError::Refused(why)),
        _ => Ok(()),
    }
}

/// Refuses metadata of another release than the one in the archive's name.
///
/// # Errors
/// When the metadata states another project or version.
pub fn check_identity(metadata: CoreMetadata, project: &PackageName, filename: &str) -> MetadataResult {
    let is_project = metadata.name.parse().is_ok_and(|name: PackageName| name == *project);
    let is_version = SourceFilename::parse(filename, project)
        .map_or(true, |source| metadata.version.parse().is_ok_and(|version: Version| version == source.version));
    if is_project && is_version {
        return Ok(metadata);
    }
    let CoreMetadata { name, version, .. } = metadata;
    Err(MetadataUnavailable::Refused(format!(
        "its build says that it is `{name} {version}`, which its file name does not"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_of_another_release_is_refused() {
        let is_accepted = |name: &str, version: &str| {
            let metadata = CoreMetadata { name: name.into(), version: version.into(), ..CoreMetadata::default() };
            check_identity(metadata, &"demo-pkg".parse().unwrap(), "Demo_Pkg-1.0.tar.gz").is_ok()
        };
        assert!(is_accepted("demo.pkg", "1.0") && is_accepted("Demo-Pkg", "1.0.0"));
        assert!(!is_accepted("demo-pkg", "1.1") && !is_accepted("other", "1.0") && !is_accepted("demo-pkg", ""));
    }
}
