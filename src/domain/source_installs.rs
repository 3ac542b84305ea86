//! The source archives that targets install, and that are built where that happens.

use super::{Fetched, FetchedFile, Plan, PlannedFile, Sha256};

/// A source archive, and where it is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInstall {
    pub filename: Box<str>,
    /// Known once it is fetched.
    pub sha256: Option<Sha256>,
    /// Ids of the targets that build it, in their order.
    pub targets: Vec<String>,
}

/// A file of one package, as far as it takes to tell.
struct PackageFile<'a> {
    filename: &'a str,
    sha256: Option<Sha256>,
    targets: &'a [usize],
    tools: &'a [usize],
}

impl PackageFile<'_> {
    fn is_wheel(&self) -> bool {
        self.filename.ends_with(".whl")
    }
}

impl<'a> From<&'a PlannedFile> for PackageFile<'a> {
    fn from(file: &'a PlannedFile) -> Self {
        Self { filename: &file.link.filename, sha256: None, targets: &file.targets, tools: &file.tools }
    }
}

impl<'a> From<&'a FetchedFile> for PackageFile<'a> {
    fn from(file: &'a FetchedFile) -> Self {
        let sha256 = Some(file.object.sha256);
        Self { filename: &file.link.filename, sha256, targets: &file.targets, tools: &file.tools }
    }
}

impl Plan {
    /// Returns the source archives that targets install.
    pub fn source_installs(&self) -> Vec<SourceInstall> {
        let ids: Vec<_> = self.targets.iter().map(|target| target.id()).collect();
        self.packages.iter().flat_map(|package| of_package(package.files.iter(), &ids)).collect()
    }
}

impl Fetched {
    /// Returns the source archives that targets install.
    pub fn source_installs(&self) -> Vec<SourceInstall> {
        let ids: Vec<_> = self.targets.iter().map(|target| target.id()).collect();
        self.packages.iter().flat_map(|package| of_package(package.files.iter(), &ids)).collect()
    }
}

fn of_package<'a>(files: impl Iterator<Item = impl Into<PackageFile<'a>>>, ids: &[&str]) -> Vec<SourceInstall> {
    let files: Vec<PackageFile<'a>> = files.map(Into::into).collect();
    // What stands beside a wheel (`--with-sources`) is not installed.
    let has_wheel = |target: usize| files.iter().any(|file| file.is_wheel() && file.targets.contains(&target));
    let install = |file: &PackageFile<'_>| {
        let is_built = |target: &&usize| !file.tools.contains(target) && !has_wheel(**target);
        let targets: Vec<_> = file.targets.iter().filter(is_built).map(|target| ids[*target].to_owned()).collect();
        let (filename, sha256) = (file.filename.into(), file.sha256);
        (!targets.is_empty()).then_some(SourceInstall { filename, sha256, targets })
    };
    files.iter().filter(|file| !file.is_wheel()).filter_map(install).collect()
}
