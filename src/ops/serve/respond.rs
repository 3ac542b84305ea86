//! Decides on responses, by the catalogue and the request alone.

use std::ops::Range;

use bytes::Bytes;
use percent_encoding::percent_decode_str;

use super::arriving_body::ArrivingFile;
use super::catalogue::{Catalogue, IndexEntry};
use super::index_path::IndexPath;
use super::static_page::{StaticPage, StaticPages};
use crate::archive::Extent;
use crate::domain::{RelPath, Sha256};

/// The parts of a request that matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpRequest<'a> {
    pub method: &'a str,
    /// The path as it was sent, without the query.
    pub path: &'a str,
    pub accept: Option<&'a str>,
    pub if_none_match: Option<&'a str>,
    pub if_range: Option<&'a str>,
    pub range: Option<&'a str>,
}

/// The response to a request; for `HEAD` it is the same without the body.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: HttpBody,
}

/// The source of a body: memory, a part of a file, or a file that is still being fetched.
#[derive(Clone, Debug)]
pub enum HttpBody {
    Bytes(Bytes),
    Extent(Extent),
    Arriving(ArrivingFile),
}

impl HttpBody {
    /// Returns the size in bytes; `None` if nobody knows it yet.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Extent(extent) => Some(extent.size),
            Self::Arriving(file) => file.size,
        }
    }

    fn part(self, range: Range<u64>) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.slice(range.start as usize..range.end as usize)),
            Self::Extent(extent) => {
                Self::Extent(Extent { start: extent.start + range.start, size: range.end - range.start, ..extent })
            }
            Self::Arriving(_) => self,
        }
    }
}

const HTML: &str = "text/html";
const SIMPLE_HTML: &str = "application/vnd.pypi.simple.v1+html";
const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";
const SIMPLE_LATEST: &str = "application/vnd.pypi.simple.latest+json";

/// The content type of distributions.
pub const OBJECT: &str = "application/octet-stream";

/// The content type of metadata files (PEP 658).
pub const SIDECAR: &str = "text/plain; charset=utf-8";

/// The search page.
const SEARCH: &[u8] = include_bytes!("search.html");

/// The Content Security Policy of the search page, which loads only the list of projects, from
/// here.
const SEARCH_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'";

/// Returns the response to a request that would change something; `None` if it only reads.
pub fn refused_method(request: &HttpRequest<'_>) -> Option<HttpResponse> {
    let only_reads = matches!(request.method, "GET" | "HEAD");
    (!only_reads).then(|| text(405, "this index can only be read").with("allow", "GET, HEAD"))
}

/// Returns the response from `catalogue` to a request that only reads.
pub fn respond(catalogue: &Catalogue, request: &HttpRequest<'_>) -> HttpResponse {
    match request.path {
        "/" => bytes("text/html; charset=utf-8", SEARCH).with("content-security-policy", SEARCH_POLICY),
        "/projects.json" => {
            static_page("application/json", &catalogue.projects).tagged(&catalogue.projects.tag, request)
        }
        "/simple" => redirect("/simple/"),
        "/overview" => redirect("/overview/"),
        path => match (path.strip_prefix("/simple/"), path.strip_prefix("/overview/")) {
            (Some(rest), _) => simple(catalogue, rest, request),
            (_, Some(rest)) => overview(catalogue, rest, request),
            _ => not_found(),
        },
    }
}

/// Returns the response to a path below `/overview/`: the page, or a file that it links.
fn overview(catalogue: &Catalogue, rest: &str, request: &HttpRequest<'_>) -> HttpResponse {
    let Some(overview) = &catalogue.overview else { return not_found() };
    if rest.is_empty() {
        return static_page("text/html; charset=utf-8", &overview.page).tagged(&overview.page.tag, request);
    }
    let decoded = percent_decode_str(rest).decode_utf8().ok();
    match decoded.and_then(|path| overview.files.get(&*path)) {
        Some(sha256) => file(catalogue, *sha256, OBJECT, request),
        None => not_found(),
    }
}

/// Returns the response to a path below `/simple/`.
fn simple(catalogue: &Catalogue, rest: &str, request: &HttpRequest<'_>) -> HttpResponse {
    match IndexPath::parse(rest) {
        Some(IndexPath::Root) => page(catalogue, "", request),
        Some(IndexPath::Project(name)) => page(catalogue, &format!("{name}/"), request),
        Some(IndexPath::Misspelt(name)) if has(catalogue, &format!("{name}/index.html")) => {
            redirect(&format!("/simple/{name}/"))
        }
        Some(IndexPath::File { project, filename }) => object(catalogue, &format!("{project}/{filename}"), request),
        _ => not_found(),
    }
}

fn find<'a>(catalogue: &'a Catalogue, path: &str) -> Option<&'a IndexEntry> {
    catalogue.entries.get(&RelPath::new(path).ok()?)
}

fn has(catalogue: &Catalogue, path: &str) -> bool {
    find(catalogue, path).is_some()
}

/// Returns a page of the index in the client's preferred form (PEP 691).
fn page(catalogue: &Catalogue, folder: &str, request: &HttpRequest<'_>) -> HttpResponse {
    let form = preferred(request.accept.unwrap_or("*/*"));
    let name = if form == SIMPLE_JSON { "index.json" } else { "index.html" };
    match find(catalogue, &format!("{folder}{name}")) {
        Some(IndexEntry::StaticPage(page)) => in_form(form, page, "max-age=600", request),
        _ => not_found(),
    }
}

/// Returns a page of the index in the client's preferred form, to be asked for again each time.
pub fn index_page(pages: &StaticPages, request: &HttpRequest<'_>) -> HttpResponse {
    let form = preferred(request.accept.unwrap_or("*/*"));
    let page = if form == SIMPLE_JSON { &pages.json } else { &pages.html };
    in_form(form, page, "no-cache", request)
}

fn in_form(form: &str, page: &StaticPage, cache_control: &str, request: &HttpRequest<'_>) -> HttpResponse {
    let form = if form == HTML { "text/html; charset=utf-8" } else { form };
    static_page(form, page).with("vary", "Accept").with("cache-control", cache_control).tagged(&page.tag, request)
}

fn object(catalogue: &Catalogue, path: &str, request: &HttpRequest<'_>) -> HttpResponse {
    let Some(IndexEntry::Object(sha256)) = find(catalogue, path) else { return not_found() };
    let kind = if path.ends_with(".metadata") { SIDECAR } else { OBJECT };
    file(catalogue, *sha256, kind, request)
}

fn file(catalogue: &Catalogue, sha256: Sha256, kind: &str, request: &HttpRequest<'_>) -> HttpResponse {
    body_of(catalogue, sha256).map_or_else(not_found, |body| stored_file(sha256, body, kind, request))
}

/// Returns a file that never changes, or the part of it that is asked for.
pub fn stored_file(sha256: Sha256, body: HttpBody, kind: &str, request: &HttpRequest<'_>) -> HttpResponse {
    let tag = format!("\"{sha256}\"");
    let response = HttpResponse::new(kind, body).with("cache-control", "max-age=31536000, immutable");
    response.tagged(&tag, request).in_part(&tag, request)
}

fn body_of(catalogue: &Catalogue, sha256: Sha256) -> Option<HttpBody> {
    let extent = catalogue.extents.get(&sha256).cloned().map(HttpBody::Extent);
    extent.or_else(|| catalogue.sidecars.get(&sha256).cloned().map(HttpBody::Bytes))
}

impl HttpResponse {
    pub fn new(content_type: &str, body: HttpBody) -> Self {
        Self { status: 200, headers: vec![("content-type", content_type.to_owned())], body }
    }

    /// Adds a header.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Adds an `ETag`, and omits the body if the client has it already.
    fn tagged(self, tag: &str, request: &HttpRequest<'_>) -> Self {
        let response = self.with("etag", tag);
        let is_known = |tags: &str| {
            tags.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
        };
        match request.if_none_match.is_some_and(is_known) {
            true => Self { status: 304, body: HttpBody::Bytes(Bytes::new()), ..response },
            false => response,
        }
    }

    /// Answers a `Range` with one part (RFC 9110, 14.2); any other is ignored.
    fn in_part(self, tag: &str, request: &HttpRequest<'_>) -> Self {
        let response = self.with("accept-ranges", "bytes");
        let is_current = request.if_range.is_none_or(|known| known == tag);
        let Some(size) = response.body.size() else { return response };
        let asked = request.range.filter(|_| is_current && response.status == 200);
        match asked.and_then(|range| part(range, size)) {
            None => response,
            Some(range) if range.is_empty() => {
                text(416, "the file has no such bytes").with("content-range", &format!("bytes */{size}"))
            }
            Some(range) => {
                let span = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                let body = response.body.clone().part(range);
                Self { status: 206, body, ..response }.with("content-range", &span)
            }
        }
    }
}

/// Returns the bytes that `bytes=…` asks for; empty if the file has none of them.
fn part(range: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", suffix) => Some(size.saturating_sub(suffix.parse().ok()?)..size),
        (first, "") => Some(first.parse::<u64>().ok()?.min(size)..size),
        (first, last) => {
            let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
            (first <= last).then(|| first.min(size)..last.saturating_add(1).min(size))
        }
    }
}

fn bytes(content_type: &str, body: impl Into<Bytes>) -> HttpResponse {
    let headers = vec![("content-type", content_type.to_owned()), ("x-content-type-options", "nosniff".to_owned())];
    HttpResponse { status: 200, headers, body: HttpBody::Bytes(body.into()) }
}

fn static_page(content_type: &str, page: &StaticPage) -> HttpResponse {
    bytes(content_type, page.bytes.clone())
}

/// Returns a short text as a response.
pub fn text(status: u16, words: impl Into<Bytes>) -> HttpResponse {
    HttpResponse { status, ..bytes("text/plain; charset=utf-8", words) }
}

pub fn not_found() -> HttpResponse {
    text(404, "there is no such thing on this index")
}

pub fn redirect(to: &str) -> HttpResponse {
    text(301, "it is at another address").with("location", to)
}

/// Returns the form that an `Accept` header prefers; the plainest if several are equal.
fn preferred(accept: &str) -> &'static str {
    let quality = |form: &str| {
        let entries = accept.split(',').filter_map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let name = parts.next()?;
            let is_meant =
                name == form || (name == SIMPLE_LATEST && form == SIMPLE_JSON) || (name == "*/*" && form == HTML);
            is_meant.then(|| parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0))
        });
        entries.fold(0.0, f64::max)
    };
    [SIMPLE_JSON, SIMPLE_HTML, HTML].into_iter().max_by(|a, b| quality(a).total_cmp(&quality(b))).unwrap_or(HTML)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_file() {
        for (range, expected) in [
            ("bytes=0-4", Some(0..5)),
            ("bytes=5-", Some(5..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=-30", Some(0..10)),
            ("bytes=8-99", Some(8..10)),
            ("bytes=10-", Some(10..10)),
            ("bytes=-0", Some(10..10)),
            ("bytes=5-4", None),
            ("bytes=0-1,3-4", None),
            ("lines=0-1", None),
            ("bytes=x-", None),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
    }

    /// The headers that pip 26.3, pip 9, uv, browsers and curl send.
    #[test]
    fn the_form_is_the_one_that_is_liked_best() {
        let pip = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(preferred(pip), SIMPLE_JSON);
        assert_eq!(
            preferred(
                "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
            ),
            SIMPLE_JSON
        );
        assert_eq!(preferred("application/vnd.pypi.simple.latest+json"), SIMPLE_JSON);
        for plain in [browser, "text/html, */*", "*/*", ""] {
            assert_eq!(preferred(plain), HTML, "{plain}");
        }
    }
}
