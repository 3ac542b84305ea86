//! What wheels and source archives say of themselves: the core metadata.

/// The fields that the tests need of a `METADATA` or `PKG-INFO` file.
#[derive(Clone, Debug)]
pub(super) struct CoreMetadata {
    pub name: String,
    pub version: String,
    pub requires_dist: Vec<String>,
    pub requires_python: Option<String>,
    pub provides_extra: Vec<String>,
    /// Whole lines of other fields.
    pub more: Vec<String>,
}

impl CoreMetadata {
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            requires_dist: Vec::new(),
            requires_python: None,
            provides_extra: Vec::new(),
            more: Vec::new(),
        }
    }

    /// The name as new file names have it: lower case, every run of `-_.` one `_` (PEP 427, PEP 625).
    pub fn escaped_name(&self) -> String {
        normalize(&self.name).replace('-', "_")
    }

    /// What Python code imports.
    pub fn module(&self) -> String {
        self.escaped_name()
    }

    pub fn module_source(&self) -> String {
        format!("__version__ = {:?}\n", self.version)
    }

    pub fn to_text(&self, metadata_version: &str) -> String {
        let mut text =
            format!("Metadata-Version: {metadata_version}\nName: {}\nVersion: {}\n", self.name, self.version);
        let mut field = |name: &str, value: &str| text.push_str(&format!("{name}: {value}\n"));
        self.requires_python.iter().for_each(|specifiers| field("Requires-Python", specifiers));
        self.provides_extra.iter().for_each(|extra| field("Provides-Extra", extra));
        self.requires_dist.iter().for_each(|requirement| field("Requires-Dist", requirement));
        self.more.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        text
    }
}

/// The name as PEP 503 normalizes it.
pub(super) fn normalize(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}
