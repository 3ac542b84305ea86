//! The trait of everything that receives the files of an index page.

use crate::domain::{FileRecord, ListingBuilder};

/// Receives the files of a page one by one, so that a page need not be held twice.
pub(super) trait FileVisitor {
    /// Receives the next file.
    fn push(&mut self, record: &FileRecord<'_>);

    /// Receives the name of an entry that is no valid file, and why it is not.
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
