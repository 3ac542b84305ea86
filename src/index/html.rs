//! The HTML form of the Simple API (PEP 503, with PEPs 592, 658 and 714), read as pip reads it
//! (`facts/pip.md` 3.2): every anchor counts, wherever it stands.

use std::borrow::Cow;
use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::link::{Link, digest, is_distribution, timestamp};
use super::sink::Sink;
use crate::domain::{Algorithm, FileRecord};

/// What a page holds beside its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Of the first `<base>` that has one.
    pub base: Option<String>,
    /// Anchors that lead somewhere.
    pub anchors: usize,
    /// Anchors that lead to wheels and source archives.
    pub files: usize,
    pub title: Option<String>,
    pub has_form: bool,
    pub has_script: bool,
}

impl Summary {
    /// Whether this is no list of links but a page for people: one to sign in, say.
    ///
    /// Some indexes put a form on each project page (devpi), whose title tells it.
    pub fn is_web_page(&self) -> bool {
        let says_links = self.title.as_ref().is_some_and(|title| title.to_lowercase().contains("links for"));
        self.files == 0 && !says_links && (self.has_form || (self.has_script && self.anchors == 0))
    }
}

/// The text of a page, by the charset of its `Content-Type`, else UTF-8. Links are ASCII, so a
/// charset that is unknown here costs at most the words of a yank's reason.
pub(super) fn decode<'a>(page: &'a [u8], content_type: &str) -> Cow<'a, str> {
    match charset(content_type).as_deref() {
        Some("iso-8859-1" | "latin-1" | "latin1" | "windows-1252") => page.iter().copied().map(char::from).collect(),
        _ => String::from_utf8_lossy(page),
    }
}

fn charset(content_type: &str) -> Option<String> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches('"').to_ascii_lowercase())
}

/// Gives every file of the page to `sink`.
pub(super) fn scan(page: &str, sink: &mut impl Sink) -> Summary {
    let mut reader =
        Reader { sink, summary: Summary::default(), tag: Tag::Other, attributes: Attributes::default(), last: None };
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        reader.take(event);
        None
    });
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(page, emitter).finish();
    reader.summary
}

/// Follows the tokens of a page.
struct Reader<'s, S> {
    sink: &'s mut S,
    summary: Summary,
    tag: Tag,
    attributes: Attributes,
    /// The attribute whose value comes next.
    last: Option<Attribute>,
}

/// The start tag that is open, or whose text is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Anchor,
    Base,
    Title,
    Other,
}

/// The attributes that are read.
#[derive(Clone, Copy)]
enum Attribute {
    Href,
    RequiresPython,
    Yanked,
    CoreMetadata,
    DistInfoMetadata,
    UploadTime,
}

impl Attribute {
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"href" => Some(Self::Href),
            b"data-requires-python" => Some(Self::RequiresPython),
            b"data-yanked" => Some(Self::Yanked),
            b"data-core-metadata" => Some(Self::CoreMetadata),
            b"data-dist-info-metadata" => Some(Self::DistInfoMetadata),
            b"data-upload-time" => Some(Self::UploadTime),
            _ => None,
        }
    }
}

/// The attributes of one tag.
#[derive(Default)]
struct Attributes([Option<String>; 6]);

impl Attributes {
    fn get(&self, attribute: Attribute) -> Option<&str> {
        self.0[attribute as usize].as_deref()
    }

    /// Of several equal attributes the last counts, as in pip.
    fn set(&mut self, attribute: Attribute, value: &[u8]) {
        self.0[attribute as usize] = Some(String::from_utf8_lossy(value).into_owned());
    }

    /// The older name of the attribute (PEP 658) counts where the newer (PEP 714) is absent. What
    /// is no known digest, `true` first of all, tells that there is a metadata file (as for pip).
    fn sidecar(&self) -> Option<Option<(Algorithm, &str)>> {
        let told = self.get(Attribute::CoreMetadata).or(self.get(Attribute::DistInfoMetadata))?;
        Some(digest(told))
    }
}

impl<S: Sink> Reader<'_, S> {
    fn take(&mut self, event: CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => self.open(name),
            // HTML knows no difference between an empty value and none, so a bare `data-yanked`
            // yanks (PEP 592), though not for pip.
            CallbackEvent::AttributeName { name } => {
                self.last = Attribute::named(name);
                self.set(b"");
            }
            CallbackEvent::AttributeValue { value } => self.set(value),
            CallbackEvent::CloseStartTag { .. } => self.close(),
            CallbackEvent::String { value } if self.tag == Tag::Title => self.name(value),
            CallbackEvent::EndTag { .. } => self.tag = Tag::Other,
            _ => {}
        }
    }

    fn open(&mut self, name: &[u8]) {
        self.attributes = Attributes::default();
        self.tag = match name {
            b"a" => Tag::Anchor,
            b"base" => Tag::Base,
            b"title" => Tag::Title,
            _ => Tag::Other,
        };
        self.summary.has_form |= name == b"form";
        self.summary.has_script |= name == b"script";
    }

    fn set(&mut self, value: &[u8]) {
        if let (Some(attribute), Tag::Anchor | Tag::Base) = (self.last, self.tag) {
            self.attributes.set(attribute, value);
        }
    }

    fn close(&mut self) {
        match self.tag {
            Tag::Anchor => self.give(),
            Tag::Base if self.summary.base.is_none() => {
                self.summary.base = self.attributes.get(Attribute::Href).map(str::to_owned);
            }
            _ => {}
        }
        if self.tag != Tag::Title {
            self.tag = Tag::Other;
        }
    }

    /// Gives the file that the anchor leads to, if it has the name of one.
    fn give(&mut self) {
        let Some(href) = self.attributes.get(Attribute::Href).filter(|href| !href.is_empty()) else { return };
        let link = Link::new(href);
        self.summary.anchors += 1;
        self.summary.files += usize::from(is_distribution(&link.filename));
        if has_extension(&link.filename) {
            self.sink.push(&FileRecord {
                filename: &link.filename,
                href: link.href,
                hashes: link.digest.into_iter().collect(),
                size: None,
                requires_python: self.attributes.get(Attribute::RequiresPython).filter(|text| !text.is_empty()),
                yanked: self.attributes.get(Attribute::Yanked),
                sidecar: self.attributes.sidecar(),
                uploaded: self.attributes.get(Attribute::UploadTime).and_then(timestamp),
            });
        }
    }

    fn name(&mut self, title: &[u8]) {
        let title = String::from_utf8_lossy(title);
        let words: Vec<_> = title.split_whitespace().collect();
        self.summary.title.get_or_insert(words.join(" "));
    }
}

/// Whether pip takes the name for a file's; `..` and `demo` lead elsewhere.
fn has_extension(filename: &str) -> bool {
    filename.trim_start_matches('.').contains('.')
}
