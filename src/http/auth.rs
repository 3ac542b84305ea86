//! Who may see which user and password.

use std::collections::HashMap;

use url::Url;

use crate::domain::MaskedUrl;

/// Users and passwords by host and port, taken from the URLs of indexes: files of the same host
/// are fetched with them, as pip does, and no other host ever sees them.
#[derive(Clone, Debug, Default)]
pub struct Credentials(HashMap<String, MaskedUrl>);

impl Credentials {
    /// The credentials that stand in `urls`; the first for a host counts.
    pub fn of<'a>(urls: impl IntoIterator<Item = &'a MaskedUrl>) -> Self {
        let mut known = HashMap::new();
        for url in urls {
            if !url.secret().username().is_empty() {
                known.entry(place(url.secret())).or_insert_with(|| url.clone());
            }
        }
        Self(known)
    }

    /// `url` with the credentials of its host, unless it brings its own.
    pub fn add_to(&self, url: &Url) -> Url {
        let mut url = url.clone();
        if let Some(known) = self.0.get(&place(&url)).filter(|_| url.username().is_empty()) {
            // Both fail only for URLs without a host, which have no entry here.
            let _ = url.set_username(known.secret().username());
            let _ = url.set_password(known.secret().password());
        }
        url
    }
}

fn place(url: &Url) -> String {
    format!("{}://{}:{}", url.scheme(), url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_host_sees_them() {
        let index: MaskedUrl = "https://me:pw@index.example/simple/".parse().unwrap();
        let credentials = Credentials::of([&index]);
        let shown = |url: &str| credentials.add_to(&url.parse().unwrap()).to_string();
        assert_eq!(shown("https://index.example/f.whl"), "https://me:pw@index.example/f.whl");
        for other in ["https://files.example/f.whl", "http://index.example/f.whl", "https://index.example:8443/f.whl"] {
            assert_eq!(shown(other), other);
        }
        assert_eq!(shown("https://you@index.example/"), "https://you@index.example/");
    }
}
