//! A page of an index or find-links location, read as JSON or HTML by its content type.

use std::io::{self, Read};
use std::sync::Arc;

use super::file_visitor::FileVisitor;
use super::{html, json};
use crate::domain::{Listing, ListingBuilder, MaskedUrl, PackageName};
use crate::http::{self, HttpError, PageContent};

/// The `Accept` header for pages: pip's types with pip's quality values (`docs/facts/pip.md` 3.1).
pub const ACCEPT: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: [&str; 2] = ["application/vnd.pypi.simple.v1+html", "text/html"];

/// The body of a page with what decides how it is read.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    pub body: &'a [u8],
    /// The `Content-Type` of the response, which alone decides how the page is read.
    pub content_type: &'a str,
    /// The URL of the response, after redirects.
    pub url: &'a MaskedUrl,
}

/// Why a page cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error(
        "{page} is of the type `{found}`, not a project page: PEP 691 JSON or PEP 503 HTML; is this the index's URL?"
    )]
    ContentType { page: MaskedUrl, found: String },
    #[error("the JSON of {page} is malformed: {source}")]
    Json { page: MaskedUrl, source: serde_json::Error },
    #[error("{page} is of version {version} of the Simple API, of which only version 1 is known here")]
    ApiVersion { page: MaskedUrl, version: String },
    #[error("{page} answers a web page{} instead of a project page; does the index need a login?", titled(title))]
    WebPage { page: MaskedUrl, title: Option<String> },
}

fn titled(title: &Option<String>) -> String {
    title.as_ref().map(|title| format!(" titled “{title}”")).unwrap_or_default()
}

impl Page<'_> {
    /// Reads the page as the listing of `project` on `index`.
    ///
    /// # Errors
    /// When the page has an unknown content type, is malformed, or is no project page.
    pub fn listing(&self, project: &PackageName, index: Arc<MaskedUrl>) -> Result<Listing, PageError> {
        if self.is_of(JSON) {
            let builder = ListingBuilder::new(project.clone(), index.clone(), self.url.clone()).with_unique_links();
            if let Ok(Some(listing)) = stream(self.body, self.body.len(), builder) {
                return Ok(listing);
            }
        }
        self.any_listing(project, index)
    }

    /// Reads the page as [`Page::listing`] does but without the fast path; tests compare the two.
    ///
    /// # Errors
    /// As [`Page::listing`].
    pub fn any_listing(&self, project: &PackageName, index: Arc<MaskedUrl>) -> Result<Listing, PageError> {
        let mut builder = ListingBuilder::new(project.clone(), index, self.url.clone());
        if self.is_of(JSON) {
            builder = builder.with_unique_links();
        }
        if let Some(base) = self.scan(&mut builder)? {
            builder.rebase(base);
        }
        Ok(builder.finish())
    }

    /// Passes every file of the page to `visitor`, and returns its `<base>`.
    pub(super) fn scan(&self, visitor: &mut impl FileVisitor) -> Result<Option<MaskedUrl>, PageError> {
        if self.is_of(JSON) {
            return json::scan(self.body, self.url, visitor).map(|()| None);
        }
        if !HTML.iter().any(|html| self.is_of(html)) {
            return Err(PageError::ContentType { page: self.url.clone(), found: self.content_type.to_owned() });
        }
        let summary = html::scan(&html::decode(self.body, self.content_type), visitor);
        if summary.is_web_page() {
            return Err(PageError::WebPage { page: self.url.clone(), title: summary.title });
        }
        Ok(summary.base.and_then(|base| self.url.join(&base).ok()))
    }

    fn is_of(&self, expected: &str) -> bool {
        is_of(self.content_type, expected)
    }
}

/// Reads a page as [`Page::listing`] does, while it is decompressed; an unusual page is
/// decompressed as a whole.
///
/// # Errors
/// When the page cannot be decompressed; the inner error when it cannot be read.
pub(super) fn listing(
    page: &http::HttpPage<PageContent>,
    project: &PackageName,
    index: Arc<MaskedUrl>,
) -> Result<Result<Listing, PageError>, HttpError> {
    let http::HttpPage { content, content_type, url, .. } = page;
    if is_of(content_type, JSON) {
        let builder = ListingBuilder::new(project.clone(), index.clone(), url.clone()).with_unique_links();
        let read = stream(content.reader(), content.expected(), builder).map_err(|error| content.fault(&error))?;
        if let Some(listing) = read {
            return Ok(Ok(listing));
        }
    }
    Ok(Page { body: &content.whole()?, content_type, url }.any_listing(project, index))
}

/// Reads a JSON page by the fast path; `None` if the page is unusual.
fn stream(page: impl Read, expected: usize, builder: ListingBuilder) -> io::Result<Option<Listing>> {
    let mut builder = builder.with_room_for(expected);
    let is_usual = json::scan_stream(page, expected, &mut builder)?;
    Ok(is_usual.then(|| builder.finish()))
}

/// Whether the content type begins with `expected`, in any case, as pip compares it.
fn is_of(content_type: &str, expected: &str) -> bool {
    let head = content_type.trim_start().as_bytes().get(..expected.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(expected.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{Algorithm, FileRecord};

    const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/index/");

    fn url() -> MaskedUrl {
        "https://me:hunter2@index.example/root/simple/demo/".parse().unwrap()
    }

    fn read(body: &[u8], content_type: &str) -> Result<Listing, PageError> {
        let index = Arc::new("https://index.example/root/simple/".parse().unwrap());
        Page { body, content_type, url: &url() }.listing(&"demo".parse().unwrap(), index)
    }

    /// pip 26.3 does the same: it tells links apart by their text, which includes the digest on
    /// HTML pages only.
    #[test]
    fn of_two_entries_for_one_link_the_first_counts_in_json_and_the_last_in_html() {
        let (one, two) = ("1".repeat(64), "2".repeat(64));
        let entry = |digest: &str| json!({"filename": "x", "url": "demo-1.0.tar.gz", "hashes": {"sha256": digest}});
        let page = json!({"files": [entry(&one), entry(&two)]}).to_string();
        let unusual = page.replacen("\"files\"", "\"\\u0066iles\"", 1);
        let anchor = |digest: &str| format!("<a href='demo-1.0.tar.gz#sha256={digest}'>demo-1.0.tar.gz</a>");
        let html = [anchor(&one), anchor(&two)].concat();
        for (page, kind, expected) in
            [(&page, JSON, vec![&one]), (&unusual, JSON, vec![&one]), (&html, HTML[1], vec![&one, &two])]
        {
            let listing = read(page.as_bytes(), kind).unwrap();
            let files = listing.files(&"1.0".parse().unwrap());
            let digests: Vec<_> = files.iter().map(|file| &*file.hashes[0].hex).collect();
            assert_eq!(digests, expected, "{page}");
        }
    }

    /// The found files, in the format of `tests/judges/pages.py`.
    #[derive(Default)]
    struct Found(Vec<Value>);

    fn digests(digests: &[(Algorithm, &str)]) -> Value {
        digests.iter().map(|(algorithm, hex)| (algorithm.name().to_owned(), Value::from(*hex))).collect()
    }

    impl FileVisitor for Found {
        fn push(&mut self, record: &FileRecord<'_>) {
            self.0.push(json!({
                "filename": record.filename,
                "url": record.href,
                "hashes": digests(&record.hashes),
                "requires_python": record.requires_python,
                "yanked": record.yanked,
                "metadata": record.sidecar.map(|promise| digests(promise.as_slice())),
                "uploaded": record.uploaded,
            }));
        }

        fn refuse(&mut self, _: &str, _: &str) {}
    }

    /// Returns the link as an absolute URL without percent-encoding, which each side does in its
    /// own way.
    fn absolute(href: &Value, base: &MaskedUrl) -> Value {
        let url = base.join(href.as_str().unwrap()).unwrap().public();
        percent_encoding::percent_decode_str(&url).decode_utf8().unwrap().into()
    }

    #[test]
    fn pages_are_read_as_pip_reads_them() {
        let pages = std::fs::read(format!("{PAGES}pip.json")).unwrap();
        for expected in serde_json::from_slice::<Vec<Value>>(&pages).unwrap() {
            let [name, content_type, url] = ["page", "content_type", "url"].map(|key| expected[key].as_str().unwrap());
            let body = std::fs::read(format!("{PAGES}{name}")).unwrap();
            let url = url.parse().unwrap();
            let mut found = Found::default();
            let base = Page { body: &body, content_type, url: &url }.scan(&mut found).unwrap().unwrap_or(url);
            for file in &mut found.0 {
                file["url"] = absolute(&file["url"], &base);
            }
            assert_eq!(Value::from(found.0), expected["files"], "{name}");
        }
    }

    #[test]
    fn the_type_of_the_answer_decides() {
        let html = b"<a href=demo-1.0.zip>";
        for content_type in
            ["text/html", "TEXT/HTML; charset=utf-8", "application/vnd.pypi.simple.v1+html", "text/htmlx"]
        {
            assert_eq!(read(html, content_type).unwrap().versions().count(), 1, "{content_type}");
        }
        let json = br#"{"files": [{"url": "demo-1.0.zip"}]}"#;
        assert_eq!(read(json, "Application/vnd.PyPI.simple.v1+json").unwrap().versions().count(), 1);
        for content_type in ["application/json", "text/plain", "", "application/vnd.pypi.simple.v2+json", "text/htm"] {
            let error = read(html, content_type).unwrap_err().to_string();
            assert!(error.contains(&format!("the type `{content_type}`")) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_page_for_people_is_told_by_its_title() {
        let body = std::fs::read(format!("{PAGES}login.html")).unwrap();
        let error = read(&body, "text/html").unwrap_err().to_string();
        assert!(error.contains("answers a web page titled “Sign in · Registry” instead"), "{error}");
        assert!(matches!(
            read(b"<script src=app.js></script>", "text/html"),
            Err(PageError::WebPage { title: None, .. })
        ));
        for empty in ["", "<h1>Links for demo</h1>", "<title>Links for demo</title><form></form>", "<a href=../>up</a>"]
        {
            assert_eq!(read(empty.as_bytes(), "text/html").unwrap().versions().count(), 0, "{empty}");
        }
    }

    #[test]
    fn links_go_by_the_base_and_secrets_stay_out() {
        let listing = read(b"<a href=demo-1.0.zip><base href=../../pool/>", "text/html").unwrap();
        let [file] = listing.files(&"1.0".parse().unwrap()).try_into().unwrap();
        assert_eq!(file.url.secret().as_str(), "https://index.example/root/pool/demo-1.0.zip");
        assert!(!String::from_utf8_lossy(listing.bytes()).contains("hunter2"));
    }

    fn recorded(name: &str) -> Vec<u8> {
        std::fs::read(format!("{PAGES}{name}")).unwrap()
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (read(&body, "text/html"), read(&body, JSON), read(&body, "text/html; charset=latin-1"));
        }

        #[test]
        fn no_damage_makes_a_reader_panic(
            page in prop::sample::select(vec!["warehouse.html", "unclosed.html", "devpi.html", "warehouse.json", "mixed.json"]),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
            end in any::<prop::sample::Index>(),
        ) {
            let mut body = recorded(page);
            for (position, byte) in damage {
                let position = position.index(body.len());
                body[position] = byte;
            }
            body.truncate(end.index(body.len()));
            for content_type in ["text/html", JSON] {
                if let Ok(listing) = read(&body, content_type) {
                    let versions: Vec<_> = listing.versions().cloned().collect();
                    versions.iter().for_each(|version| drop(listing.files(version)));
                    listing.ignored();
                }
            }
        }
    }
}
