//! The pages of an index: PEP 503 with its attributes, PEP 691 with the additions of PEP 700.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use prefetch::domain::Algorithm;
use serde_json::{Value, json};

use super::published::Published;

/// How an index writes its pages.
#[derive(Clone, Debug)]
pub(super) struct PageStyle {
    /// The digests that it states of each file.
    pub algorithms: Vec<Algorithm>,
    /// Whether it has sidecars (PEP 658).
    pub has_sidecars: bool,
    /// Whether it states sizes and upload times (PEP 700).
    pub has_sizes: bool,
    /// What its links to files begin with, where they are not relative.
    pub file_host: Option<String>,
}

/// What may stand in a URL's path as it is.
const LITERAL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl PageStyle {
    /// The link to `file` on a page that lies `depth` folders below the root.
    fn href(&self, file: &Published, depth: usize) -> String {
        if let Some(literal) = file.literal_href() {
            return literal.to_owned();
        }
        let root = self.file_host.as_ref().map_or_else(|| "../".repeat(depth), |host| format!("{host}/"));
        format!("{root}files/{}", utf8_percent_encode(&file.filename, LITERAL))
    }

    fn sidecar(&self, file: &Published) -> Option<String> {
        file.metadata_sha256().filter(|_| self.has_sidecars)
    }

    /// The page of links to `files`, `depth` folders below the root.
    pub fn html(&self, files: &[&Published], depth: usize) -> String {
        let anchors = files.iter().map(|file| self.anchor(file, depth)).collect::<String>();
        html_page(&anchors)
    }

    fn anchor(&self, file: &Published, depth: usize) -> String {
        let digests = self.fragment(file);
        let mut attributes = format!("href=\"{}{digests}\"", escape(&self.href(file, depth)));
        let mut attribute = |name: &str, value: &str| attributes.push_str(&format!(" {name}=\"{}\"", escape(value)));
        file.requires_python.iter().for_each(|specifiers| attribute("data-requires-python", specifiers));
        file.yanked.iter().for_each(|reason| attribute("data-yanked", reason));
        self.sidecar(file).iter().for_each(|sha256| attribute("data-core-metadata", &format!("sha256={sha256}")));
        format!("<a {attributes}>{}</a><br>\n", escape(&file.filename))
    }

    fn fragment(&self, file: &Published) -> String {
        let digests = if file.literal_href().is_some() { Vec::new() } else { file.listed_digests(&self.algorithms) };
        let pairs: Vec<_> = digests.iter().map(|(algorithm, hex)| format!("{algorithm}={hex}")).collect();
        if pairs.is_empty() { String::new() } else { format!("#{}", escape(&pairs.join("&"))) }
    }

    /// The JSON page of `project`.
    pub fn json(&self, project: &str, files: &[&Published]) -> String {
        let files: Vec<_> = files.iter().map(|file| self.json_file(file)).collect();
        json!({"meta": {"api-version": "1.1"}, "name": project, "files": files}).to_string()
    }

    fn json_file(&self, file: &Published) -> Value {
        let digests = file.listed_digests(&self.algorithms);
        let hashes: serde_json::Map<_, _> =
            digests.into_iter().map(|(algorithm, hex)| (algorithm.to_string(), hex.into())).collect();
        let mut value = json!({"filename": file.filename, "url": self.href(file, 2), "hashes": hashes});
        let mut key = |name: &str, content: Option<Value>| {
            if let Some(content) = content {
                value[name] = content;
            }
        };
        key("requires-python", file.requires_python.clone().map(Value::from));
        key("yanked", file.yanked.clone().map(|reason| if reason.is_empty() { true.into() } else { reason.into() }));
        key("core-metadata", self.sidecar(file).map(|sha256| json!({"sha256": sha256})));
        key("size", file.listed_size().filter(|_| self.has_sizes).map(Value::from));
        key("upload-time", file.upload_time.clone().filter(|_| self.has_sizes).map(Value::from));
        value
    }
}

/// The page that lists `projects`.
pub(super) fn root_html(projects: &[&str]) -> String {
    html_page(&projects.iter().map(|name| format!("<a href=\"{name}/\">{name}</a>\n")).collect::<String>())
}

/// The same in JSON.
pub(super) fn root_json(projects: &[&str]) -> String {
    let projects: Vec<_> = projects.iter().map(|name| json!({"name": name})).collect();
    json!({"meta": {"api-version": "1.1"}, "projects": projects}).to_string()
}

fn html_page(body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html>\n<head><meta name=\"pypi:repository-version\" content=\"1.1\"></head>\n<body>\n{body}</body>\n</html>\n"
    )
}

/// Text as an attribute or element may hold it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
