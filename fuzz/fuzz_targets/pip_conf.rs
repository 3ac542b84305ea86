//! pip's configuration files.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use prefetch::interpreter::PipSettings;

fuzz_target!(|text: &str| {
    match PipSettings::parse(text, Path::new("pip.conf")) {
        Ok(settings) => drop(settings.get("download", "index-url")),
        Err(error) => assert!(error.line <= text.lines().count()),
    }
});
