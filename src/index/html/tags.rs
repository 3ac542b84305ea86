//! Collects the tags of a page cheaply: only the attributes that indexes write are kept, in buffers
//! that are reused for the next tag.

use html5gum::{Emitter, Error, State};

/// The attributes that are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Href,
    RequiresPython,
    Yanked,
    CoreMetadata,
    DistInfoMetadata,
    UploadTime,
}

impl Attribute {
    const ALL: [(&[u8], Self); 6] = [
        (b"href", Self::Href),
        (b"data-requires-python", Self::RequiresPython),
        (b"data-yanked", Self::Yanked),
        (b"data-core-metadata", Self::CoreMetadata),
        (b"data-dist-info-metadata", Self::DistInfoMetadata),
        (b"data-upload-time", Self::UploadTime),
    ];

    fn named(wanted: &[u8]) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == wanted).map(|(_, attribute)| *attribute)
    }
}

/// A start tag with its attributes.
#[derive(Default)]
pub(super) struct HtmlTag {
    name: Vec<u8>,
    values: [AttributeValue; 6],
}

#[derive(Default)]
struct AttributeValue {
    is_present: bool,
    bytes: Vec<u8>,
}

impl HtmlTag {
    /// Returns the tag's name in lower case.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    pub fn get(&self, attribute: Attribute) -> Option<&str> {
        let value = &self.values[attribute as usize];
        value.is_present.then(|| str::from_utf8(&value.bytes).unwrap_or_default())
    }

    fn start(&mut self) {
        self.name.clear();
        self.values.iter_mut().for_each(|value| value.is_present = false);
    }

    /// Starts the value of an attribute; if it is repeated, the last one counts, as in pip.
    fn set(&mut self, attribute: Attribute, is_present: bool) {
        let value = &mut self.values[attribute as usize];
        value.is_present = is_present;
        value.bytes.clear();
    }
}

/// Receives the tags of a page one by one, and the text of its title.
pub(super) trait TakeTags {
    fn take(&mut self, tag: &HtmlTag);
    fn take_title(&mut self, text: &[u8]);
}

/// Passes the tokenizer's output on to a [`TakeTags`].
pub(super) struct TagEmitter<T> {
    taker: T,
    tag: HtmlTag,
    is_start: bool,
    attribute_name: Vec<u8>,
    /// The attribute whose value is being read.
    attribute: Option<Attribute>,
    last_start_tag: Vec<u8>,
}

impl<T: TakeTags> TagEmitter<T> {
    pub fn new(taker: T) -> Self {
        let (attribute_name, last_start_tag) = (Vec::new(), Vec::new());
        Self { taker, tag: HtmlTag::default(), is_start: false, attribute_name, attribute: None, last_start_tag }
    }

    /// Ends an attribute without a value.
    ///
    /// It counts as absent, as in pip; except that a bare `data-yanked` yanks, as PEP 592 says,
    /// since installing a yanked file is the greater risk.
    fn end_attribute(&mut self) {
        if let Some(attribute) = Attribute::named(&self.attribute_name) {
            self.tag.set(attribute, attribute == Attribute::Yanked);
        }
        self.attribute_name.clear();
    }
}

impl<T: TakeTags> Emitter for TagEmitter<T> {
    type Token = std::convert::Infallible;

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn init_start_tag(&mut self) {
        self.tag.start();
        self.is_start = true;
    }

    fn init_end_tag(&mut self) {
        self.tag.start();
        self.is_start = false;
    }

    fn push_tag_name(&mut self, text: &[u8]) {
        self.tag.name.extend_from_slice(text);
    }

    fn init_attribute(&mut self) {
        self.end_attribute();
    }

    fn push_attribute_name(&mut self, text: &[u8]) {
        self.attribute_name.extend_from_slice(text);
    }

    fn init_attribute_value(&mut self) {
        self.attribute = Attribute::named(&self.attribute_name);
        self.attribute_name.clear();
        if let Some(attribute) = self.attribute {
            self.tag.set(attribute, true);
        }
    }

    fn push_attribute_value(&mut self, text: &[u8]) {
        if let Some(attribute) = self.attribute {
            self.tag.values[attribute as usize].bytes.extend_from_slice(text);
        }
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        self.end_attribute();
        if !self.is_start {
            self.last_start_tag.clear();
            return None;
        }
        self.taker.take(&self.tag);
        self.last_start_tag.clone_from(&self.tag.name);
        html5gum::naive_next_state(&self.tag.name)
    }

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        !self.is_start && !self.last_start_tag.is_empty() && self.tag.name == self.last_start_tag
    }

    fn emit_string(&mut self, text: &[u8]) {
        if self.last_start_tag == b"title" {
            self.taker.take_title(text);
        }
    }

    fn pop_token(&mut self) -> Option<Self::Token> {
        None
    }

    fn set_last_start_tag(&mut self, _: Option<&[u8]>) {}
    fn emit_eof(&mut self) {}
    fn emit_error(&mut self, _: Error) {}
    fn init_comment(&mut self) {}
    fn emit_current_comment(&mut self) {}
    fn push_comment(&mut self, _: &[u8]) {}
    fn init_doctype(&mut self) {}
    fn emit_current_doctype(&mut self) {}
    fn push_doctype_name(&mut self, _: &[u8]) {}
    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}
    fn set_force_quirks(&mut self) {}
    fn set_self_closing(&mut self) {}
}
