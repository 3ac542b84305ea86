//! What relocated locks of all formats share: masked URLs, and the names of files in URLs.

use toml_edit::Formatted;
use toml_edit::visit_mut::VisitMut;

use crate::domain::mask_credentials;

/// Masks the passwords of URLs.
pub struct MaskCredentials;

impl VisitMut for MaskCredentials {
    fn visit_string_mut(&mut self, node: &mut Formatted<String>) {
        if node.value().contains("://") {
            let masked = mask_credentials(node.value()).into_owned();
            if masked != *node.value() {
                let decor = node.decor().clone();
                *node = Formatted::new(masked);
                *node.decor_mut() = decor;
            }
        }
    }
}

/// Returns what a URL or path ends in; that of a URL is decoded.
pub fn last_part(place: &str) -> String {
    let is_url = place.contains("://");
    let end = if is_url { place.split(['?', '#']).next().unwrap_or_default() } else { place };
    let last = end.rsplit(['/', '\\']).next().unwrap_or_default();
    match is_url {
        true => percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned(),
        false => last.to_owned(),
    }
}
