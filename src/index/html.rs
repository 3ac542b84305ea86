//! Reads the HTML form of the Simple API (PEP 503, with PEPs 592, 658 and 714) as pip does
//! (`docs/facts/pip.md` 3.2): every anchor counts, wherever it is.

mod tags;

use std::borrow::Cow;

use html5gum::Tokenizer;

use tags::{Attribute, HtmlTag, TagEmitter, TakeTags};

use super::file_visitor::FileVisitor;
use super::link::{Link, digest, timestamp};
use crate::domain::{Algorithm, FileRecord, is_distribution};

/// The properties of a page beside its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageSummary {
    /// The URL of the first `<base>` that has one.
    pub base: Option<String>,
    /// The number of anchors with a link.
    pub anchors: usize,
    /// The number of anchors that link to wheels and source archives.
    pub files: usize,
    pub title: Option<String>,
    pub has_form: bool,
    pub has_script: bool,
}

impl PageSummary {
    /// Whether the page is no list of links but a page for people, such as one to sign in.
    ///
    /// Some indexes (devpi) put a form on each project page; their title shows that.
    pub fn is_web_page(&self) -> bool {
        let says_links = self.title.as_ref().is_some_and(|title| title.to_lowercase().contains("links for"));
        self.files == 0 && !says_links && (self.has_form || (self.has_script && self.anchors == 0))
    }
}

/// Decodes a page by the charset of its `Content-Type`, else as UTF-8.
///
/// Links are ASCII, so an unknown charset damages at most the reason of a yanked file.
pub(super) fn decode<'a>(page: &'a [u8], content_type: &str) -> Cow<'a, str> {
    match charset(content_type).as_deref() {
        Some("iso-8859-1" | "latin-1" | "latin1" | "windows-1252") => page.iter().copied().map(char::from).collect(),
        _ => str::from_utf8(page).map_or_else(|_| String::from_utf8_lossy(page), Cow::Borrowed),
    }
}

fn charset(content_type: &str) -> Option<String> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches('"').to_ascii_lowercase())
}

/// Passes every file of the page to `visitor`.
pub(super) fn scan(page: &str, visitor: &mut impl FileVisitor) -> PageSummary {
    let mut summary = PageSummary::default();
    let tags = TagEmitter::new(PageReader { visitor, summary: &mut summary });
    let Ok(()) = Tokenizer::new_with_emitter(page, tags).finish();
    summary.title = summary.title.map(|title| title.split_whitespace().collect::<Vec<_>>().join(" "));
    summary
}

struct PageReader<'a, S> {
    visitor: &'a mut S,
    summary: &'a mut PageSummary,
}

impl<S: FileVisitor> TakeTags for PageReader<'_, S> {
    fn take(&mut self, tag: &HtmlTag) {
        match tag.name() {
            b"a" => self.take_anchor(tag),
            b"base" if self.summary.base.is_none() => {
                self.summary.base = tag.get(Attribute::Href).map(str::to_owned);
            }
            b"form" => self.summary.has_form = true,
            b"script" => self.summary.has_script = true,
            _ => {}
        }
    }

    fn take_title(&mut self, text: &[u8]) {
        self.summary.title.get_or_insert_default().push_str(&String::from_utf8_lossy(text));
    }
}

impl<S: FileVisitor> PageReader<'_, S> {
    /// Passes the file that the anchor links to, if its name is that of a distribution.
    fn take_anchor(&mut self, tag: &HtmlTag) {
        let Some(href) = tag.get(Attribute::Href).filter(|href| !href.is_empty()) else { return };
        let link = Link::new(href);
        self.summary.anchors += 1;
        self.summary.files += usize::from(is_distribution(&link.filename));
        if has_extension(&link.filename) {
            self.visitor.push(&FileRecord {
                filename: &link.filename,
                href: link.href,
                hashes: link.digest.into_iter().collect(),
                size: None,
                requires_python: tag.get(Attribute::RequiresPython).filter(|text| !text.is_empty()),
                yanked: tag.get(Attribute::Yanked),
                sidecar: sidecar(tag),
                uploaded: tag.get(Attribute::UploadTime).and_then(timestamp),
            });
        }
    }
}

/// Returns the metadata sidecar of a file: `None` if there is none, and without a digest if the
/// attribute's value is none that is known (such as `true`), as in pip.
///
/// The attribute of PEP 714 takes precedence over the older one of PEP 658.
fn sidecar(tag: &HtmlTag) -> Option<Option<(Algorithm, &str)>> {
    let told = tag.get(Attribute::CoreMetadata).or(tag.get(Attribute::DistInfoMetadata))?;
    Some(digest(told))
}

/// Whether pip takes the name for a file's; `..` and `demo` are not.
fn has_extension(filename: &str) -> bool {
    filename.trim_start_matches('.').contains('.')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Candidate, ListingBuilder, MaskedUrl};

    fn read(page: &str) -> (Vec<Candidate>, PageSummary) {
        let index: MaskedUrl = "https://index.example/simple/".parse().unwrap();
        let url = index.join("demo/").unwrap();
        let mut builder = ListingBuilder::new("demo".parse().unwrap(), Arc::new(index), url);
        let summary = scan(page, &mut builder);
        (builder.finish().files(&"1".parse().unwrap()), summary)
    }

    fn file(attributes: &str) -> Candidate {
        let (mut files, _) = read(&format!("<a href=demo-1.zip {attributes}>demo</a>"));
        files.remove(0)
    }

    /// This differs from pip, for which a bare `data-yanked` yanks nothing.
    #[test]
    fn a_bare_attribute_yanks() {
        let yanked = |attributes: &str| file(attributes).yanked.0;
        assert_eq!(yanked(""), None);
        for attribute in ["data-yanked", "data-yanked=''", "data-yanked=", "DATA-YANKED", "data-yanked data-x=y"] {
            assert_eq!(yanked(attribute).as_deref(), Some(""), "{attribute}");
        }
        assert_eq!(yanked("data-yanked='a &lt; b'").as_deref(), Some("a < b"));
        assert_eq!(yanked("data-yanked=first data-yanked=last").as_deref(), Some("last"));
    }

    #[test]
    fn other_bare_attributes_are_absent() {
        assert_eq!(file("data-core-metadata").sidecar, None);
        assert_eq!(file("data-core-metadata=true data-core-metadata").sidecar, None);
        assert_eq!(file("data-core-metadata data-dist-info-metadata=true").sidecar.unwrap().digest, None);
        assert!(file("data-requires-python").requires_python.is_none());
        assert!(read("<a href><a href=''><a>").0.is_empty());
    }

    #[test]
    fn upload_times_are_read() {
        assert_eq!(file("data-upload-time=2024-05-01T12:34:56.5Z").uploaded.unwrap().0, 1_714_566_896);
        assert_eq!(file("data-upload-time=yesterday").uploaded, None);
    }

    #[test]
    fn the_summary_counts_what_leads_to_files() {
        let page = "<title> Links\n for &amp; demo</title><base target=x><base href=../><base href=/>\
            <a href=demo-1.zip><a href=demo-1.exe><a href=../><a name=x><form><script></script>";
        let (_, summary) = read(page);
        let expected = PageSummary {
            base: Some("../".into()),
            anchors: 3,
            files: 1,
            title: Some("Links for & demo".into()),
            has_form: true,
            has_script: true,
        };
        assert_eq!(summary, expected);
    }

    #[test]
    fn charsets() {
        assert_eq!(decode(b"\xe9", "text/html; charset=ISO-8859-1"), "\u{e9}");
        assert_eq!(decode(b"\xc3\xa9", "text/html"), "\u{e9}");
        assert_eq!(decode(b"a\xff", "text/html; charset=\"utf-8\""), "a\u{fffd}");
        assert_eq!(decode(b"ab", "text/html; charset=koi8-r; x"), "ab");
    }
}
