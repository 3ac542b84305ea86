//! `prefetch.json`: what a bundle holds, where it came from, and whom it serves.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::{Fetched, FetchedFile, FetchedPackage, MaskedUrl, Origin, Target};

use super::WHEELS;

/// The manifest. Keys of a schema are stable, and additions are allowed; nothing in it tells
/// the machine, the time, or the version of the tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u32,
    /// In the order given.
    pub targets: Vec<ManifestTarget>,
    /// Sorted by name, then version.
    pub packages: Vec<ManifestPackage>,
}

/// A Python and platform that the bundle serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestTarget {
    pub id: String,
    /// `3.12`.
    pub python_version: String,
    /// The newest platform tag that fits.
    pub platform: String,
}

/// One version of one project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestPackage {
    /// Normalized (PEP 503).
    pub name: String,
    pub version: Option<String>,
    /// `file:line`, sorted.
    pub requested_by: Vec<String>,
    /// Names of projects, sorted.
    pub dependencies: Vec<String>,
    /// Sorted by file name.
    pub files: Vec<ManifestFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    pub filename: String,
    /// In the bundle.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Hex digits.
    pub sha256: String,
    /// Where it came from, without credentials; absent for a local file, whose path would mean
    /// nothing on another machine.
    pub url: Option<String>,
    /// What listed it, likewise.
    pub index: Option<String>,
    /// The `Requires-Python` that the index stated.
    pub requires_python: Option<String>,
    /// The reason, maybe empty, where the index had it withdrawn (PEP 592).
    pub yanked: Option<String>,
    /// Ids of the targets it serves, in their order.
    pub targets: Vec<String>,
}

/// A manifest that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("it is no manifest: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("its schema is {0}, and this prefetch knows {SCHEMA}; use a newer prefetch")]
    Schema(u32),
}

const SCHEMA: u32 = 1;

impl Manifest {
    /// The manifest of a bundle of these files.
    pub fn of(fetched: &Fetched) -> Self {
        let ids: Vec<_> = fetched.targets.iter().map(|target| target.id().to_owned()).collect();
        let mut packages: Vec<_> = fetched.packages.iter().collect();
        packages.sort_by_key(|package| (&package.name, &package.version));
        Self {
            schema: SCHEMA,
            targets: fetched.targets.iter().map(|target| describe_target(target)).collect(),
            packages: packages.into_iter().map(|package| describe_package(package, &ids)).collect(),
        }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// When the text is none, or of a later schema.
    pub fn from_json(text: &[u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Header {
            schema: u32,
        }
        match serde_json::from_slice::<Header>(text)?.schema {
            SCHEMA => Ok(serde_json::from_slice(text)?),
            other => Err(ManifestError::Schema(other)),
        }
    }

    /// The text of the file.
    pub fn to_json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("strings and numbers can always be written");
        text.push(b'\n');
        text
    }
}

fn describe_target(target: &Target) -> ManifestTarget {
    ManifestTarget {
        id: target.id().to_owned(),
        python_version: target.python_version().to_owned(),
        platform: target.platform().to_string(),
    }
}

fn describe_package(package: &FetchedPackage, ids: &[String]) -> ManifestPackage {
    let mut files: Vec<_> = package.files.iter().map(|file| describe_file(file, ids)).collect();
    files.sort_by(|a, b| a.filename.cmp(&b.filename));
    ManifestPackage {
        name: package.name.to_string(),
        version: package.version.as_ref().map(ToString::to_string),
        requested_by: sorted(package.requested_by.iter().map(portable)),
        dependencies: sorted(package.dependencies.iter().map(ToString::to_string)),
        files,
    }
}

fn describe_file(file: &FetchedFile, ids: &[String]) -> ManifestFile {
    let offer = &file.offer;
    ManifestFile {
        filename: offer.filename.to_string(),
        path: format!("{WHEELS}/{}", offer.filename),
        size: file.object.size,
        sha256: file.object.sha256.to_string(),
        url: remote(&offer.url),
        index: remote(&offer.index),
        requires_python: offer.requires_python.as_ref().map(ToString::to_string),
        yanked: offer.yanked.0.as_deref().map(str::to_owned),
        targets: file.targets.iter().map(|position| ids[*position].clone()).collect(),
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts.dedup();
    texts
}

/// The line that asked, without the folders of this machine.
fn portable(origin: &Origin) -> String {
    let path = Path::new(&*origin.file);
    let name = path.file_name().filter(|_| path.is_absolute()).and_then(|name| name.to_str());
    let file = name.map_or_else(|| origin.file.clone(), Into::into);
    Origin { file, line: origin.line }.to_string()
}

fn remote(url: &MaskedUrl) -> Option<String> {
    (url.secret().scheme() != "file").then(|| url.public())
}

#[cfg(test)]
mod tests {
    use super::super::super::support::{fetched, file, package};
    use super::*;

    fn world() -> Fetched {
        let mut local = file("demo-1.0.zip", b"source");
        local.offer.url = "file:///home/me/demo-1.0.zip".parse().unwrap();
        local.offer.index = std::sync::Arc::new("file:///home/me/".parse().unwrap());
        let wheel = file("demo-1.0-py3-none-any.whl", b"wheel");
        let mut demo = package("demo", "1.0", vec![local, wheel]);
        demo.dependencies = ["b", "a"].map(|name| name.parse().unwrap()).into();
        demo.requested_by.insert(0, Origin { file: "/home/me/requirements.txt".into(), line: 7 });
        fetched(vec![package("zest", "2.0", vec![]), demo])
    }

    #[test]
    fn the_text_is_sorted_and_tells_no_secret_and_no_machine() {
        let text = String::from_utf8(Manifest::of(&world()).to_json()).unwrap();
        for secret in ["me", "pw", "home"] {
            assert!(!text.contains(&format!("{secret}:")) && !text.contains(&format!("/{secret}/")), "{text}");
        }
        let expected = r#"{
  "schema": 1,
  "targets": [],
  "packages": [
    {
      "name": "demo",
      "version": "1.0",
      "requested_by": [
        "requirements.txt:1",
        "requirements.txt:7"
      ],
      "dependencies": [
        "a",
        "b"
      ],
      "files": [
        {
          "filename": "demo-1.0-py3-none-any.whl",
          "path": "wheels/demo-1.0-py3-none-any.whl",
          "size": 5,
          "sha256": "ba59926159d2aa256eb8739b8da7e2b574b960e1202c6d624cbe981cef996c91",
          "url": "https://files.example/demo-1.0-py3-none-any.whl",
          "index": "https://index.example/simple/",
          "requires_python": null,
          "yanked": null,
          "targets": []
        },
        {
          "filename": "demo-1.0.zip",
          "path": "wheels/demo-1.0.zip",
          "size": 6,
          "sha256": "41cf6794ba4200b839c53531555f0f3998df4cbb01a4d5cb0b94e3ca5e23947d",
          "url": null,
          "index": null,
          "requires_python": null,
          "yanked": null,
          "targets": []
        }
      ]
    },
    {
      "name": "zest",
      "version": "2.0",
      "requested_by": [
        "requirements.txt:1"
      ],
      "dependencies": [],
      "files": []
    }
  ]
}
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn what_was_written_can_be_read_and_other_schemas_are_refused() {
        let manifest = Manifest::of(&world());
        assert_eq!(Manifest::from_json(&manifest.to_json()).unwrap(), manifest);
        let later = br#"{"schema": 2, "contents": []}"#;
        assert!(matches!(Manifest::from_json(later), Err(ManifestError::Schema(2))));
        assert!(matches!(Manifest::from_json(b"{}"), Err(ManifestError::Malformed(_))));
    }
}
