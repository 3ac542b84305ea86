//! Source archives: tar, gzip, zip, and what they say of themselves.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use prefetch::index::sdist_metadata;

fuzz_target!(|bytes: &[u8]| {
    for filename in ["demo-1.0.tar.gz", "demo-1.0.tar", "demo-1.0.zip"] {
        let _ = sdist_metadata::read(Cursor::new(bytes), filename, None);
    }
});
