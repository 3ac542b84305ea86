//! netrc files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prefetch::http::Netrc;

fuzz_target!(|text: &str| {
    match Netrc::parse(text) {
        Ok(netrc) => drop(netrc.find("index.example").cloned()),
        Err(error) => assert!(error.line <= text.lines().count().max(1) + 1),
    }
});
