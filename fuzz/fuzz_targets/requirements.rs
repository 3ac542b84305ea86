//! Requirements files: options, continuations, hashes, markers, any encoding.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use prefetch::input::{self, Entry, Loaded, Location, Role, World};

/// A machine with one file, which may include itself.
struct OneFile<'a>(&'a [u8]);

impl World for OneFile<'_> {
    fn load(&self, _: &Location) -> Result<Loaded, String> {
        Ok(Loaded { bytes: self.0.to_vec(), content_type: None })
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "A").then(|| "value".to_owned())
    }

    fn look(&self, _: &Path) -> Entry {
        Entry::Missing
    }

    fn working_folder(&self) -> &Path {
        Path::new("/w")
    }
}

fuzz_target!(|bytes: &[u8]| {
    let read = input::read(&Location::parse("requirements.txt"), Role::Requirements, &OneFile(bytes));
    for problem in &read.problems {
        let _ = problem.to_string();
    }
});
