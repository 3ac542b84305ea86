//! Parses requests and writes response headers of HTTP/1.1 (RFC 9112), as far as a read-only index
//! needs them.

use httparse::{EMPTY_HEADER, Header, Status};

use super::respond::{HttpRequest, HttpResponse};

/// The size limit of a request's headers in bytes.
pub const LARGEST_HEAD: usize = 16 << 10;

/// The limit of a request's header fields.
const MAX_FIELDS: usize = 100;

/// A request at the beginning of the received bytes.
#[derive(Clone, Copy, Debug)]
pub struct ParsedRequest<'a> {
    pub request: HttpRequest<'a>,
    /// The request target as it was sent, with the query.
    pub target: &'a str,
    /// The `Host` field, which may include a port.
    pub host: Option<&'a str>,
    /// The size of the request's headers in bytes.
    pub length: usize,
    /// Whether another request may follow on the connection.
    pub is_kept: bool,
}

/// Parses the first request in `bytes`; `None` until its headers are complete.
///
/// # Errors
/// When the bytes are no valid request, or are ambiguous.
pub fn receive(bytes: &[u8]) -> Result<Option<ParsedRequest<'_>>, &'static str> {
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let Status::Complete(length) = head.parse(bytes).map_err(|_| "that is no request of HTTP/1.1")? else {
        return Ok(None);
    };
    let (method, target) = (head.method.unwrap_or_default(), head.path.unwrap_or_default());
    let is_new = head.version == Some(1);
    let field = |name| value(head.headers, name);
    let request = HttpRequest {
        method,
        path: path(target),
        accept: field("accept"),
        if_none_match: field("if-none-match"),
        if_range: field("if-range"),
        range: field("range"),
    };
    if count(head.headers, "host") > 1 {
        return Err("the request names several hosts");
    }
    // What a request brings along is not read, so nothing can follow it.
    let is_kept = !has_body(head.headers, method)? && wants_more(field("connection"), is_new);
    Ok(Some(ParsedRequest { request, target, host: field("host"), length, is_kept }))
}

/// Whether a body follows the headers.
///
/// # Errors
/// When a proxy may read the length differently, and take a part of one request for another (RFC
/// 9112, 6.3 and 11.2).
fn has_body(fields: &[Header<'_>], method: &str) -> Result<bool, &'static str> {
    let (lengths, encodings) = (count(fields, "content-length"), count(fields, "transfer-encoding"));
    if lengths > 1 || lengths + encodings > 1 {
        return Err("the request tells its length twice");
    }
    if encodings > 0 && matches!(method, "GET" | "HEAD") {
        return Err("a request that only reads has no body to be encoded");
    }
    let is_number = |length: &str| !length.is_empty() && length.bytes().all(|digit| digit.is_ascii_digit());
    match fields.iter().find(|field| field.name.eq_ignore_ascii_case("content-length")) {
        None => Ok(encodings > 0),
        Some(field) => match std::str::from_utf8(field.value) {
            Ok(length) if is_number(length) => Ok(length.bytes().any(|digit| digit != b'0')),
            _ => Err("the length of the request is no number"),
        },
    }
}

fn count(fields: &[Header<'_>], name: &str) -> usize {
    fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name)).count()
}

/// Returns the first value of a field; `None` if it is no text.
fn value<'a>(fields: &[Header<'a>], name: &str) -> Option<&'a str> {
    let field = fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(field.value).ok()
}

/// Returns the path of a request target, which may be a whole URL for a proxy.
fn path(target: &str) -> &str {
    let local = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    };
    local.split('?').next().unwrap_or_default()
}

fn wants_more(connection: Option<&str>, is_new: bool) -> bool {
    let says = |word: &str| {
        connection.is_some_and(|words| words.split(',').any(|said| said.trim().eq_ignore_ascii_case(word)))
    };
    if is_new { !says("close") } else { says("keep-alive") }
}

/// Returns the headers of a response that is sent at `date`, an HTTP date.
pub fn head(respond: &HttpResponse, date: &str, is_kept: bool) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\ndate: {date}\r\n", respond.status, reason(respond.status));
    for (name, value) in &respond.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    if respond.status != 304 {
        head.extend(["content-length: ", &respond.body.size().to_string(), "\r\n"]);
    }
    head.push_str(if is_kept { "connection: keep-alive\r\n\r\n" } else { "connection: close\r\n\r\n" });
    head.into_bytes()
}

/// Returns the reason phrase of a status, which is for people only.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        416 => "Range Not Satisfiable",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> ParsedRequest<'_> {
        receive(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn a_request_is_read_once_it_is_complete() {
        let text = "GET /simple/a/?x=1 HTTP/1.1\r\nHost: h\r\nACCEPT: text/html\r\nRange: bytes=0-\r\n\r\nGET /next";
        for end in 0..text.find("GET /next").unwrap() {
            assert!(receive(&text.as_bytes()[..end]).unwrap().is_none(), "{end}");
        }
        let parsed = first(text);
        assert_eq!((parsed.request.path, parsed.target), ("/simple/a/", "/simple/a/?x=1"));
        assert_eq!((parsed.request.accept, parsed.request.range), (Some("text/html"), Some("bytes=0-")));
        assert_eq!(&text[parsed.length..], "GET /next");
        assert_eq!(first("GET http://h:80/simple/?q HTTP/1.1\r\n\r\n").request.path, "/simple/");
        assert_eq!(first("GET http://h HTTP/1.1\r\n\r\n").request.path, "/");
        for nonsense in
            ["\u{16}\u{3}\u{1}", "GET\r\n\r\n", "GET / HTTP/2\r\n\r\n", "GET / HTTP/1.1\r\nno field\r\n\r\n"]
        {
            assert!(receive(nonsense.as_bytes()).is_err(), "{nonsense:?}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101));
        assert!(receive(many.as_bytes()).is_err());
    }

    #[test]
    fn a_request_that_can_be_read_in_two_ways_is_refused() {
        for fields in [
            "Content-Length: 3\r\nContent-Length: 3",
            "Content-Length: 0\r\ncontent-length: 3",
            "Content-Length: 3, 3",
            "Content-Length: +3",
            "Content-Length: ",
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Host: a.example\r\nHost: b.example",
        ] {
            let text = format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n");
            assert!(receive(text.as_bytes()).is_err(), "{fields}");
        }
    }

    #[test]
    fn a_connection_is_kept_as_the_client_wants() {
        for (text, is_kept) in [
            ("GET / HTTP/1.1\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nConnection: TE, close\r\n\r\n", false),
            ("GET / HTTP/1.0\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", false),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", true),
        ] {
            assert_eq!(first(text).is_kept, is_kept, "{text}");
        }
    }
}
