//! Index pages: the first byte says whether the rest is HTML or JSON; what is read is what is read
//! without the short cut for usual pages. It is encoded, decoded again, and looked at as a whole.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use prefetch::domain::{Listing, MaskedUrl};
use prefetch::index::Page;

fuzz_target!(|bytes: &[u8]| {
    let is_json = bytes.first() == Some(&b'{');
    let content_type = if is_json { "application/vnd.pypi.simple.v1+json" } else { "text/html; charset=utf-8" };
    let url: MaskedUrl = "https://index.example/simple/demo/".parse().unwrap();
    let project = "demo".parse().unwrap();
    let index = Arc::new(url.clone());
    let page = Page { body: bytes, content_type, url: &url };
    let listing = page.listing(&project, index.clone());
    let unhurried = page.any_listing(&project, index.clone());
    assert_eq!(listing.is_ok(), unhurried.is_ok());
    let Ok(listing) = listing else { return };
    assert_eq!(listing.bytes(), unhurried.expect("both are").bytes());
    let again = Listing::decode(project, index, listing.bytes().to_vec()).expect("what was encoded can be decoded");
    assert!(listing.versions().eq(again.versions()));
    for version in listing.versions() {
        assert_eq!(listing.files(version).len(), again.files(version).len());
    }
    assert_eq!(listing.ignored().len(), again.ignored().len());
    let _ = listing.has_credentials();
});
