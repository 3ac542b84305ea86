//! Generates pages of links as the simple repository API defines them (PEP 503).

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::{Specifiers, Yanked};

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
    let title = escape(title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"pypi:repository-version\" content=\"1.1\">\n<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    for anchor in anchors {
        write_anchor(&mut page, anchor).expect("writing to a string cannot fail");
    }
    page.push_str("</body>\n</html>\n");
    page.into_bytes()
}

fn write_anchor(page: &mut String, anchor: &Anchor) -> std::fmt::Result {
    write!(page, "<a href=\"{}\"", escape(&anchor.href))?;
    for (name, value) in &anchor.attributes {
        write!(page, " {name}=\"{}\"", escape(value))?;
    }
    writeln!(page, ">{}</a><br>", escape(&anchor.text))
}

/// Returns `text` escaped for an element or a quoted attribute.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_links_that_lead_to_them() {
        assert_eq!(href("a b+c~d!é%2F.whl"), "a%20b%2Bc~d%21%C3%A9%252F.whl");
    }

    #[test]
    fn attributes_are_escaped() {
        let anchor = Anchor {
            href: "a.whl#egg=a&sha256=0".into(),
            text: "a.whl".into(),
            attributes: vec![("data-requires-python", ">=3.8, <\"4\"".into())],
        };
        let page = String::from_utf8(page("demo", &[anchor])).unwrap();
        let expected = "<a href=\"a.whl#egg=a&amp;sha256=0\" \
                        data-requires-python=\"&gt;=3.8, &lt;&quot;4&quot;\">a.whl</a><br>\n";
        assert!(page.contains(expected), "{page}");
    }
}
