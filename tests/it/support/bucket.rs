//! A bucket as S3 serves it by path-style addresses: whole objects, conditional writes, parts, lists.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hyper::body::Bytes;

use super::answer::Answer;
use super::fault::{Fault, Faults};
use super::request_log::{Request, RequestLog, matching};
use super::sandbox::Sandbox;
use super::server::Server;

/// A bucket that answers until it is dropped.
pub struct Bucket {
    shared: Arc<Shared>,
    server: Server,
}

#[derive(Default)]
struct Shared {
    objects: Mutex<BTreeMap<String, Stored>>,
    /// The parts of uploads that are not complete, by upload and number.
    parts: Mutex<BTreeMap<(String, String), Bytes>>,
    /// The headers of uploads that are not complete.
    begun: Mutex<BTreeMap<String, Vec<(String, String)>>>,
    faults: Faults,
    log: RequestLog,
}

#[derive(Clone, Default)]
struct Stored {
    bytes: Bytes,
    /// What every answer has.
    headers: Vec<(String, String)>,
}

/// Where the bucket is shown as a web site, to everybody.
const SITE: &str = "GET /site/";

const BUCKET: &str = "/wheels/";
const KEY: &str = "AKIDEXAMPLE";

/// So few that every listing has several pages.
const LISTED_AT_ONCE: usize = 2;

impl Bucket {
    pub fn serve() -> Self {
        let shared = Arc::<Shared>::default();
        let handler = {
            let shared = shared.clone();
            move |request| shared.answer(&request)
        };
        Self { shared, server: Server::start(None, Arc::new(handler)) }
    }

    /// What `--store` takes.
    pub fn url(&self) -> String {
        "s3://wheels/team".to_owned()
    }

    /// The variables by which S3's clients find it, with the keys that it takes.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.server.address.port())),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", Self::SECRET.to_owned()),
            ("AWS_REGION", "eu-example-1".to_owned()),
        ]
    }

    pub const SECRET: &str = "hunter2-of-the-bucket";

    /// The binary with `arguments` and this bucket as its shared store.
    pub fn run(&self, sandbox: &Sandbox, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = sandbox.prefetch(arguments);
        command.args(["--store", &self.url()]).envs(self.variables());
        command
    }

    /// The paths of the distributions in the shared store, sorted.
    pub fn objects(&self) -> Vec<String> {
        self.paths("team/objects-v1/")
    }

    /// The paths in the bucket that begin so, sorted.
    pub fn paths(&self, start: &str) -> Vec<String> {
        let objects = self.shared.objects.lock().unwrap();
        objects.keys().filter(|path| path.starts_with(start)).cloned().collect()
    }

    pub fn remove(&self, path: &str) {
        self.shared.objects.lock().unwrap().remove(path);
    }

    /// The bytes of the object at a path.
    pub fn object(&self, path: &str) -> Bytes {
        self.shared.objects.lock().unwrap()[path].bytes.clone()
    }

    /// Where the web site of the bucket shows a path.
    pub fn site(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/site/{path}", self.server.address.port())
    }

    /// The methods and paths of all requests, in order of arrival.
    pub fn requests(&self) -> Vec<String> {
        self.shared.log.all().into_iter().map(|request| request.path).collect()
    }

    /// The value of a header with which an object is served.
    pub fn header(&self, path: &str, name: &str) -> Option<String> {
        let objects = self.shared.objects.lock().unwrap();
        objects[path].headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// Puts other bytes under a name.
    pub fn replace(&self, path: &str, bytes: &[u8]) {
        let stored = Stored { bytes: Bytes::copy_from_slice(bytes), headers: Vec::new() };
        self.shared.objects.lock().unwrap().insert(path.to_owned(), stored);
    }

    /// From now on, answers every request whose method and path hold `part` by `fault`.
    pub fn fail(&self, part: &str, fault: Fault) {
        self.shared.faults.add(part, None, fault);
    }

    /// Has no faults any more.
    pub fn heal(&self) {
        self.shared.faults.clear();
        self.server.release();
    }

    pub fn forget_requests(&self) {
        self.shared.log.clear();
    }

    /// How many requests had `part` in their method and path: `PUT /wheels/…`.
    pub fn count(&self, part: &str) -> usize {
        matching(&self.shared.log.all(), part)
    }
}

impl Shared {
    fn answer(&self, request: &Request) -> Answer {
        let request = Request { path: format!("{} {}", request.method, request.path), ..request.clone() };
        self.log.add(request.clone());
        let is_known =
            request.header("authorization").is_some_and(|value| value.contains(&format!("Credential={KEY}/")));
        let answer = match request.path.split_once(BUCKET) {
            _ if request.path.starts_with(SITE) => self.show(&request.path[SITE.len()..]),
            _ if !is_known => error(403, "InvalidAccessKeyId"),
            Some((_, path)) => self.of_object(&request, path),
            None if request.path == "POST /wheels?delete" => self.delete(&request),
            None => match request.path.split_once("GET /wheels?") {
                Some((_, query)) => self.list(query),
                None => error(404, "NoSuchBucket"),
            },
        };
        self.faults.apply(&request.path, answer)
    }

    /// Answers as a web site does: a folder by its `index.html`.
    fn show(&self, path: &str) -> Answer {
        let path = percent_encoding::percent_decode_str(path).decode_utf8().unwrap().into_owned();
        let path = if path.ends_with('/') { format!("{path}index.html") } else { path };
        match self.objects.lock().unwrap().get(&path) {
            Some(stored) => described(Answer::text(200, "").holding(stored.bytes.clone()), stored),
            None => error(404, "NoSuchKey"),
        }
    }

    /// Removes the objects that the body lists.
    fn delete(&self, request: &Request) -> Answer {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let keys = body.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
        let mut objects = self.objects.lock().unwrap();
        let removed = keys.map(|key| {
            objects.remove(key);
            format!("<Deleted><Key>{key}</Key></Deleted>")
        });
        xml(&format!("<DeleteResult>{}</DeleteResult>", removed.collect::<String>()))
    }

    /// Lists what begins with the prefix in the query, two at a time.
    fn list(&self, query: &str) -> Answer {
        let values: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let value = |name: &str| values.get(name).map_or("", String::as_str);
        let (prefix, after) = (value("prefix"), value("continuation-token"));
        let objects = self.objects.lock().unwrap();
        let mut left = objects.iter().filter(|(path, _)| path.starts_with(prefix) && path.as_str() > after);
        let page: Vec<_> = left.by_ref().take(LISTED_AT_ONCE).collect();
        let entry = |(path, stored): &(&String, &Stored)| {
            format!(
                "<Contents><Key>{path}</Key><LastModified>2025-01-01T00:00:00.000Z</LastModified>\
                 <ETag>\"x\"</ETag><Size>{}</Size></Contents>",
                stored.bytes.len()
            )
        };
        let more = left.next().and(page.last()).map(|(path, _)| {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{path}</NextContinuationToken>")
        });
        let entries: String = page.iter().map(entry).collect();
        xml(&format!("<ListBucketResult>{entries}{}</ListBucketResult>", more.unwrap_or_default()))
    }

    fn of_object(&self, request: &Request, path: &str) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut objects = self.objects.lock().unwrap();
        match (request.method.as_str(), query) {
            ("GET" | "HEAD", _) => match objects.get(path) {
                Some(stored) if request.method == "HEAD" => {
                    described(Answer::text(200, ""), stored).with("content-length", &stored.bytes.len().to_string())
                }
                Some(stored) => described(Answer::text(200, "").holding(stored.bytes.clone()), stored),
                None => error(404, "NoSuchKey"),
            },
            ("PUT", "") if request.header("if-none-match") == Some("*") && objects.contains_key(path) => {
                error(412, "PreconditionFailed")
            }
            ("PUT", "") => {
                let stored = Stored { bytes: request.body.clone(), headers: kept_headers(request) };
                objects.insert(path.to_owned(), stored);
                described(Answer::text(200, ""), &Stored::default())
            }
            ("PUT", _) => {
                let number = query.split('&').find_map(|pair| pair.strip_prefix("partNumber=")).unwrap();
                let key = (path.to_owned(), format!("{:0>5}", number));
                self.parts.lock().unwrap().insert(key, request.body.clone());
                described(Answer::text(200, ""), &Stored::default())
            }
            ("POST", "uploads" | "uploads=") => {
                self.begun.lock().unwrap().insert(path.to_owned(), kept_headers(request));
                xml(&format!(
                    "<InitiateMultipartUploadResult><UploadId>one</UploadId><Key>{path}</Key>\
                     </InitiateMultipartUploadResult>"
                ))
            }
            ("POST", _) => {
                let mut parts = self.parts.lock().unwrap();
                let own: Vec<_> = parts.range((path.to_owned(), String::new())..).map(|(key, _)| key.clone()).collect();
                let own = own.into_iter().take_while(|(of, _)| of == path);
                let whole: Vec<u8> = own.filter_map(|key| parts.remove(&key)).flatten().collect();
                let headers = self.begun.lock().unwrap().remove(path).unwrap_or_default();
                objects.insert(path.to_owned(), Stored { bytes: whole.into(), headers });
                xml("<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>")
            }
            _ => error(405, "MethodNotAllowed"),
        }
    }
}

/// The headers of an upload that belong to what is uploaded.
fn kept_headers(request: &Request) -> Vec<(String, String)> {
    let is_kept = |name: &str| matches!(name, "content-type" | "cache-control") || name.starts_with("x-amz-meta-");
    request.headers.iter().filter(|(name, _)| is_kept(name)).cloned().collect()
}

fn described(answer: Answer, stored: &Stored) -> Answer {
    let answer = answer
        .with("etag", &format!("\"{}\"", stored.bytes.len()))
        .with("last-modified", "Wed, 01 Jan 2025 00:00:00 GMT");
    stored.headers.iter().fold(answer, |answer, (name, value)| answer.with(name, value))
}

fn xml(text: &str) -> Answer {
    Answer::text(200, text).with("content-type", "application/xml")
}

fn error(status: u16, code: &str) -> Answer {
    let text = format!("<Error><Code>{code}</Code><Message>as S3 says it</Message></Error>");
    Answer::text(status, &text).with("content-type", "application/xml")
}
