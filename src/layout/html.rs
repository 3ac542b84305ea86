//! Generates pages of links as the simple repository API defines them (PEP 503).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::{Specifiers, Yanked, is_control};

/// The characters that are escaped in a URL's path: all but the unreserved ones (RFC 3986).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns a file name as a relative link.
pub fn href(filename: &str) -> String {
    utf8_percent_encode(filename, RESERVED).to_string()
}

/// A link on a page.
#[derive(Clone, Debug, Default)]
pub struct Anchor {
    pub href: String,
    pub text: String,
    /// Attribute names with their unescaped values.
    pub attributes: Vec<(&'static str, String)>,
}

/// Returns the attributes that keep an installer from a file: `Requires-Python` (PEP 503) and
/// yanking (PEP 592).
pub fn restrictions(requires_python: Option<&Specifiers>, yanked: &Yanked) -> Vec<(&'static str, String)> {
    let requires_python = requires_python.iter().map(|python| ("data-requires-python", python.to_string()));
    let yanked = yanked.0.iter().map(|reason| ("data-yanked", reason.to_string()));
    requires_python.chain(yanked).collect()
}

/// Returns a page with these links in this order.
pub fn page(title: &str, anchors: &[Anchor]) -> Vec<u8> {
    page_of_lines(title, &anchors.iter().map(AnchorLine::of).collect::<Vec<_>>())
}

/// A link as a line of a page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnchorLine(String);

const LINE_START: &str = "<a href=\"";

impl AnchorLine {
    pub fn of(anchor: &Anchor) -> Self {
        let attributes = anchor.attributes.iter().map(|(name, value)| format!(" {name}=\"{}\"", escape(value)));
        let attributes: String = attributes.collect();
        Self(format!("{LINE_START}{}\"{attributes}>{}</a><br>", escape(&anchor.href), escape(&anchor.text)))
    }

    /// Returns the link without its fragment, still escaped.
    pub fn target(&self) -> &str {
        self.0[LINE_START.len()..].split(['"', '#']).next().unwrap_or_default()
    }
}

/// The beginning of every page of this program.
const PAGE_START: &str = "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"pypi:repository-version\" content=\"1.1\">\n";

/// Returns a page of these lines.
pub fn page_of_lines(title: &str, lines: &[AnchorLine]) -> Vec<u8> {
    let title = escape(title);
    let mut page = format!("{PAGE_START}<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n");
    for AnchorLine(line) in lines {
        page.push_str(line);
        page.push('\n');
    }
    page.push_str("</body>\n</html>\n");
    page.into_bytes()
}

/// Returns the links of a page of this program, and none of any other page.
pub fn anchor_lines(page: &[u8]) -> Vec<AnchorLine> {
    let page = std::str::from_utf8(page).ok().filter(|page| page.starts_with(PAGE_START)).unwrap_or_default();
    let is_anchor = |line: &&str| line.starts_with(LINE_START) && line.ends_with("</a><br>");
    page.lines().filter(is_anchor).map(|line| AnchorLine(line.to_owned())).collect()
}

/// Returns `text` escaped for an element or a quoted attribute; what cannot be seen, or turns the
/// direction of reading, becomes a replacement character.
pub fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let is_unseen = |character| is_control(character) && !matches!(character, '\n' | '\t');
    if text.contains(is_unseen) { text.replace(is_unseen, "\u{fffd}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_links_that_lead_to_them() {
        assert_eq!(href("a b+c~d!é%2F.whl"), "a%20b%2Bc~d%21%C3%A9%252F.whl");
    }

    #[test]
    fn what_cannot_be_seen_is_replaced() {
        assert_eq!(escape("a <b>\n\u{1b}[2J\u{202e}c"), "a &lt;b&gt;\n\u{fffd}[2J\u{fffd}c");
    }

    #[test]
    fn attributes_are_escaped() {
        let anchor = Anchor {
            href: "a.whl#egg=a&sha256=0".into(),
            text: "a.whl".into(),
            attributes: vec![("data-requires-python", ">=3.8, <\"4\"".into())],
        };
        let page = String::from_utf8(page("demo", std::slice::from_ref(&anchor))).unwrap();
        let expected = "<a href=\"a.whl#egg=a&amp;sha256=0\" \
                        data-requires-python=\"&gt;=3.8, &lt;&quot;4&quot;\">a.whl</a><br>\n";
        assert!(page.contains(expected), "{page}");
        assert_eq!(anchor_lines(page.as_bytes()), [AnchorLine::of(&anchor)]);
        assert_eq!(AnchorLine::of(&anchor).target(), "a.whl");
        assert_eq!(anchor_lines(page.replace("DOCTYPE", "doctype").as_bytes()), []);
    }
}
