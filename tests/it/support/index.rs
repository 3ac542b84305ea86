//! An index that a test publishes in three lines: real sockets, wrong only where the test says so.
//!
//! ```ignore
//! let index = Index::new().wheel("demo", "1.0").with(Wheel::new("other", "2.0").requires("demo>=1")).serve();
//! index.fail("/files/other", Fault::Status(500));
//! sandbox.prefetch_from(&index, ["other"]).assert().code(4);
//! assert_eq!(index.count("/files/demo"), 1);
//! ```

use std::sync::Arc;

use prefetch::domain::Algorithm;

use super::answer::{PageFormat, World};
use super::fault::{Fault, Faults};
use super::pages::PageStyle;
use super::published::{Published, hex};
use super::registry::ServedRegistry;
use super::request_log::{Request, RequestLog, matching};
use super::sdist::Sdist;
use super::server::Server;
use super::tls::Identity;
use super::wheel::Wheel;

/// An index to be: modern in every respect, unless told otherwise.
pub struct Index {
    world: World,
    faults: Faults,
    is_encrypted: bool,
    self_signed: Option<(Vec<String>, i32)>,
}

impl Index {
    pub fn new() -> Self {
        let style =
            PageStyle { algorithms: vec![Algorithm::Sha256], has_sidecars: true, has_sizes: true, file_host: None };
        let world = World {
            files: Vec::new(),
            format: PageFormat::Negotiated,
            style,
            has_gzip: false,
            has_ranges: true,
            credentials: None,
        };
        Self { world, faults: Faults::default(), is_encrypted: false, self_signed: None }
    }

    /// Publishes a wheel for every Python 3.
    pub fn wheel(self, name: &str, version: &str) -> Self {
        self.with(Wheel::new(name, version))
    }

    /// Publishes a source archive.
    pub fn sdist(self, name: &str, version: &str) -> Self {
        self.with(Sdist::new(name, version))
    }

    /// Publishes a file, below those published before on its page.
    pub fn with(mut self, file: impl Into<Published>) -> Self {
        self.world.files.push(file.into());
        self
    }

    /// Chooses the form of the pages.
    pub fn pages(mut self, format: PageFormat) -> Self {
        self.world.format = format;
        self
    }

    /// Chooses the digests that pages state; none is possible.
    pub fn digests(mut self, algorithms: &[Algorithm]) -> Self {
        self.world.style.algorithms = algorithms.to_vec();
        self
    }

    /// Has no metadata beside its wheels (PEP 658).
    pub fn without_sidecars(mut self) -> Self {
        self.world.style.has_sidecars = false;
        self
    }

    /// States neither sizes nor upload times (before PEP 700).
    pub fn without_sizes(mut self) -> Self {
        self.world.style.has_sizes = false;
        self
    }

    /// Ignores `Range`.
    pub fn without_ranges(mut self) -> Self {
        self.world.has_ranges = false;
        self
    }

    /// Compresses pages.
    pub fn gzip(mut self) -> Self {
        self.world.has_gzip = true;
        self
    }

    /// Admits nobody else, to pages and files alike.
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.world.credentials = Some((user.into(), password.into()));
        self
    }

    /// Links files absolutely at `root`, such as another index's [`ServedIndex::root`].
    pub fn files_at(mut self, root: &str) -> Self {
        self.world.style.file_host = Some(root.trim_end_matches('/').into());
        self
    }

    /// Speaks TLS, with HTTP/2 for those who want it.
    pub fn encrypted(mut self) -> Self {
        self.is_encrypted = true;
        self
    }

    /// Speaks TLS with a self-signed certificate for `names` that is valid until this year begins.
    pub fn self_signed(self, names: &[&str], until: i32) -> Self {
        let names = names.iter().map(ToString::to_string).collect();
        Self { self_signed: Some((names, until)), ..self.encrypted() }
    }

    /// Answers every request whose path holds `part` by `fault`.
    pub fn failing(self, part: &str, fault: Fault) -> Self {
        self.faults.add(part, None, fault);
        self
    }

    /// Answers the first `times` such requests by `fault`.
    pub fn failing_times(self, part: &str, times: usize, fault: Fault) -> Self {
        self.faults.add(part, Some(times), fault);
        self
    }

    /// Opens it for business as a registry, which takes uploads at its root, too.
    pub fn serve_registry(self) -> ServedRegistry {
        ServedRegistry::start(self.world, self.faults)
    }

    /// Opens it for business.
    pub fn serve(self) -> ServedIndex {
        // What the tests themselves ask with; a second installation finds the first one in place.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let identity = self.is_encrypted.then(|| match &self.self_signed {
            Some((names, until)) => Identity::self_signed(names, *until),
            None => Identity::new(),
        });
        let shared = Arc::new(Shared { world: self.world, faults: self.faults, log: RequestLog::default() });
        let (acceptor, authority) = identity.map(|identity| (identity.acceptor, identity.authority)).unzip();
        let server = Server::start(
            acceptor,
            Arc::new({
                let shared = shared.clone();
                move |request| shared.answer(request)
            }),
        );
        ServedIndex { shared, server, authority }
    }
}

struct Shared {
    world: World,
    faults: Faults,
    log: RequestLog,
}

impl Shared {
    fn answer(&self, request: Request) -> super::answer::Answer {
        self.log.add(request.clone());
        self.faults.apply(&request.path, self.world.answer(&request))
    }
}

/// An index that answers until it is dropped.
pub struct ServedIndex {
    shared: Arc<Shared>,
    server: Server,
    authority: Option<String>,
}

impl ServedIndex {
    /// `http://127.0.0.1:PORT`.
    pub fn root(&self) -> String {
        self.root_at("127.0.0.1")
    }

    /// The same server under another name of this machine: `localhost`, `user:password@127.0.0.1`.
    pub fn root_at(&self, host: &str) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{host}:{}", self.server.address.port())
    }

    /// What `--index-url` takes.
    pub fn url(&self) -> String {
        format!("{}/simple/", self.root())
    }

    /// What `--find-links` takes: one page with every file.
    pub fn links_url(&self) -> String {
        format!("{}/links/", self.root())
    }

    /// Where a file is, for a direct requirement.
    pub fn file_url(&self, filename: &str) -> String {
        format!("{}/files/{filename}", self.root())
    }

    /// The bytes of a published file.
    pub fn bytes(&self, filename: &str) -> Vec<u8> {
        let file = self.shared.world.named(filename).unwrap_or_else(|| panic!("`{filename}` is not on this index"));
        file.bytes.clone().unwrap_or_default().to_vec()
    }

    /// Their SHA-256 in hex.
    pub fn sha256(&self, filename: &str) -> String {
        hex(&self.bytes(filename), Algorithm::Sha256)
    }

    /// The certificate of its authority, in PEM, where it is [`Index::encrypted`].
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// From now on, answers every request whose path holds `part` by `fault`.
    pub fn fail(&self, part: &str, fault: Fault) {
        self.shared.faults.add(part, None, fault);
    }

    /// From now on, answers the first `times` such requests by `fault`.
    pub fn fail_times(&self, part: &str, times: usize, fault: Fault) {
        self.shared.faults.add(part, Some(times), fault);
    }

    /// Has no faults any more; what hangs goes on.
    pub fn heal(&self) {
        self.shared.faults.clear();
        self.release();
    }

    /// Lets every hanging answer go on.
    pub fn release(&self) {
        self.server.release();
    }

    /// Every request, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log.all()
    }

    /// The paths that were asked for, in order of arrival.
    pub fn paths(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.path).collect()
    }

    /// How many requests had `part` in their path.
    pub fn count(&self, part: &str) -> usize {
        matching(&self.requests(), part)
    }

    /// The requests for the bytes of distributions: neither pages nor sidecars.
    pub fn requests_for_files(&self) -> Vec<Request> {
        let is_file = |request: &Request| request.path.starts_with("/files/") && !request.path.ends_with(".metadata");
        self.requests().into_iter().filter(is_file).collect()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.shared.log.clear();
    }

    /// Blocks until `count` requests had `part` in their path.
    ///
    /// # Panics
    /// After a minute.
    pub fn wait_for(&self, part: &str, count: usize) {
        self.shared.log.wait_for(part, count);
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }
}
