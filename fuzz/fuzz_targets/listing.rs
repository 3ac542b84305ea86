//! Cached listings: any bytes are refused or read, never a panic.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use prefetch::domain::{Listing, MaskedUrl};

fuzz_target!(|bytes: &[u8]| {
    let url: MaskedUrl = "https://index.example/simple/demo/".parse().unwrap();
    let Ok(listing) = Listing::decode("demo".parse().unwrap(), Arc::new(url), bytes.to_vec()) else { return };
    for version in listing.versions() {
        let _ = listing.files(version);
    }
    let _ = (listing.ignored(), listing.has_credentials());
});
