//! A fake index made of literals.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::Facts;
use super::asking::Asking;
use crate::domain::{
    Algorithm, Candidates, CoreMetadata, FileRecord, ListingBuilder, MaskedUrl, MetadataUnavailable, PackageName,
    ResolutionMetadata,
};

/// What an index says of one file.
#[derive(Clone, Debug, Default)]
pub struct File {
    pub name: String,
    pub filename: String,
    requires_python: Option<String>,
    yanked: Option<String>,
    sha256: Option<String>,
    uploaded: Option<i64>,
    metadata: CoreMetadata,
    unknown: Option<MetadataUnavailable>,
}

impl File {
    /// A wheel for every Python 3.
    pub fn wheel(name: &str, version: &str) -> Self {
        Self::named(name, version, &format!("{}-{version}-py3-none-any.whl", name.replace('-', "_")))
    }

    /// A source archive whose metadata can be relied on.
    pub fn sdist(name: &str, version: &str) -> Self {
        Self::named(name, version, &format!("{}-{version}.tar.gz", name.replace('-', "_")))
    }

    /// Any file of a release.
    pub fn named(name: &str, version: &str, filename: &str) -> Self {
        let metadata = CoreMetadata { name: name.into(), version: version.into(), ..CoreMetadata::default() };
        Self { name: name.into(), filename: filename.into(), metadata, ..Self::default() }
    }

    /// The same wheel with other tags.
    pub fn tags(mut self, tags: &str) -> Self {
        self.filename = self.filename.replace("py3-none-any", tags);
        self
    }

    /// `Requires-Dist` lines.
    pub fn needs(mut self, lines: &[&str]) -> Self {
        self.metadata.requires_dist.extend(lines.iter().map(|line| (*line).to_owned()));
        self
    }

    /// An extra that is provided, with what it adds.
    pub fn extra(mut self, extra: &str, lines: &[&str]) -> Self {
        self.metadata.provides_extra.push(extra.to_owned());
        self.metadata.requires_dist.extend(lines.iter().map(|line| match line.split_once(';') {
            Some((what, marker)) => format!("{what}; ({marker}) and extra == '{extra}'"),
            None => format!("{line}; extra == '{extra}'"),
        }));
        self
    }

    /// `Requires-Python`, on the page and in the metadata.
    pub fn python(self, specifiers: &str) -> Self {
        self.page_python(specifiers).metadata_python(specifiers)
    }

    pub fn page_python(mut self, specifiers: &str) -> Self {
        self.requires_python = Some(specifiers.to_owned());
        self
    }

    pub fn metadata_python(mut self, specifiers: &str) -> Self {
        self.metadata.requires_python = Some(specifiers.to_owned());
        self
    }

    pub fn yanked(mut self, reason: &str) -> Self {
        self.yanked = Some(reason.to_owned());
        self
    }

    pub fn sha256(mut self, hex: &str) -> Self {
        self.sha256 = Some(hex.to_owned());
        self
    }

    pub fn uploaded(mut self, seconds: i64) -> Self {
        self.uploaded = Some(seconds);
        self
    }

    /// Its metadata cannot be had.
    pub fn unknown(mut self, unknown: MetadataUnavailable) -> Self {
        self.unknown = Some(unknown);
        self
    }

    fn record(&self) -> FileRecord<'_> {
        FileRecord {
            filename: &self.filename,
            href: &self.filename,
            hashes: self.sha256.iter().map(|hex| (Algorithm::Sha256, hex.as_str())).collect(),
            requires_python: self.requires_python.as_deref(),
            yanked: self.yanked.as_deref(),
            uploaded: self.uploaded,
            sidecar: Some(None),
            ..FileRecord::default()
        }
    }
}

/// Everything that can be asked for.
#[derive(Clone, Debug, Default)]
pub struct FakeIndex {
    /// By project, in the order of its page.
    listed: BTreeMap<PackageName, Vec<File>>,
    /// What is known of files that no page lists, by URL.
    elsewhere: BTreeMap<String, File>,
}

pub fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

fn index() -> Arc<MaskedUrl> {
    Arc::new("https://index.example/simple/".parse().unwrap())
}

impl FakeIndex {
    pub fn new() -> Self {
        Self::default()
    }

    /// A wheel for every Python 3 with these needs.
    pub fn has(self, name: &str, version: &str, needs: &[&str]) -> Self {
        self.file(File::wheel(name, version).needs(needs))
    }

    pub fn file(mut self, file: File) -> Self {
        self.listed.entry(name(&file.name)).or_default().push(file);
        self
    }

    /// A project whose page lists nothing.
    pub fn empty_page(mut self, project: &str) -> Self {
        self.listed.entry(name(project)).or_default();
        self
    }

    /// A file at a URL that no index lists.
    pub fn at(mut self, url: &str, file: File) -> Self {
        self.elsewhere.insert(url.to_owned(), file);
        self
    }

    pub fn candidates(&self, project: &PackageName) -> Candidates {
        let listing = self.listed.get(project).map(|files| {
            let base = index().join(&format!("../files/{project}/")).unwrap();
            let mut builder = ListingBuilder::new(project.clone(), index(), base);
            files.iter().for_each(|file| builder.push(&file.record()));
            builder.finish()
        });
        Candidates::new(listing.into_iter().collect(), vec![index()], false)
    }

    pub fn metadata(&self, url: &MaskedUrl) -> Result<Arc<ResolutionMetadata>, MetadataUnavailable> {
        let listed = self.listed.values().flatten().find(|file| file.filename == url.filename());
        let file = self.elsewhere.get(&url.to_string()).or(listed).unwrap_or_else(|| panic!("nothing is at {url}"));
        match &file.unknown {
            Some(unknown) => Err(unknown.clone()),
            None => Ok(Arc::new(ResolutionMetadata::of(&file.metadata))),
        }
    }

    /// Everything that there is to know.
    pub fn all_facts(&self) -> Facts {
        let mut facts = Facts::default();
        for project in self.listed.keys() {
            let candidates = Arc::new(self.candidates(project));
            for position in 0..candidates.versions().len() {
                for candidate in candidates.files(position).iter() {
                    facts.metadata.insert(candidate.url.clone(), self.metadata(&candidate.url));
                }
            }
            facts.candidates.insert(project.clone(), candidates);
        }
        for url in self.elsewhere.keys() {
            let url: MaskedUrl = url.parse().unwrap();
            facts.metadata.insert(url.clone(), self.metadata(&url));
        }
        facts
    }

    pub fn ask(&self, lines: &[&str]) -> Asking<'_> {
        Asking::of(self, lines)
    }
}
