//! What a bundle has for a cache folder of Poetry.

use std::collections::BTreeMap;

use super::Pages;
use super::releases::{PoetryRelease, file_url};
use crate::domain::{MaskedUrl, Sha256};
use crate::layout::pip_http_cache::entry::{self, EntryHeaders};
use crate::layout::pip_http_cache::key;

/// The content of a cache folder of Poetry.
#[derive(Default)]
pub struct PoetryCache {
    /// The answers of repositories, by their paths.
    answers: Pages,
    /// The names of files by the paths where Poetry keeps what it has downloaded.
    artifacts: BTreeMap<String, String>,
}

impl PoetryCache {
    /// Adds the answer of a repository for `url`: head and body in two files since Poetry 2.4, in one
    /// before.
    pub fn add_answer(&mut self, repository: &str, url: &MaskedUrl, content_type: &'static str, body: &[u8]) {
        let headers = EntryHeaders::of_page(body.len() as u64, content_type);
        let path = key::path(&key::of_url(url));
        let place = |folder: &str| format!("cache/repositories/{repository}/{folder}/{path}");
        let two = place("_http_");
        self.answers.push((format!("{two}.body"), body.to_vec()));
        self.answers.push((two, entry::binary(&headers, b"")));
        self.answers.push((place("_http"), entry::binary(&headers, body)));
    }

    /// Adds the files of a release, of which one may be known by a URL of its own.
    pub fn add_files(&mut self, release: &PoetryRelease<'_>, direct_url: Option<&MaskedUrl>) {
        for file in release.files() {
            let filename = &file.link.filename;
            let listed = serde_json::json!({"sha256": file.object.sha256.to_string(), "url": file_url(filename)});
            let direct = direct_url.filter(|url| **url == file.link.url);
            let direct = direct.map(|url| serde_json::json!({"url": without_fragment(url)}));
            for known_by in std::iter::once(listed).chain(direct) {
                self.artifacts.insert(artifact_path(&known_by.to_string(), filename), filename.to_string());
            }
        }
    }

    /// Returns everything below `folder`, each file once.
    pub fn into_pages(self, folder: &str) -> Pages {
        let artifacts = serde_json::to_vec_pretty(&self.artifacts).expect("texts can always be written");
        let all = self.answers.into_iter().chain([("artifacts.json".to_owned(), artifacts)]);
        let by_path: BTreeMap<_, _> = all.map(|(path, bytes)| (format!("{folder}/{path}"), bytes)).collect();
        by_path.into_iter().collect()
    }
}

/// Returns where Poetry keeps a file, by the compact JSON of what it knows it by, whose keys are sorted.
fn artifact_path(known_by: &str, filename: &str) -> String {
    let digest = Sha256::of(known_by.as_bytes()).to_string();
    format!("{}/{}/{}/{}/{filename}", &digest[..2], &digest[2..4], &digest[4..6], &digest[6..])
}

fn without_fragment(url: &MaskedUrl) -> String {
    url.secret().as_str().split('#').next().unwrap_or_default().to_owned()
}
