//! Core metadata.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prefetch::index::parse_core_metadata;

fuzz_target!(|bytes: &[u8]| {
    let metadata = parse_core_metadata(bytes);
    assert!(metadata.requires_dist.len() <= bytes.len());
});
