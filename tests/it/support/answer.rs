//! What an index answers before faults: a pure function of the world and the request.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;
use prefetch::domain::Algorithm;

use super::core_metadata::normalize;
use super::pages::{PageStyle, root_html, root_json};
use super::published::{Published, hex};
use super::request_log::Request;
use super::sdist::gzip;

const HTML: &str = "text/html";
const SIMPLE_HTML: &str = "application/vnd.pypi.simple.v1+html";
const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";

/// Which form of a page an index has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFormat {
    /// What the request prefers.
    Negotiated,
    /// HTML as `text/html`, whatever was asked: what plain mirrors do.
    Html,
    /// JSON, whatever was asked.
    Json,
}

/// Everything that an index knows.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub files: Vec<Published>,
    pub format: PageFormat,
    pub style: PageStyle,
    /// Whether pages are compressed for clients that take it.
    pub has_gzip: bool,
    /// Whether files can be read in part.
    pub has_ranges: bool,
    /// User and password (RFC 7617).
    pub credentials: Option<(String, String)>,
}

/// How the body goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Complete,
    /// No answer at all.
    Nothing,
    /// So many bytes, then the end of the connection.
    Cut(usize),
    /// So many bytes, then nothing until released.
    Hang(usize),
    /// Nothing until released, to any request on this connection.
    Mute,
}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub ending: Ending,
}

impl Answer {
    fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".into(), content_type.into())];
        Self { status, headers, body: body.into(), ending: Ending::Complete }
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body.to_owned())
    }

    pub fn html(body: &str) -> Self {
        Self::new(200, HTML, body.to_owned())
    }

    pub fn redirect(status: u16, location: &str) -> Self {
        Self::text(status, "elsewhere").with("location", location)
    }

    /// Sets a header, by its lower-case name.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(key, _)| key != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn holding(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Adds the validator of the body, and spares the body if the client has it (RFC 9110).
    fn validated(self, request: &Request) -> Self {
        let tag = format!("\"{}\"", &hex(&self.body, Algorithm::Sha256)[..16]);
        let is_known = request.header("if-none-match") == Some(&tag);
        let answer = if is_known { Self { status: 304, body: Bytes::new(), ..self } } else { self };
        answer.with("etag", &tag)
    }
}

impl World {
    /// The right answer.
    pub fn answer(&self, request: &Request) -> Answer {
        if !self.admits(request) {
            return Answer::text(401, "who are you?").with("www-authenticate", "Basic realm=\"index\"");
        }
        let path = request.path.split('?').next().unwrap_or_default();
        let parts: Vec<_> = path.split('/').skip(1).collect();
        match parts.as_slice() {
            ["simple", ""] => self.root(request),
            ["simple", name] | ["simple", name, ""] if *name != normalize(name) || parts.len() == 2 => {
                Answer::redirect(301, &format!("/simple/{}/", normalize(name)))
            }
            ["simple", name, ""] => self.project(name, request),
            ["links", ""] => {
                self.page(Answer::html(&self.style.html(&self.files.iter().collect::<Vec<_>>(), 1)), request)
            }
            ["files", name] => self.file(&percent_decode_str(name).decode_utf8_lossy(), request),
            _ => not_found(),
        }
    }

    pub fn admits(&self, request: &Request) -> bool {
        self.credentials.as_ref().is_none_or(|(user, password)| {
            let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
            request.header("authorization") == Some(&expected)
        })
    }

    fn root(&self, request: &Request) -> Answer {
        let mut projects: Vec<_> = self.files.iter().map(|file| file.project.as_str()).collect();
        projects.sort_unstable();
        projects.dedup();
        let answer = match self.form(request) {
            SIMPLE_JSON => Answer::new(200, SIMPLE_JSON, root_json(&projects)),
            form => Answer::new(200, form, root_html(&projects)),
        };
        self.page(answer, request)
    }

    fn project(&self, name: &str, request: &Request) -> Answer {
        let files: Vec<_> = self.files.iter().filter(|file| file.project == name).collect();
        if files.is_empty() {
            return not_found();
        }
        let answer = match self.form(request) {
            SIMPLE_JSON => Answer::new(200, SIMPLE_JSON, self.style.json(name, &files)),
            form => Answer::new(200, form, self.style.html(&files, 2)),
        };
        self.page(answer, request)
    }

    fn form(&self, request: &Request) -> &'static str {
        match self.format {
            PageFormat::Negotiated => preferred(request.header("accept").unwrap_or(HTML)),
            PageFormat::Html => HTML,
            PageFormat::Json => SIMPLE_JSON,
        }
    }

    fn page(&self, answer: Answer, request: &Request) -> Answer {
        let takes_gzip = request.header("accept-encoding").is_some_and(|value| value.contains("gzip"));
        let answer = answer.with("vary", "Accept, Accept-Encoding").validated(request);
        if self.has_gzip && takes_gzip && answer.status == 200 {
            let packed = gzip(&answer.body);
            return answer.with("content-encoding", "gzip").holding(packed);
        }
        answer
    }

    fn file(&self, name: &str, request: &Request) -> Answer {
        let bytes = match name.strip_suffix(".metadata").filter(|_| self.style.has_sidecars) {
            Some(wheel) => self.named(wheel).and_then(|file| file.metadata.clone().map(Bytes::from)),
            None => self.named(name).and_then(|file| file.bytes.clone()),
        };
        let Some(bytes) = bytes else { return not_found() };
        let answer = Answer::new(200, content_type(name), bytes).validated(request);
        if self.has_ranges && answer.status == 200 { in_part(answer, request) } else { answer }
    }

    /// The file of this name that has bytes.
    pub fn named(&self, filename: &str) -> Option<&Published> {
        self.files.iter().find(|file| file.filename == filename && file.bytes.is_some())
    }
}

fn not_found() -> Answer {
    Answer::text(404, "not here")
}

fn content_type(filename: &str) -> &'static str {
    match filename.rsplit('.').next() {
        Some("zip") => "application/zip",
        Some("gz" | "tgz" | "bz2" | "tar") => "application/x-tar",
        _ => "application/octet-stream",
    }
}

/// The form that an `Accept` header likes best; the plainest where it likes several alike.
fn preferred(accept: &str) -> &'static str {
    let quality = |form: &str| {
        let entries = accept.split(',').filter_map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let is_meant = parts.next().is_some_and(|name| name == form || (name == "*/*" && form == HTML));
            is_meant.then(|| parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0))
        });
        entries.fold(0.0, f64::max)
    };
    let forms = [SIMPLE_JSON, SIMPLE_HTML, HTML];
    forms.into_iter().max_by(|a, b| quality(a).total_cmp(&quality(b))).unwrap_or(HTML)
}

/// Answers a `Range` of one part (RFC 9110), unless `If-Range` is about another version; any
/// other range is as if none were asked.
fn in_part(answer: Answer, request: &Request) -> Answer {
    let total = answer.body.len();
    let answer = answer.with("accept-ranges", "bytes");
    let tag = answer.headers.iter().find(|(name, _)| name == "etag").map(|(_, tag)| tag.as_str());
    if request.header("if-range").is_some_and(|known| Some(known) != tag) {
        return answer;
    }
    let asked = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (first, last) = match asked.map(|(first, last)| (first.parse::<usize>(), last.parse::<usize>())) {
        Some((Ok(first), Ok(last))) => (first, last.saturating_add(1).min(total)),
        Some((Ok(first), Err(_))) => (first, total),
        Some((Err(_), Ok(suffix))) => (total.saturating_sub(suffix), total),
        _ => return answer,
    };
    if first >= last {
        return Answer::text(416, "no such range").with("content-range", &format!("bytes */{total}"));
    }
    let part = answer.body.slice(first..last);
    let span = format!("bytes {first}-{}/{total}", last - 1);
    Answer { status: 206, ..answer }.with("content-range", &span).holding(part)
}
