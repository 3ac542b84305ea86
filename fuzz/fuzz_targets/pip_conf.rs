//! pip's configuration files.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use prefetch::interpreter::Settings;

fuzz_target!(|text: &str| {
    match Settings::parse(text, Path::new("pip.conf")) {
        Ok(settings) => drop(settings.get("download", "index-url")),
        Err(error) => assert!(error.line <= text.lines().count()),
    }
});
