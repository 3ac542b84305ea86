//! A registry as pypiserver is one: an index that takes uploads at its root, and replaces no file.

use std::sync::{Arc, Mutex};

use hyper::body::Bytes;
use prefetch::domain::Algorithm;

use super::answer::{Answer, World};
use super::fault::{Fault, Faults};
use super::published::{Published, hex};
use super::request_log::{Request, RequestLog, matching};
use super::server::Server;

/// A registry that answers until it is dropped.
pub struct ServedRegistry {
    shared: Arc<Shared>,
    server: Server,
}

struct Shared {
    world: Mutex<World>,
    faults: Faults,
    /// What uploads get instead of being taken.
    refusals: Faults,
    log: RequestLog,
}

/// The parts of a form: the name of the field, and its content.
type Form = Vec<(String, Bytes)>;

impl ServedRegistry {
    pub(super) fn start(world: World, faults: Faults) -> Self {
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            faults,
            refusals: Faults::default(),
            log: RequestLog::default(),
        });
        let handler = {
            let shared = shared.clone();
            move |request| shared.answer(&request)
        };
        Self { shared, server: Server::start(None, Arc::new(handler)) }
    }

    /// What `--to` takes.
    pub fn url(&self) -> String {
        self.url_at("127.0.0.1")
    }

    /// The same under another name of this machine: `user:password@127.0.0.1`.
    pub fn url_at(&self, host: &str) -> String {
        format!("http://{host}:{}/", self.server.address.port())
    }

    /// From now on, answers every request whose path holds `part` by `fault`, also uploads
    /// ([`ServedRegistry::UPLOADS`]) that were taken.
    pub fn fail(&self, part: &str, fault: Fault) {
        self.shared.faults.add(part, None, fault);
    }

    /// From now on, answers the first `times` such requests by `fault`.
    pub fn fail_times(&self, part: &str, times: usize, fault: Fault) {
        self.shared.faults.add(part, Some(times), fault);
    }

    /// From now on, takes no upload, and answers by `fault`; the first `times`, or always.
    pub fn refuse(&self, times: Option<usize>, fault: Fault) {
        self.shared.refusals.add(Self::UPLOADS, times, fault);
    }

    /// Has no faults any more.
    pub fn heal(&self) {
        self.shared.faults.clear();
        self.shared.refusals.clear();
    }

    /// What stands for the path of uploads in faults and counts.
    pub const UPLOADS: &str = "POST";

    /// The names of the files that are there, sorted.
    pub fn files(&self) -> Vec<String> {
        let world = self.shared.world.lock().unwrap();
        let mut names: Vec<_> = world.files.iter().map(|file| file.filename.clone()).collect();
        names.sort();
        names
    }

    /// The bytes of a file that is there.
    pub fn bytes(&self, filename: &str) -> Bytes {
        self.shared.world.lock().unwrap().named(filename).unwrap().bytes.clone().unwrap()
    }

    /// Every request, in order of arrival; the path of an upload begins with
    /// [`ServedRegistry::UPLOADS`].
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log.all()
    }

    pub fn forget_requests(&self) {
        self.shared.log.clear();
    }

    /// How many requests had `part` in their path.
    pub fn count(&self, part: &str) -> usize {
        matching(&self.requests(), part)
    }

    /// The fields of the uploads, but for the files themselves.
    pub fn forms(&self) -> Vec<Vec<(String, String)>> {
        let uploads = self.requests().into_iter().filter(|request| request.method == "POST");
        let fields = |request: Request| {
            let form = form(&request).unwrap().into_iter().filter(|(name, _)| name != "content" && name != "filename");
            form.map(|(name, value)| (name, String::from_utf8(value.to_vec()).unwrap())).collect()
        };
        uploads.map(fields).collect()
    }
}

impl Shared {
    fn answer(&self, request: &Request) -> Answer {
        let mark = if request.method == "POST" { ServedRegistry::UPLOADS } else { "" };
        let request = Request { path: format!("{mark}{}", request.path), ..request.clone() };
        self.log.add(request.clone());
        if let Some(refusal) = self.refusals.take(&request.path) {
            return refusal.spoil(&request.path, Answer::text(200, ""));
        }
        let mut world = self.world.lock().unwrap();
        let answer = match request.path.as_str() {
            "POST/" if world.admits(&request) => take(&mut world, &request),
            _ => world.answer(&request),
        };
        self.faults.apply(&request.path, answer)
    }
}

fn take(world: &mut World, request: &Request) -> Answer {
    let Some(form) = form(request) else { return Answer::text(400, "that is no form") };
    let field = |name: &str| form.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
    let text = |name: &str| field(name).map(|value| String::from_utf8_lossy(&value).into_owned()).unwrap_or_default();
    let (filename, content) = (text("filename"), field("content").unwrap_or_default());
    if text(":action") != "file_upload" || text("protocol_version") != "1" {
        return Answer::text(400, "that is no upload");
    }
    for (name, algorithm) in [("md5_digest", Algorithm::Md5), ("sha256_digest", Algorithm::Sha256)] {
        if text(name) != hex(&content, algorithm) {
            return Answer::text(400, &format!("{name} is not that of the file"));
        }
    }
    if world.named(&filename).is_some() {
        let page =
            "<html><style>p { color: red }</style><body><h1>Conflict</h1><p>File already exists</p></body></html>";
        return Answer { status: 409, ..Answer::html(page) };
    }
    world.files.push(Published::new(&text("name"), &filename, content));
    Answer::text(200, "")
}

/// Reads a form (RFC 7578); the name of the file becomes the field `filename`.
fn form(request: &Request) -> Option<Form> {
    let boundary = request.header("content-type")?.split_once("multipart/form-data; boundary=")?.1;
    let mut form = Form::new();
    for part in split(&request.body, format!("--{boundary}").as_bytes()).skip(1) {
        if part.starts_with(b"--") {
            return Some(form);
        }
        let end = find(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&part[..end]).into_owned();
        let quoted = |key: &str| Some(head.split_once(&format!(" {key}=\""))?.1.split_once('"')?.0.to_owned());
        form.extend(quoted("filename").map(|name| ("filename".to_owned(), name.into())));
        form.push((quoted("name")?, request.body.slice_ref(part[end + 4..].strip_suffix(b"\r\n")?)));
    }
    None
}

fn split<'a>(mut rest: &'a [u8], separator: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut is_done = false;
    std::iter::from_fn(move || {
        if is_done {
            return None;
        }
        let at = find(rest, separator);
        is_done = at.is_none();
        let part = &rest[..at.unwrap_or(rest.len())];
        rest = at.map_or(&[], |at| &rest[at + separator.len()..]);
        Some(part)
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}
