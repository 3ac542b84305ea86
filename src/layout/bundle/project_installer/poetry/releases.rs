//! What indexes that have the files of a bundle only say of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::domain::{FetchedFile, FetchedPackage, MaskedUrl, PackageName, Sha256, Version};
use crate::layout::bundle::target_markers::TargetMarkers;
use crate::layout::html::{Anchor, href, page, restrictions};

/// A version of a project with the files of it that a bundle has.
pub struct PoetryRelease<'a> {
    package: &'a FetchedPackage,
    version: &'a Version,
    /// What it needs on the targets of the bundle; which versions is decided already.
    requires_dist: Vec<String>,
}

/// Returns the URL by which Poetry knows a file; nobody is ever asked for it.
pub fn file_url(filename: &str) -> String {
    format!("https://bundle.invalid/wheels/{}", href(filename))
}

impl<'a> PoetryRelease<'a> {
    /// Returns the release of a package; `None` if it has no version or no files.
    pub fn of(package: &'a FetchedPackage, markers: &TargetMarkers) -> Option<Self> {
        let version = package.version.as_ref().filter(|_| !package.files.is_empty())?;
        let targets: BTreeSet<_> = package.files.iter().flat_map(|file| &file.targets).copied().collect();
        let targets: Vec<_> = targets.into_iter().collect();
        let partial: Vec<_> = package.dependencies.partial(&targets).collect();
        let requirement = |name: &PackageName| {
            let on = partial.iter().find(|(partial, _)| *partial == name);
            let marker = on.and_then(|(_, on)| markers.marker_on(on.iter()));
            format!("{name}{}", marker.map(|marker| format!(" ; {marker}")).unwrap_or_default())
        };
        let requires_dist = package.dependencies.names().map(requirement).collect();
        Some(Self { package, version, requires_dist })
    }

    pub fn name(&self) -> &'a PackageName {
        &self.package.name
    }

    pub fn version(&self) -> &'a Version {
        self.version
    }

    pub fn files(&self) -> &'a [FetchedFile] {
        &self.package.files
    }

    /// Returns the answer about one release of the default index.
    pub fn json(&self) -> Vec<u8> {
        let urls: Vec<_> = self.files().iter().map(release_file).collect();
        let info = json!({
            "name": self.name(),
            "version": self.version.to_string(),
            "summary": "",
            "requires_dist": self.requires_dist,
            "requires_python": self.requires_python(),
            "yanked": false,
        });
        json!({"info": info, "urls": urls}).to_string().into_bytes()
    }

    /// Returns the URL of each wheel's metadata (PEP 658), with a text that has what is needed.
    pub fn metadata(&self) -> impl Iterator<Item = (MaskedUrl, String)> {
        let wheels = self.files().iter().map(|file| &file.link.filename).filter(|name| name.ends_with(".whl"));
        wheels.filter_map(|filename| {
            Some((format!("{}.metadata", file_url(filename)).parse().ok()?, self.core_metadata()))
        })
    }

    fn core_metadata(&self) -> String {
        let python = self.requires_python().map(|python| format!("Requires-Python: {python}\n"));
        let needs = self.requires_dist.iter().map(|line| format!("Requires-Dist: {line}\n"));
        let fields: String = python.into_iter().chain(needs).collect();
        format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n{fields}", self.name(), self.version)
    }

    fn requires_python(&self) -> Option<String> {
        self.files().iter().find_map(|file| Some(file.link.requires_python.as_ref()?.to_string()))
    }

    fn anchors(&self) -> impl Iterator<Item = Anchor> {
        let digest = Sha256::of(self.core_metadata().as_bytes());
        self.files().iter().map(move |file| {
            let filename = &file.link.filename;
            let metadata = filename.ends_with(".whl").then(|| format!("sha256={digest}"));
            let keys = ["data-core-metadata", "data-dist-info-metadata"];
            let metadata = metadata.iter().flat_map(|digest| keys.map(|key| (key, digest.clone())));
            Anchor {
                href: format!("{}#sha256={}", file_url(filename), file.object.sha256),
                text: filename.to_string(),
                attributes: restrictions(file.link.requires_python.as_ref(), &Default::default())
                    .into_iter()
                    .chain(metadata)
                    .collect(),
            }
        })
    }
}

/// Returns the page of a project (PEP 503) with these releases.
pub fn links(releases: &[&PoetryRelease<'_>]) -> Vec<u8> {
    let title = releases.first().map(|release| format!("Links for {}", release.name())).unwrap_or_default();
    let anchors: Vec<_> = releases.iter().flat_map(|release| release.anchors()).collect();
    page(&title, &anchors)
}

/// Returns the JSON page of a project (PEP 691) with these releases.
pub fn simple_json(releases: &[&PoetryRelease<'_>]) -> Vec<u8> {
    let versions: Vec<_> = releases.iter().map(|release| release.version.to_string()).collect();
    let files: Vec<_> = releases.iter().flat_map(|release| release.files()).map(listed_file).collect();
    let name = releases.first().map(|release| release.name());
    json!({"meta": {"api-version": "1.1"}, "name": name, "versions": versions, "files": files}).to_string().into_bytes()
}

/// The upload time of every file, which Poetry expects and nobody asks for.
const UPLOADED: &str = "1970-01-01T00:00:00Z";

fn release_file(file: &FetchedFile) -> Value {
    let filename = &file.link.filename;
    json!({
        "packagetype": if filename.ends_with(".whl") { "bdist_wheel" } else { "sdist" },
        "filename": filename,
        "url": file_url(filename),
        "digests": {"sha256": file.object.sha256.to_string()},
        "size": file.object.size,
        "upload_time_iso_8601": UPLOADED,
        "yanked": false,
    })
}

fn listed_file(file: &FetchedFile) -> Value {
    let link = &file.link;
    json!({
        "filename": link.filename,
        "url": file_url(&link.filename),
        "hashes": {"sha256": file.object.sha256.to_string()},
        "size": file.object.size,
        "upload-time": UPLOADED,
        "requires-python": link.requires_python.as_ref().map(ToString::to_string),
        "yanked": false,
        "core-metadata": false,
    })
}
