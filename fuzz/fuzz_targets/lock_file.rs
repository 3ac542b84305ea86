//! Lock files and projects: the first byte chooses the format; what is read is selected from.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use prefetch::domain::TargetSpec;
use prefetch::input::{self, FORMATS, InputSource, LoadedFile, Location, PathKind, Role};

/// A folder with the same content in every file.
struct OneFile<'a>(&'a [u8]);

impl InputSource for OneFile<'_> {
    fn load(&self, _: &Location) -> Result<LoadedFile, String> {
        Ok(LoadedFile { bytes: self.0.to_vec(), content_type: None })
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn path_kind(&self, _: &Path) -> PathKind {
        PathKind::File
    }

    fn working_folder(&self) -> &Path {
        Path::new("/w")
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, text)) = bytes.split_first() else { return };
    let format = &FORMATS[usize::from(*which) % FORMATS.len()];
    let read = input::read(&Location::File(format.project_file.into()), Role::Requirements, &OneFile(text));
    let _ = input::parse_report(&read);
    if let Some(lock) = read.lock {
        let spec = TargetSpec {
            python: "3.12".parse().ok(),
            platform: "linux-x86_64".parse().ok(),
            implementation: None,
            abis: Vec::new(),
        };
        let _ = lock.lock.select(&spec.resolve(None).unwrap(), &lock.groups);
    }
});
