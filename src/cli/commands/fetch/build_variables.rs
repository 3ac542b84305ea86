//! Environment variables for the pip that builds source archives: the same indexes and certificates
//! as for this run.

use std::ffi::OsString;
use std::sync::Arc;

use crate::domain::{IndexOptions, MaskedUrl};
use crate::http::HttpSettings;
use crate::index::IndexSettings;

/// Returns pip's variables for indexes, links, proxies and certificates.
///
/// They may carry credentials, which a command line would show to every user of the machine.
pub fn variables(
    options: &IndexOptions,
    indexes: &IndexSettings,
    http: &HttpSettings,
) -> Vec<(&'static str, OsString)> {
    let urls = |all: &[Arc<MaskedUrl>]| all.iter().map(|url| url.secret().as_str()).collect::<Vec<_>>().join(" ");
    let has_index = options.index_url.is_some() && !http.offline;
    let (main, extra) = match indexes.indexes.split_last() {
        Some((main, extra)) if has_index => (urls(std::slice::from_ref(main)), urls(extra)),
        _ => (String::new(), String::new()),
    };
    let mut variables: Vec<(&'static str, OsString)> = vec![
        ("PIP_INDEX_URL", main.into()),
        ("PIP_EXTRA_INDEX_URL", extra.into()),
        ("PIP_FIND_LINKS", urls(&indexes.find_links).into()),
        ("PIP_TRUSTED_HOST", options.trusted_hosts.join(" ").into()),
        ("PIP_NO_INDEX", if has_index { "0" } else { "1" }.into()),
    ];
    let certificates = http.authorities.as_ref().and_then(|authorities| authorities.paths.first());
    variables.extend(certificates.map(|path| ("PIP_CERT", path.into())));
    variables.extend(http.client_certificate.as_ref().map(|found| ("PIP_CLIENT_CERT", found.path.as_path().into())));
    // A proxy from the usual variables reaches it by these, with its exceptions.
    let is_for_all = http.proxies.http == http.proxies.https && http.proxies.except.is_empty();
    variables.extend(
        http.proxies.https.as_ref().filter(|_| is_for_all).map(|proxy| ("PIP_PROXY", OsString::from(&proxy.url))),
    );
    variables
}
