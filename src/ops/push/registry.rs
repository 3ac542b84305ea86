//! A registry: where files are uploaded, and the index by which it lists them.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use url::Url;

use super::distribution::Distribution;
use super::failure::PushFailure;
use crate::domain::{Digest, Listing, MaskedUrl, PackageName};
use crate::http::{FormResponse, HttpClient, HttpError, PageResponse, Validators};
use crate::index::{ACCEPT, Page};

/// A registry that takes uploads.
pub struct Registry {
    client: Arc<HttpClient>,
    upload: MaskedUrl,
    /// The index that lists what is there; `None` if it is not known.
    index: Option<Arc<MaskedUrl>>,
    pages: Mutex<HashMap<PackageName, Arc<OnceCell<Option<Listing>>>>>,
}

/// Whether the registry lists a distribution, and as which bytes.
#[derive(Debug)]
pub(super) enum Listed {
    Absent,
    Same,
    WithoutDigest,
    Different { listed: Digest, own: Digest },
}

/// The size limit of a page in bytes, as of every index.
const LONGEST_PAGE: usize = 256 << 20;

/// How much is read of a root page, which is asked for only to see whether it exists.
const LONGEST_ROOT: usize = 1 << 20;

impl Registry {
    /// Finds the index of the registry that takes uploads at `upload`: `named`, or one that is
    /// found at the usual places below it.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn find(client: Arc<HttpClient>, upload: MaskedUrl, named: Option<MaskedUrl>) -> Result<Self, HttpError> {
        let index = match named {
            Some(named) => Some(named),
            None => first_index(&client, &upload).await?,
        };
        Ok(Self { client, upload, index: index.map(Arc::new), pages: Mutex::default() })
    }

    /// Returns the index by which uploads are compared with what is there, if it is known.
    pub fn index(&self) -> Option<&MaskedUrl> {
        self.index.as_deref()
    }

    /// Returns how the registry lists a distribution, by one request for each project.
    pub(super) async fn listed(&self, distribution: &Distribution) -> Result<Listed, PushFailure> {
        let project = &distribution.project;
        let page = self.pages.lock().entry(project.clone()).or_default().clone();
        let listing = page.get_or_try_init(|| self.page(project)).await?;
        Ok(listing.as_ref().map_or(Listed::Absent, |listing| find(listing, distribution)))
    }

    /// As [`Registry::listed`], by a request of its own, since uploads have changed the page.
    pub(super) async fn listed_now(&self, distribution: &Distribution) -> Result<Listed, PushFailure> {
        let listing = self.page(&distribution.project).await?;
        Ok(listing.map_or(Listed::Absent, |listing| find(&listing, distribution)))
    }

    async fn page(&self, project: &PackageName) -> Result<Option<Listing>, PushFailure> {
        let Some(index) = &self.index else { return Ok(None) };
        let url = index.project_page(project);
        let page = match self.client.page(&url, ACCEPT, &Validators::default(), LONGEST_PAGE).await {
            Ok(PageResponse::Page(page)) => page,
            Ok(PageResponse::NotModified { .. }) => unreachable!("the request had no conditions"),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(PushFailure::Http(error)),
        };
        let page = Page { body: &page.content, content_type: &page.content_type, url: &page.url };
        page.listing(project, index.clone()).map(Some).map_err(PushFailure::Page)
    }

    pub(super) async fn upload(&self, distribution: &Distribution) -> Result<FormResponse, HttpError> {
        self.client.post_form(&self.upload, &distribution.form()).await
    }
}

/// Returns the first of the usual places at which there is a page.
async fn first_index(client: &HttpClient, upload: &MaskedUrl) -> Result<Option<MaskedUrl>, HttpError> {
    for place in usual_indexes(upload.secret()) {
        let place = MaskedUrl::new(place);
        match client.page(&place, ACCEPT, &Validators::default(), LONGEST_ROOT).await {
            Ok(_) | Err(HttpError::PageTooLarge { .. }) => return Ok(Some(place)),
            Err(error) if error.status_code().is_some_and(|status| status < 500) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Returns where registries have their index, by where they take uploads: `simple/` below or beside
/// `legacy/`, and `+simple/` (devpi).
fn usual_indexes(upload: &Url) -> [Url; 2] {
    ["simple", "+simple"].map(|name| {
        let mut index = upload.clone();
        index.set_query(None);
        index.set_fragment(None);
        if let Ok(mut path) = index.path_segments_mut() {
            path.pop_if_empty();
        }
        let is_legacy = index.path().ends_with("/legacy");
        if let Ok(mut path) = index.path_segments_mut() {
            if is_legacy {
                path.pop();
            }
            path.push(name).push("");
        }
        index
    })
}

/// Finds a distribution on a page by its name, in whatever way that is normalized.
fn find(listing: &Listing, distribution: &Distribution) -> Listed {
    let name = normalized(&distribution.filename);
    let files = listing.files(&distribution.version);
    let Some(file) = files.iter().find(|file| normalized(&file.filename) == name) else { return Listed::Absent };
    match distribution.comparable(&file.hashes) {
        None => Listed::WithoutDigest,
        Some((listed, own)) if listed.agrees_with(&own) => Listed::Same,
        Some((listed, own)) => Listed::Different { listed, own },
    }
}

fn normalized(filename: &str) -> String {
    filename.to_ascii_lowercase().replace(['-', '.'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_looked_for_where_registries_have_it() {
        let places = |upload: &str| usual_indexes(&upload.parse().unwrap()).map(|url| url.to_string());
        for (upload, simple, devpi) in [
            ("https://a.example", "https://a.example/simple/", "https://a.example/+simple/"),
            (
                "https://a.example/user/index/",
                "https://a.example/user/index/simple/",
                "https://a.example/user/index/+simple/",
            ),
            ("https://a.example/legacy/?x=1", "https://a.example/simple/", "https://a.example/+simple/"),
            ("https://a.example/repo/legacy", "https://a.example/repo/simple/", "https://a.example/repo/+simple/"),
            (
                "https://me:pw@a.example/api",
                "https://me:pw@a.example/api/simple/",
                "https://me:pw@a.example/api/+simple/",
            ),
        ] {
            assert_eq!(places(upload), [simple, devpi]);
        }
    }

    #[test]
    fn names_are_compared_in_any_spelling() {
        assert_eq!(normalized("Demo.Pkg-1.0.tar.gz"), normalized("demo_pkg-1.0.tar.gz"));
        assert_ne!(normalized("demo-1.0.tar.gz"), normalized("demo-1.1.tar.gz"));
    }
}
