//! Requirements files: options, continuations, hashes, markers, any encoding.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use prefetch::input::{self, PathKind, LoadedFile, Location, Role, InputSource};

/// A machine with one file, which may include itself.
struct OneFile<'a>(&'a [u8]);

impl InputSource for OneFile<'_> {
    fn load(&self, _: &Location) -> Result<LoadedFile, String> {
        Ok(LoadedFile { bytes: self.0.to_vec(), content_type: None })
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "A").then(|| "value".to_owned())
    }

    fn path_kind(&self, _: &Path) -> PathKind {
        PathKind::Missing
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
