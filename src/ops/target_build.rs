//! What is left for targets to build: the source archives that they install.

use crate::domain::{Fetched, Sha256, SourceInstall};
use crate::index::sdist_metadata::{self, BuildRequirements};
use crate::store::DiskStore;

/// A source archive that targets build where they install it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetBuild {
    pub install: SourceInstall,
    /// The languages of what the build compiles, as far as files tell.
    pub languages: Vec<&'static str>,
}

impl TargetBuild {
    /// Returns the builds of archives in `fetched`, which have these `needs`.
    pub(in crate::ops) fn all_of(fetched: &Fetched, needs: impl Fn(Sha256) -> Option<BuildRequirements>) -> Vec<Self> {
        let build = |install: SourceInstall| {
            let needs = install.sha256.and_then(&needs);
            let languages = needs.map(|needs| needs.languages.into_iter().collect()).unwrap_or_default();
            Self { install, languages }
        };
        fetched.source_installs().into_iter().map(build).collect()
    }
}

/// Returns what the targets have to build of `fetched`, whose files are in `store`.
pub fn target_builds(fetched: &Fetched, store: &DiskStore) -> Vec<TargetBuild> {
    let filename = |sha256: Sha256| {
        fetched.files().find(|(_, file)| file.object.sha256 == sha256).map(|(_, file)| &*file.link.filename)
    };
    TargetBuild::all_of(fetched, |sha256| {
        let top = sdist_metadata::top_files(store.open(sha256).ok()?, filename(sha256)?).ok()?;
        Some(top.build_requirements())
    })
}
