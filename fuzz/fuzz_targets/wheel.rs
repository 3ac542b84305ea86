//! The end of a wheel: a zip's directory and the metadata it leads to.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use prefetch::index::wheel_metadata;

fuzz_target!(|bytes: &[u8]| {
    let filename = "demo-1.0-py3-none-any.whl".parse().unwrap();
    let _ = wheel_metadata::read(Cursor::new(bytes), &filename);
});
