//! Converts what was fetched into a manifest.

use std::path::Path;

use crate::domain::{BuiltFrom, Fetched, FetchedFile, FetchedPackage, MaskedUrl, Origin, ProjectSummary, Target};

use super::{
    Manifest, ManifestBuiltFrom, ManifestFile, ManifestPackage, ManifestPage, ManifestProject, ManifestRequest,
    ManifestTarget, SCHEMA,
};
use crate::layout::bundle::{BundleInput, ProjectSummaries, WHEELS};

impl Manifest {
    /// Makes the manifest of a bundle, still without its pages.
    pub fn of(input: &BundleInput<'_>) -> Self {
        let ids = ids(input.fetched);
        let mut packages: Vec<_> = input.fetched.packages.iter().collect();
        packages.sort_by_key(|package| (&package.name, &package.version));
        Self {
            schema: SCHEMA,
            requests: input.questions.iter().map(|asked| ManifestRequest::of(asked, &ids)).collect(),
            targets: input.fetched.targets.iter().map(|target| describe_target(target)).collect(),
            packages: packages.into_iter().map(|package| describe_package(package, &ids, input.summaries)).collect(),
            project: None,
            pages: Vec::new(),
        }
    }

    /// Returns the manifest with this project.
    pub fn with_project(self, project: Option<ManifestProject>) -> Self {
        Self { project, ..self }
    }

    /// Returns the manifest with these pages in it.
    pub fn with_pages(self, mut pages: Vec<ManifestPage>) -> Self {
        pages.sort_by(|a, b| a.path.cmp(&b.path));
        Self { pages, ..self }
    }
}

fn ids(fetched: &Fetched) -> Vec<String> {
    fetched.targets.iter().map(|target| target.id().to_owned()).collect()
}

fn describe_target(target: &Target) -> ManifestTarget {
    ManifestTarget {
        id: target.id().to_owned(),
        python_version: target.python_version().to_owned(),
        platform: target.platform().to_string(),
        description: Some(target.description()),
    }
}

fn describe_package(package: &FetchedPackage, ids: &[String], summaries: &ProjectSummaries) -> ManifestPackage {
    let mut files: Vec<_> = package.files.iter().map(|file| describe_file(file, ids)).collect();
    files.sort_by(|a, b| a.filename.cmp(&b.filename));
    let mut by_name: Vec<_> = package.files.iter().collect();
    by_name.sort_by(|a, b| a.link.filename.cmp(&b.link.filename));
    let told = |word: fn(&ProjectSummary) -> &Option<String>| {
        by_name
            .iter()
            .filter_map(|file| summaries.get(&file.object.sha256))
            .find_map(|project_summary| word(project_summary).clone())
    };
    ManifestPackage {
        name: package.name.to_string(),
        version: package.version.as_ref().map(ToString::to_string),
        summary: told(|project_summary| &project_summary.summary),
        license: told(|project_summary| &project_summary.license),
        requested_by: sorted(package.requested_by.iter().map(|origin| portable(origin).to_string())),
        dependencies: package.dependencies.names().map(ToString::to_string).collect(),
        dependency_targets: package
            .dependencies
            .partial(&package.targets())
            .map(|(name, targets)| (name.to_string(), named(targets, ids)))
            .collect(),
        files,
    }
}

fn describe_file(file: &FetchedFile, ids: &[String]) -> ManifestFile {
    let link = &file.link;
    ManifestFile {
        filename: link.filename.to_string(),
        path: format!("{WHEELS}/{}", link.filename),
        size: file.object.size,
        sha256: file.object.sha256.to_string(),
        url: remote(&link.url),
        index: remote(&link.index),
        requires_python: link.requires_python.as_ref().map(ToString::to_string),
        uploaded: link.uploaded.map(|moment| moment.to_string()),
        vcs_info: link.vcs_info.as_deref().cloned(),
        yanked: link.yanked.0.as_deref().map(str::to_owned),
        targets: named(&file.targets, ids),
        tools: named(&file.tools, ids),
        metadata: file.metadata_source.filter(|_| !link.is_wheel()).map(|source| source.to_string()),
        built_from: file.built_from.as_deref().map(describe_build),
    }
}

fn describe_build(from: &BuiltFrom) -> ManifestBuiltFrom {
    ManifestBuiltFrom {
        filename: from.filename.to_string(),
        sha256: from.sha256.to_string(),
        url: remote(&from.url),
        build_requires: from.requires.clone(),
        python: from.python.clone(),
        glibc: from.linkage.glibc.map(|release| release.to_string()),
        cpp: from.linkage.has_cpp,
        libraries: from.linkage.libraries.clone(),
    }
}

/// Returns the ids at these positions.
fn named(positions: &[usize], ids: &[String]) -> Vec<String> {
    positions.iter().map(|position| ids[*position].clone()).collect()
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts.dedup();
    texts
}

/// Returns an origin without this machine's folders: of a path from the root, on Windows with or
/// without a drive, only the file's name is kept.
pub(super) fn portable(origin: &Origin) -> Origin {
    let path = Path::new(&*origin.file);
    let name = path.file_name().filter(|_| path.has_root()).and_then(|name| name.to_str());
    let file = name.map_or_else(|| origin.file.clone(), Into::into);
    Origin { file, line: origin.line }
}

fn remote(url: &MaskedUrl) -> Option<String> {
    (!url.is_local()).then(|| url.public())
}
