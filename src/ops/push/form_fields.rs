//! The fields of the legacy upload API, as twine sends them.

use crate::index::metadata_fields;

/// The fields of core metadata that the API takes, each with the name that it has there.
const FIELDS: [(&str, &str); 31] = [
    ("metadata-version", "metadata_version"),
    ("name", "name"),
    ("version", "version"),
    ("summary", "summary"),
    ("description", "description"),
    ("description-content-type", "description_content_type"),
    ("keywords", "keywords"),
    ("home-page", "home_page"),
    ("download-url", "download_url"),
    ("author", "author"),
    ("author-email", "author_email"),
    ("maintainer", "maintainer"),
    ("maintainer-email", "maintainer_email"),
    ("license", "license"),
    ("license-expression", "license_expression"),
    ("license-file", "license_file"),
    ("classifier", "classifiers"),
    ("platform", "platform"),
    ("supported-platform", "supported_platform"),
    ("requires-python", "requires_python"),
    ("requires-dist", "requires_dist"),
    ("requires-external", "requires_external"),
    ("provides-dist", "provides_dist"),
    ("provides-extra", "provides_extra"),
    ("obsoletes-dist", "obsoletes_dist"),
    ("project-url", "project_urls"),
    ("requires", "requires"),
    ("provides", "provides"),
    ("obsoletes", "obsoletes"),
    ("dynamic", "dynamic"),
    ("import-name", "import_names"),
];

/// Returns the fields of a metadata file under their names in the form, in order.
pub fn of_metadata(metadata: &[u8]) -> Vec<(String, String)> {
    let named = |(field, value): (String, String)| {
        let (_, name) = FIELDS.iter().find(|(header, _)| field.eq_ignore_ascii_case(header))?;
        (!value.is_empty()).then(|| ((*name).to_owned(), value))
    };
    metadata_fields(metadata).into_iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names are those that twine 6 sends for the same file.
    #[test]
    fn metadata_becomes_form_fields() {
        let metadata = "Metadata-Version: 2.1\nName: Demo.Pkg\nVersion: 1.0\nClassifier: A\nClassifier: B\n\
            Project-URL: Home, https://demo.example\nRequires-Dist: six;\n python_version < '4'\nX-Own: no\nLicense: \n\
            Description-Content-Type: text/markdown\n\n# Demo\n\ntext\n";
        let fields = of_metadata(metadata.as_bytes());
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            fields,
            [
                ("metadata_version", "2.1"),
                ("name", "Demo.Pkg"),
                ("version", "1.0"),
                ("classifiers", "A"),
                ("classifiers", "B"),
                ("project_urls", "Home, https://demo.example"),
                ("requires_dist", "six; python_version < '4'"),
                ("description_content_type", "text/markdown"),
                ("description", "# Demo\n\ntext"),
            ]
        );
        let folded = of_metadata(b"Name: a\nDescription: first\n        second\n");
        assert_eq!(folded[1], ("description".to_owned(), "first\nsecond".to_owned()));
    }
}
