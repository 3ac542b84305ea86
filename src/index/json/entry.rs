//! The entry of one file on a JSON page.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::{self, StrDeserializer};
use serde::de::{Deserializer, IgnoredAny, IntoDeserializer, MapAccess, Visitor};

use super::super::file_visitor::FileVisitor;
use super::super::link::{Link, timestamp};
use super::cursor::{JsonCursor, ParseStop};
use super::value::JsonValue;
use crate::domain::{Algorithm, FileRecord};

/// The fields of a file's entry; if a key is repeated, the last one counts, as in Python.
#[derive(Default)]
pub(super) struct FileEntry<'a> {
    filename: JsonValue<'a>,
    url: JsonValue<'a>,
    hashes: JsonValue<'a, Digests<'a>>,
    requires_python: JsonValue<'a>,
    yanked: JsonValue<'a>,
    core_metadata: JsonValue<'a, Digests<'a>>,
    dist_info_metadata: JsonValue<'a, Digests<'a>>,
    size: JsonValue<'a>,
    upload_time: JsonValue<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "kebab-case")]
pub(super) enum FileKey {
    Filename,
    Url,
    Hashes,
    RequiresPython,
    Yanked,
    CoreMetadata,
    DistInfoMetadata,
    Size,
    UploadTime,
    #[serde(other)]
    Other,
}

impl FileKey {
    pub fn named(name: &str) -> Self {
        let name: StrDeserializer<'_, value::Error> = name.into_deserializer();
        Self::deserialize(name).unwrap_or(Self::Other)
    }

    /// Whether the key's value may be an object of digests.
    pub fn has_digests(self) -> bool {
        matches!(self, Self::Hashes | Self::CoreMetadata | Self::DistInfoMetadata)
    }
}

impl<'de> Deserialize<'de> for FileEntry<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FileEntryVisitor)
    }
}

struct FileEntryVisitor;

impl<'de> Visitor<'de> for FileEntryVisitor {
    type Value = FileEntry<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the entry of a file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FileEntry<'de>, A::Error> {
        let mut entry = FileEntry::default();
        while let Some(key) = map.next_key()? {
            match key {
                FileKey::Filename => entry.filename = map.next_value()?,
                FileKey::Url => entry.url = map.next_value()?,
                FileKey::Hashes => entry.hashes = map.next_value()?,
                FileKey::RequiresPython => entry.requires_python = map.next_value()?,
                FileKey::Yanked => entry.yanked = map.next_value()?,
                FileKey::CoreMetadata => entry.core_metadata = map.next_value()?,
                FileKey::DistInfoMetadata => entry.dist_info_metadata = map.next_value()?,
                FileKey::Size => entry.size = map.next_value()?,
                FileKey::UploadTime => entry.upload_time = map.next_value()?,
                FileKey::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(entry)
    }
}

impl<'a> FileEntry<'a> {
    /// Reads an object into the entry, without `serde_json` as far as possible.
    pub fn read(&mut self, cursor: &mut JsonCursor<'a>) -> Result<(), ParseStop> {
        cursor.members(|key, cursor| self.take(FileKey::named(key), cursor))
    }

    /// Reads the value of `key` into the entry.
    pub fn take(&mut self, key: FileKey, cursor: &mut JsonCursor<'a>) -> Result<(), ParseStop> {
        match key {
            FileKey::Filename => self.filename = cursor.value(skip)?,
            FileKey::Url => self.url = cursor.value(skip)?,
            FileKey::Hashes => self.hashes = cursor.value(Digests::read)?,
            FileKey::RequiresPython => self.requires_python = cursor.value(skip)?,
            FileKey::Yanked => self.yanked = cursor.value(skip)?,
            FileKey::CoreMetadata => self.core_metadata = cursor.value(Digests::read)?,
            FileKey::DistInfoMetadata => self.dist_info_metadata = cursor.value(Digests::read)?,
            FileKey::Size => self.size = cursor.value(skip)?,
            FileKey::UploadTime => self.upload_time = cursor.value(skip)?,
            FileKey::Other => drop(cursor.value(skip)?),
        }
        Ok(())
    }

    /// Reads a digest from the object of `key` into the entry.
    pub fn take_digest(
        &mut self,
        key: FileKey,
        algorithm: Algorithm,
        cursor: &mut JsonCursor<'a>,
    ) -> Result<(), ParseStop> {
        let digests = match key {
            FileKey::Hashes => &mut self.hashes,
            FileKey::CoreMetadata => &mut self.core_metadata,
            FileKey::DistInfoMetadata => &mut self.dist_info_metadata,
            _ => return Err(ParseStop::Odd),
        };
        digests.object().add(algorithm, cursor.plain()?);
        Ok(())
    }
}

/// Skips an object.
fn skip(cursor: &mut JsonCursor<'_>) -> Result<IgnoredAny, ParseStop> {
    cursor.members(|_, cursor| cursor.value(JsonCursor::delegate::<IgnoredAny>).map(drop))?;
    Ok(IgnoredAny)
}

/// Refuses an element of the list that is no object.
pub(super) fn refuse(visitor: &mut impl FileVisitor) {
    visitor.refuse("", "its entry is no JSON object");
}

impl FileEntry<'_> {
    /// Passes the file to `visitor`, or the reason why the entry is no valid file.
    pub fn pass_to(&self, visitor: &mut impl FileVisitor) {
        if let Err(why) = self.record(|record| visitor.push(record)) {
            visitor.refuse(&self.name(), why);
        }
    }

    /// Returns a name for the entry in messages; pip itself never reads `filename`.
    fn name(&self) -> Cow<'_, str> {
        match (&self.filename, &self.url) {
            (JsonValue::Text(filename), _) => Cow::Borrowed(filename),
            (_, JsonValue::Text(url)) => Link::new(url).filename,
            _ => Cow::Borrowed(""),
        }
    }

    /// Calls `push` with the file.
    ///
    /// # Errors
    /// When a field is missing or invalid.
    fn record(&self, push: impl FnOnce(&FileRecord<'_>)) -> Result<(), &'static str> {
        let JsonValue::Text(url) = &self.url else { return Err("its entry has no `url`, or one that is no text") };
        let link = Link::new(url);
        let mut hashes = match &self.hashes {
            JsonValue::Absent => Vec::new(),
            JsonValue::Object(digests) if digests.are_texts => digests.iter().collect(),
            _ => return Err("its `hashes` is no object of texts"),
        };
        if let Some((algorithm, hex)) = link.digest {
            hashes.retain(|(key, _)| *key != algorithm);
            hashes.push((algorithm, hex));
        }
        let requires_python = match &self.requires_python {
            JsonValue::Absent => None,
            JsonValue::Text(text) => Some(&**text).filter(|text| !text.is_empty()),
            _ => return Err("its `requires-python` is no text"),
        };
        push(&FileRecord {
            filename: &link.filename,
            href: link.href,
            hashes,
            requires_python,
            size: self.size(),
            yanked: self.yanked(),
            sidecar: self.sidecar(),
            uploaded: self.uploaded(),
        });
        Ok(())
    }

    fn size(&self) -> Option<u64> {
        match self.size {
            JsonValue::Number(size) => Some(size),
            _ => None,
        }
    }

    /// Returns the reason for yanking (PEP 592); an empty text means not yanked
    /// (`docs/facts/pip.md` 3.3).
    fn yanked(&self) -> Option<&str> {
        self.yanked.is_truthy().then_some(match &self.yanked {
            JsonValue::Text(reason) => reason,
            _ => "",
        })
    }

    /// Returns the metadata sidecar by PEP 714's key, else PEP 658's older one, with the strongest
    /// of several digests.
    fn sidecar(&self) -> Option<Option<(Algorithm, &str)>> {
        let told = match &self.core_metadata {
            JsonValue::Absent => &self.dist_info_metadata,
            told => told,
        };
        told.is_truthy().then_some(match told {
            JsonValue::Object(digests) => digests.strongest(),
            _ => None,
        })
    }

    fn uploaded(&self) -> Option<i64> {
        match &self.upload_time {
            JsonValue::Text(time) => timestamp(time),
            _ => None,
        }
    }
}

/// The digests whose algorithms are known; the first is held without an allocation, since most
/// entries have one.
struct Digests<'a> {
    first: Option<(Algorithm, Cow<'a, str>)>,
    more: Vec<(Algorithm, Cow<'a, str>)>,
    /// Whether all values are strings; otherwise no digest counts.
    are_texts: bool,
}

impl Default for Digests<'_> {
    fn default() -> Self {
        Self { first: None, more: Vec::new(), are_texts: true }
    }
}

impl<'a> Digests<'a> {
    /// Reads the digests, without `serde_json` as far as possible.
    fn read(cursor: &mut JsonCursor<'a>) -> Result<Self, ParseStop> {
        let mut digests = Self::default();
        cursor.members(|key, cursor| {
            digests.add_named(key, cursor.value(JsonCursor::delegate::<IgnoredAny>)?);
            Ok(())
        })?;
        Ok(digests)
    }

    fn add_named(&mut self, name: &str, value: JsonValue<'a>) {
        if let Some(algorithm) = Algorithm::named(name) {
            self.add(algorithm, value);
        }
    }

    /// Adds a digest; an empty text is ignored.
    fn add(&mut self, algorithm: Algorithm, value: JsonValue<'a>) {
        match value {
            JsonValue::Text(hex) if hex.is_empty() => {}
            JsonValue::Text(hex) if self.first.is_none() => self.first = Some((algorithm, hex)),
            JsonValue::Text(hex) => self.more.push((algorithm, hex)),
            _ => self.are_texts = false,
        }
    }

    fn iter(&self) -> impl Iterator<Item = (Algorithm, &str)> {
        let all = self.first.iter().chain(&self.more).filter(|_| self.are_texts);
        all.map(|(algorithm, hex)| (*algorithm, &**hex))
    }

    fn strongest(&self) -> Option<(Algorithm, &str)> {
        self.iter().max_by_key(|(algorithm, _)| *algorithm)
    }
}

impl<'de> Deserialize<'de> for Digests<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DigestsVisitor)
    }
}

struct DigestsVisitor;

impl<'de> Visitor<'de> for DigestsVisitor {
    type Value = Digests<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("digests by algorithm")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Digests<'de>, A::Error> {
        let mut digests = Digests::default();
        while let Some((key, value)) = map.next_entry::<Cow<'de, str>, JsonValue<'de>>()? {
            digests.add_named(&key, value);
        }
        Ok(digests)
    }
}
