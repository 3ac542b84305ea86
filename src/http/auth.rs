//! Credentials: the user and password that a request to a URL may carry.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use url::Url;

use super::netrc::{Login, Netrc};
use crate::domain::{MaskedUrl, Sha256};

/// A function that asks a keyring for the password at a service (a URL or a host; the first
/// argument) of a user (the second).
///
/// It may take its time.
#[derive(Clone)]
pub struct Keyring(Arc<KeyringLookup>);

type KeyringLookup = dyn Fn(&str, &str) -> Option<String> + Send + Sync;

impl Keyring {
    pub fn new(ask: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")
    }
}

/// Users and passwords, and the sources of more.
///
/// They are tried in pip's order (`docs/facts/pip.md` 3.9): a URL's own, those of an index on the
/// same host, the netrc's, and, when a server refuses, the keyring's. No other host ever receives
/// them.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The URLs of indexes that have credentials.
    indexes: Vec<MaskedUrl>,
    netrc: Netrc,
    keyring: Option<Keyring>,
    remembered: Arc<KeyringCache>,
    password_digests: Arc<Mutex<HashMap<(String, Login), Sha256>>>,
}

/// The keyring's answers, by server and user.
#[derive(Debug, Default)]
struct KeyringCache {
    logins: Mutex<HashMap<(String, String), Option<Login>>>,
    /// Locked while the keyring is asked, so that many refusals at once ask it only once.
    asking: Mutex<()>,
}

impl KeyringCache {
    fn get(&self, key: &(String, String)) -> Option<Option<Login>> {
        self.logins.lock().get(key).cloned()
    }
}

impl Credentials {
    /// Makes credentials from a netrc file and a keyring.
    pub fn new(netrc: Netrc, keyring: Option<Keyring>) -> Self {
        Self { netrc, keyring, ..Self::default() }
    }

    /// Whether there is a keyring to ask after a refusal.
    pub fn has_keyring(&self) -> bool {
        self.keyring.is_some()
    }

    /// Adds the credentials in `urls`, those of indexes.
    pub fn with_indexes<'a>(mut self, urls: impl IntoIterator<Item = &'a MaskedUrl>) -> Self {
        let own = urls.into_iter().filter(|url| own_login(url.secret()).is_some());
        self.indexes.extend(own.cloned());
        self
    }

    /// Returns the login to send to the host of `url`.
    ///
    /// Logins stored for a host, whatever the scheme, are sent only if the connection `is_private`,
    /// so that nobody else can read them.
    pub fn login(&self, url: &Url, is_private: bool) -> Option<Login> {
        self.login_with(url, is_private, |shown| self.remembered(url, shown))
    }

    /// Returns the login without the keyring's passwords, which are asked for only after a refusal;
    /// it tells users apart.
    pub fn own_login(&self, url: &Url, is_private: bool) -> Option<Login> {
        self.login_with(url, is_private, |_| None)
    }

    fn login_with(
        &self,
        url: &Url,
        is_private: bool,
        remembered: impl Fn(Option<&Login>) -> Option<Login>,
    ) -> Option<Login> {
        let own = own_login(url);
        if own.as_ref().is_some_and(|login| !login.password.is_empty()) {
            return own;
        }
        let fits = |login: &Login| own.as_ref().is_none_or(|own| own.user == login.user);
        let indexed = self.nearest_index(url).and_then(|index| own_login(index.secret())).filter(fits);
        let known = indexed.clone().filter(|login| !login.password.is_empty());
        let named = || url.host_str().and_then(|host| self.netrc.find(host)).filter(|login| fits(login)).cloned();
        let stored = || remembered(own.as_ref().or(indexed.as_ref())).or_else(named);
        known.or_else(|| is_private.then(stored).flatten()).or(own).or(indexed)
    }

    /// Whether the host of `url` gets a password of the keyring, if it asks for one.
    pub fn may_ask_keyring(&self, url: &Url, is_private: bool) -> bool {
        self.has_keyring() && self.own_login(url, is_private).is_some_and(|login| login.password.is_empty())
    }

    /// Returns a digest by which different users of `url` are told apart.
    pub fn fingerprint(&self, login: Option<&Login>, certificate: Option<&PathBuf>, url: &MaskedUrl) -> Sha256 {
        let query = url.secret_query().map(|query| Login { user: String::new(), password: query.to_owned() });
        let url = url.secret();
        let query = query.map(|query| self.password_digest(server(url), &query));
        let user = login.map(|login| &login.user);
        let password = login.map(|login| match login.password.as_str() {
            "" => None,
            _ => Some(self.password_digest(server(url), login)),
        });
        let by_keyring = self.has_keyring() && password == Some(None);
        Sha256::of(format!("{user:?} {password:?} {query:?} {by_keyring} {certificate:?}").as_bytes())
    }

    /// Returns a digest of the password, which is computed once.
    fn password_digest(&self, server: String, login: &Login) -> Sha256 {
        let mut digests = self.password_digests.lock();
        *digests.entry((server, login.clone())).or_insert_with_key(|(server, login)| slow_digest(server, login))
    }

    /// Asks the keyring after `url` was refused with `shown`.
    ///
    /// Returns `None` if it has no other password, or was asked before. Blocks meanwhile.
    pub fn ask_keyring(&self, url: &Url, shown: Option<&Login>) -> Option<Login> {
        let keyring = self.keyring.as_ref()?;
        let user = shown?.user.clone();
        let key = (server(url), user.clone());
        let _asking = self.remembered.asking.lock();
        let login = self.remembered.get(&key).unwrap_or_else(|| {
            let index = self.nearest_index(url).map(MaskedUrl::public);
            let host = url.host_str().map(ToOwned::to_owned);
            let services = index.into_iter().chain([server(url)]).chain(host);
            let password = services.filter_map(|service| (keyring.0)(&service, &user)).next();
            password.map(|password| Login { user, password })
        });
        self.remembered.logins.lock().insert(key, login.clone());
        login.filter(|login| Some(login) != shown)
    }

    fn remembered(&self, url: &Url, shown: Option<&Login>) -> Option<Login> {
        self.remembered.get(&(server(url), shown?.user.clone())).flatten()
    }

    /// Returns the index on the same server that shares the longest path; the first of equals.
    fn nearest_index(&self, url: &Url) -> Option<&MaskedUrl> {
        let own = server(url);
        let here = self.indexes.iter().filter(|index| server(index.secret()) == own);
        here.rev().max_by_key(|index| shared_parts(index.secret(), url))
    }
}

/// Returns a digest of the password that takes about ten milliseconds and 4 MiB, since it names files, from
/// which nobody should guess passwords.
fn slow_digest(server: &str, login: &Login) -> Sha256 {
    let cost = scrypt::Params::new(12, 8, 1, scrypt::Params::RECOMMENDED_LEN).expect("these are valid");
    let mut digest = [0; 32];
    let salt = format!("{server} {}", login.user);
    scrypt::scrypt(login.password.as_bytes(), salt.as_bytes(), &cost, &mut digest).expect("the length is valid");
    Sha256::of(&digest)
}

fn own_login(url: &Url) -> Option<Login> {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let login = Login { user: decoded(url.username()), password: decoded(url.password().unwrap_or_default()) };
    (!login.user.is_empty() || !login.password.is_empty()).then_some(login)
}

fn shared_parts(one: &Url, other: &Url) -> usize {
    one.path().split('/').zip(other.path().split('/')).take_while(|(one, other)| one == other).count()
}

fn server(url: &Url) -> String {
    format!("{}://{}:{}", url.scheme(), url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(credentials: &Credentials, url: &str) -> Option<String> {
        let login = credentials.login(&url.parse().unwrap(), true);
        login.map(|login| format!("{}:{}", login.user, login.password))
    }

    fn of_indexes(urls: &[&str]) -> Credentials {
        let urls: Vec<MaskedUrl> = urls.iter().map(|url| url.parse().unwrap()).collect();
        Credentials::default().with_indexes(&urls)
    }

    #[test]
    fn only_the_same_host_sees_them() {
        let credentials = of_indexes(&["https://me:p%40w@index.example/simple/"]);
        assert_eq!(shown(&credentials, "https://index.example/f.whl").as_deref(), Some("me:p@w"));
        for other in ["https://files.example/f.whl", "http://index.example/f.whl", "https://index.example:8443/f.whl"] {
            assert_eq!(shown(&credentials, other), None, "{other}");
        }
        assert_eq!(shown(&credentials, "https://you@index.example/").as_deref(), Some("you:"));
        assert_eq!(shown(&credentials, "https://you:x@index.example/").as_deref(), Some("you:x"));
        assert_eq!(shown(&credentials, "https://me@index.example/").as_deref(), Some("me:p@w"));
    }

    #[test]
    fn of_several_on_one_host_the_nearest_counts() {
        let credentials = of_indexes(&["https://a:1@x.example/one/simple", "https://b:2@x.example/two/simple"]);
        assert_eq!(shown(&credentials, "https://x.example/two/files/f.whl").as_deref(), Some("b:2"));
        assert_eq!(shown(&credentials, "https://x.example/one/files/f.whl").as_deref(), Some("a:1"));
        assert_eq!(shown(&credentials, "https://x.example/f.whl").as_deref(), Some("a:1"));
    }

    #[test]
    fn askers_are_told_apart_by_user_password_and_certificate() {
        let url: MaskedUrl = "https://x.example/simple/".parse().unwrap();
        let credentials = Credentials::default();
        let of = |user: &str, password: &str, certificate: Option<&str>| {
            let login = Login { user: user.into(), password: password.into() };
            credentials.fingerprint(Some(&login), certificate.map(PathBuf::from).as_ref(), &url)
        };
        // The SHA-256 of the two tokens begins with the same two bytes.
        let mut all = [
            of("a", "1", None),
            of("a", "2", None),
            of("a", "", None),
            of("b", "1", None),
            of("a", "1", Some("c.pem")),
            of("a", "token-7", None),
            of("a", "token-257", None),
        ];
        all.sort();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(of("a", "1", None), of("a", "1", None));
        let keyring = Credentials { keyring: Some(Keyring::new(|_, _| None)), ..Credentials::default() };
        let login = Login { user: "a".into(), password: String::new() };
        let tokens = ["", "?token=1", "?token=2", "?page=1"].map(|query| {
            credentials.fingerprint(None, None, &format!("https://x.example/simple/{query}").parse().unwrap())
        });
        assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2] && tokens[0] == tokens[3]);
        assert_ne!(keyring.fingerprint(Some(&login), None, &url), of("a", "", None), "one may get a password yet");
    }

    #[test]
    fn the_netrc_comes_after_urls() {
        let netrc = Netrc::parse("machine x.example login n password 3").unwrap();
        let mut credentials = Credentials { netrc, ..of_indexes(&["https://a:1@x.example/simple"]) };
        assert_eq!(shown(&credentials, "https://x.example/f.whl").as_deref(), Some("a:1"));
        credentials.indexes.clear();
        assert_eq!(shown(&credentials, "https://x.example/f.whl").as_deref(), Some("n:3"));
        assert_eq!(shown(&credentials, "https://n@x.example/f.whl").as_deref(), Some("n:3"));
        assert_eq!(shown(&credentials, "https://o@x.example/f.whl").as_deref(), Some("o:"));
        assert_eq!(shown(&credentials, "https://y.example/f.whl"), None);
        let readable = credentials.login(&"http://x.example/f.whl".parse().unwrap(), false);
        assert_eq!(readable, None, "where others can read it");
    }

    #[test]
    fn the_keyring_is_asked_once_and_only_for_a_user() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let keyring = Keyring::new(move |service, user| {
            log.lock().push(format!("{user} at {service}"));
            (service == "x.example").then(|| "hunter2".to_owned())
        });
        let credentials = Credentials { keyring: Some(keyring), ..of_indexes(&["https://k@x.example/simple/"]) };
        let url: Url = "https://x.example/f.whl".parse().unwrap();
        assert_eq!(credentials.ask_keyring(&url, None), None);
        assert_eq!(shown(&credentials, url.as_str()).as_deref(), Some("k:"));
        for _ in 0..2 {
            let refused = Login { user: "k".into(), password: String::new() };
            assert_eq!(credentials.ask_keyring(&url, Some(&refused)).unwrap().password, "hunter2");
        }
        let expected = ["k at https://x.example/simple/", "k at https://x.example:443", "k at x.example"];
        assert_eq!(*asked.lock(), expected);
        assert_eq!(shown(&credentials, url.as_str()).as_deref(), Some("k:hunter2"));
        let refused = credentials.login(&url, true);
        assert_eq!(credentials.ask_keyring(&url, refused.as_ref()), None, "the same again cannot help");
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}
