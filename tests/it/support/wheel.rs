//! Tiny wheels that every installer takes: one module and a right `RECORD`, the same bytes each time.

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use prefetch::domain::{Algorithm, Fingerprint};
use zip::write::SimpleFileOptions;

use super::core_metadata::CoreMetadata;

/// A wheel to be; a pure-Python one for every Python 3 unless [`Wheel::tags`] says otherwise.
#[derive(Clone, Debug)]
pub struct Wheel {
    metadata: CoreMetadata,
    claimed: Option<CoreMetadata>,
    build: Option<String>,
    tags: String,
    padding: usize,
    source: Option<String>,
    unlisted: bool,
}

impl Wheel {
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            metadata: CoreMetadata::new(name, version),
            claimed: None,
            build: None,
            tags: "py3-none-any".into(),
            padding: 0,
            source: None,
            unlisted: false,
        }
    }

    /// Adds a `Requires-Dist`.
    pub fn requires(mut self, requirement: &str) -> Self {
        self.metadata.requires_dist.push(requirement.into());
        self
    }

    /// Sets `Requires-Python`.
    pub fn requires_python(mut self, specifiers: &str) -> Self {
        self.metadata.requires_python = Some(specifiers.into());
        self
    }

    /// Adds a `Provides-Extra`.
    pub fn extra(mut self, name: &str) -> Self {
        self.metadata.provides_extra.push(name.into());
        self
    }

    /// Adds a line to `METADATA`: `License-Expression: MIT`, say.
    pub fn says(mut self, line: &str) -> Self {
        self.metadata.more.push(line.into());
        self
    }

    /// Sets the compatibility tags as the file name has them: `cp312-abi3-manylinux_2_28_x86_64`.
    pub fn tags(mut self, tags: &str) -> Self {
        self.tags = tags.into();
        self
    }

    /// Sets the source of its module.
    pub fn source(mut self, text: &str) -> Self {
        self.source = Some(text.into());
        self
    }

    /// Leaves its module out of `RECORD`.
    pub fn unlisted(mut self) -> Self {
        self.unlisted = true;
        self
    }

    /// Sets the build tag.
    pub fn build(mut self, tag: &str) -> Self {
        self.build = Some(tag.into());
        self
    }

    /// Adds this many bytes of data that no compression shrinks.
    pub fn padding(mut self, bytes: usize) -> Self {
        self.padding = bytes;
        self
    }

    /// Lets `METADATA` name another distribution than the file name does.
    pub fn claiming(mut self, name: &str, version: &str) -> Self {
        self.claimed = Some(CoreMetadata::new(name, version));
        self
    }

    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    pub fn filename(&self) -> String {
        let build = self.build.as_ref().map(|build| format!("-{build}")).unwrap_or_default();
        format!("{}-{}{build}-{}.whl", self.metadata.escaped_name(), self.metadata.version, self.tags)
    }

    /// The content of `METADATA`: what a sidecar (PEP 658) holds.
    pub fn metadata(&self) -> String {
        self.claimed.as_ref().unwrap_or(&self.metadata).to_text("2.1")
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut members = self.members();
        let record = format!("{}.dist-info/RECORD", self.stem());
        let listed = members.iter().skip(usize::from(self.unlisted));
        let rows = listed.map(|(path, content)| record_row(path, content)).collect::<String>();
        members.push((record.clone(), format!("{rows}{record},,\n").into_bytes()));
        zip_of(&members)
    }

    fn stem(&self) -> String {
        format!("{}-{}", self.metadata.escaped_name(), self.metadata.version)
    }

    fn members(&self) -> Vec<(String, Vec<u8>)> {
        let (stem, module) = (self.stem(), self.metadata.module());
        let source = self.source.clone().unwrap_or_else(|| self.metadata.module_source());
        let mut members = vec![
            (format!("{module}/__init__.py"), source.into_bytes()),
            (format!("{stem}.dist-info/METADATA"), self.metadata().into_bytes()),
            (format!("{stem}.dist-info/WHEEL"), self.wheel_file().into_bytes()),
        ];
        if self.padding > 0 {
            members.push((format!("{module}/padding.bin"), noise(self.padding)));
        }
        members
    }

    fn wheel_file(&self) -> String {
        let is_pure = self.tags.ends_with("-none-any");
        let build = self.build.as_ref().map(|build| format!("Build: {build}\n")).unwrap_or_default();
        let tags: String = expand(&self.tags).iter().map(|tag| format!("Tag: {tag}\n")).collect();
        format!("Wheel-Version: 1.0\nGenerator: prefetch-tests\nRoot-Is-Purelib: {is_pure}\n{tags}{build}")
    }
}

/// Every single tag of a compressed set such as `py2.py3-none-any`.
fn expand(tags: &str) -> Vec<String> {
    tags.split('-').fold(vec![String::new()], |heads, part| {
        let join =
            |head: &String, choice| if head.is_empty() { String::from(choice) } else { format!("{head}-{choice}") };
        heads.iter().flat_map(|head| part.split('.').map(move |choice| join(head, choice))).collect()
    })
}

/// A row of `RECORD`: path, digest, size (the binary distribution format, PEP 427).
fn record_row(path: &str, content: &[u8]) -> String {
    let hex = Fingerprint::of(content, &[]).digest(Algorithm::Sha256).hex;
    let digest: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect();
    format!("{path},sha256={},{}\n", BASE64_URL_SAFE_NO_PAD.encode(digest), content.len())
}

/// A zip archive without clock or compression.
pub(super) fn zip_of(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let options =
        SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored).unix_permissions(0o644);
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in members {
        archive.start_file(path, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Bytes without a pattern that compression could use, the same each time (a xorshift generator).
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..bytes).map(|_| next()).collect()
}
