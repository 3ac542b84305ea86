//! The visitor that readers of pages hand every file to.

use crate::domain::{FileRecord, ListingBuilder};

/// Takes the files of a page one by one, so that a page is never held twice.
pub(super) trait FileVisitor {
    /// Takes the next file.
    fn push(&mut self, record: &FileRecord<'_>);

    /// Takes an entry that cannot be a file: what it calls itself, and why.
    fn refuse(&mut self, filename: &str, why: &str);
}

impl FileVisitor for ListingBuilder {
    fn push(&mut self, record: &FileRecord<'_>) {
        ListingBuilder::push(self, record);
    }

    fn refuse(&mut self, filename: &str, why: &str) {
        ListingBuilder::refuse(self, filename, why);
    }
}
