//! Decides on responses, by the catalogue and the request alone.

use std::ops::Range;

use bytes::Bytes;
use percent_encoding::percent_decode_str;

use super::catalogue::{Catalogue, IndexEntry, StaticPage};
use crate::archive::Extent;
use crate::domain::{PackageName, RelPath, Sha256};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: HttpBody,
}

/// The source of a body: memory, or a part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpBody {
    Bytes(Bytes),
    Extent(Extent),
}

impl HttpBody {
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Extent(extent) => extent.size,
        }
    }

    fn part(self, range: Range<u64>) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.slice(range.start as usize..range.end as usize)),
            Self::Extent(extent) => {
                Self::Extent(Extent { start: extent.start + range.start, size: range.end - range.start, ..extent })
            }
        }
    }
}

const HTML: &str = "text/html";
const SIMPLE_HTML: &str = "application/vnd.pypi.simple.v1+html";
const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";
const SIMPLE_LATEST: &str = "application/vnd.pypi.simple.latest+json";

/// The search page.
const SEARCH: &[u8] = include_bytes!("search.html");

/// The Content Security Policy of the search page, which loads only the list of projects, from
/// here.
const SEARCH_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'";

/// Returns the response to `request` from `catalogue`.
pub fn respond(catalogue: &Catalogue, request: &HttpRequest<'_>) -> HttpResponse {
    if !matches!(request.method, "GET" | "HEAD") {
        return text(405, "this index can only be read").with("allow", "GET, HEAD");
    }
    match request.path {
        "/" => bytes("text/html; charset=utf-8", SEARCH).with("content-security-policy", SEARCH_POLICY),
        "/projects.json" => metadata("application/json", &catalogue.projects).tagged(&catalogue.projects.tag, request),
        "/simple" => redirect("/simple/"),
        path => match path.strip_prefix("/simple/") {
            Some(rest) => simple(catalogue, rest, request),
            None => not_found(),
        },
    }
}

/// Returns the response to a path below `/simple/`.
fn simple(catalogue: &Catalogue, rest: &str, request: &HttpRequest<'_>) -> HttpResponse {
    let Ok(decoded) = percent_decode_str(rest).decode_utf8() else { return not_found() };
    if decoded.is_empty() {
        return page(catalogue, "", request);
    }
    let (project, file) = decoded.split_once('/').map_or((&*decoded, None), |(project, file)| (project, Some(file)));
    match file {
        None | Some("") => match project.parse::<PackageName>() {
            Ok(name) if name.as_ref() == project && file.is_some() => page(catalogue, &format!("{name}/"), request),
            Ok(name) if has(catalogue, &format!("{name}/index.html")) => redirect(&format!("/simple/{name}/")),
            _ => not_found(),
        },
        Some(_) => object(catalogue, &decoded, request),
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
        Some(IndexEntry::StaticPage(page)) => {
            let form = if form == HTML { "text/html; charset=utf-8" } else { form };
            metadata(form, page).with("vary", "Accept").with("cache-control", "max-age=600").tagged(&page.tag, request)
        }
        _ => not_found(),
    }
}

fn object(catalogue: &Catalogue, path: &str, request: &HttpRequest<'_>) -> HttpResponse {
    let Some(IndexEntry::Object(sha256)) = find(catalogue, path) else { return not_found() };
    let Some(body) = body_of(catalogue, *sha256) else { return not_found() };
    let kind = if path.ends_with(".metadata") { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    let tag = format!("\"{sha256}\"");
    let headers = vec![("content-type", kind.to_owned()), ("cache-control", "max-age=31536000, immutable".to_owned())];
    HttpResponse { status: 200, headers, body }.tagged(&tag, request).in_part(&tag, request)
}

fn body_of(catalogue: &Catalogue, sha256: Sha256) -> Option<HttpBody> {
    let extent = catalogue.extents.get(&sha256).cloned().map(HttpBody::Extent);
    extent.or_else(|| catalogue.sidecars.get(&sha256).cloned().map(HttpBody::Bytes))
}

impl HttpResponse {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Adds an `ETag`, and omits the body if the client has it already.
    fn tagged(self, tag: &str, request: &HttpRequest<'_>) -> Self {
        let respond = self.with("etag", tag);
        let is_known = |tags: &str| {
            tags.split(',').map(str::trim).any(|declared| declared == "*" || declared.trim_start_matches("W/") == tag)
        };
        match request.if_none_match.is_some_and(is_known) {
            true => Self { status: 304, body: HttpBody::Bytes(Bytes::new()), ..respond },
            false => respond,
        }
    }

    /// Answers a `Range` with one part (RFC 9110, 14.2); any other is ignored.
    fn in_part(self, tag: &str, request: &HttpRequest<'_>) -> Self {
        let respond = self.with("accept-ranges", "bytes");
        let is_current = request.if_range.is_none_or(|declared| declared == tag);
        let size = respond.body.size();
        let asked = request.range.filter(|_| is_current && respond.status == 200);
        match asked.and_then(|range| part(range, size)) {
            None => respond,
            Some(range) if range.is_empty() => {
                text(416, "there is no such part").with("content-range", &format!("bytes */{size}"))
            }
            Some(range) => {
                let span = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                let body = respond.body.clone().part(range);
                Self { status: 206, body, ..respond }.with("content-range", &span)
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

fn metadata(content_type: &str, page: &StaticPage) -> HttpResponse {
    bytes(content_type, page.bytes.clone())
}

/// Returns a short text as a response.
pub fn text(status: u16, words: &'static str) -> HttpResponse {
    HttpResponse { status, ..bytes("text/plain; charset=utf-8", words.as_bytes()) }
}

fn not_found() -> HttpResponse {
    text(404, "there is no such thing on this index")
}

fn redirect(to: &str) -> HttpResponse {
    text(301, "elsewhere").with("location", to)
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
