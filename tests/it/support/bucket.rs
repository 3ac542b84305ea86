//! A bucket as S3 serves it by path-style addresses: whole objects, conditional writes, parts.

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
    objects: Mutex<BTreeMap<String, Bytes>>,
    /// The parts of uploads that are not complete, by upload and number.
    parts: Mutex<BTreeMap<(String, String), Bytes>>,
    faults: Faults,
    log: RequestLog,
}

const BUCKET: &str = "/wheels/";
const KEY: &str = "AKIDEXAMPLE";

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

    /// The paths of the objects in the bucket, sorted.
    pub fn objects(&self) -> Vec<String> {
        self.shared.objects.lock().unwrap().keys().cloned().collect()
    }

    /// The bytes of the object at a path.
    pub fn object(&self, path: &str) -> Bytes {
        self.shared.objects.lock().unwrap()[path].clone()
    }

    /// Puts other bytes under a name.
    pub fn replace(&self, path: &str, bytes: &[u8]) {
        self.shared.objects.lock().unwrap().insert(path.to_owned(), Bytes::copy_from_slice(bytes));
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
            _ if !is_known => error(403, "InvalidAccessKeyId"),
            Some((_, path)) => self.of_object(&request, path),
            None if request.path == "POST /wheels?delete" => self.delete(&request),
            None => error(404, "NoSuchBucket"),
        };
        self.faults.apply(&request.path, answer)
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

    fn of_object(&self, request: &Request, path: &str) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut objects = self.objects.lock().unwrap();
        match (request.method.as_str(), query) {
            ("GET" | "HEAD", _) => match objects.get(path) {
                Some(bytes) if request.method == "HEAD" => {
                    described(Answer::text(200, ""), bytes).with("content-length", &bytes.len().to_string())
                }
                Some(bytes) => described(Answer::text(200, "").holding(bytes.clone()), bytes),
                None => error(404, "NoSuchKey"),
            },
            ("PUT", "") if request.header("if-none-match") == Some("*") && objects.contains_key(path) => {
                error(412, "PreconditionFailed")
            }
            ("PUT", "") => {
                objects.insert(path.to_owned(), request.body.clone());
                described(Answer::text(200, ""), &request.body)
            }
            ("PUT", _) => {
                let number = query.split('&').find_map(|pair| pair.strip_prefix("partNumber=")).unwrap();
                let key = (path.to_owned(), format!("{:0>5}", number));
                self.parts.lock().unwrap().insert(key, request.body.clone());
                described(Answer::text(200, ""), &request.body)
            }
            ("POST", "uploads" | "uploads=") => xml(&format!(
                "<InitiateMultipartUploadResult><UploadId>one</UploadId><Key>{path}</Key></InitiateMultipartUploadResult>"
            )),
            ("POST", _) => {
                let mut parts = self.parts.lock().unwrap();
                let own: Vec<_> = parts.range((path.to_owned(), String::new())..).map(|(key, _)| key.clone()).collect();
                let own = own.into_iter().take_while(|(of, _)| of == path);
                let whole: Vec<u8> = own.filter_map(|key| parts.remove(&key)).flatten().collect();
                objects.insert(path.to_owned(), whole.into());
                xml("<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>")
            }
            _ => error(405, "MethodNotAllowed"),
        }
    }
}

fn described(answer: Answer, bytes: &Bytes) -> Answer {
    answer.with("etag", &format!("\"{}\"", bytes.len())).with("last-modified", "Wed, 01 Jan 2025 00:00:00 GMT")
}

fn xml(text: &str) -> Answer {
    Answer::text(200, text).with("content-type", "application/xml")
}

fn error(status: u16, code: &str) -> Answer {
    let text = format!("<Error><Code>{code}</Code><Message>as S3 says it</Message></Error>");
    Answer::text(status, &text).with("content-type", "application/xml")
}
