//! What uv reads of a project's pyproject.toml to install by a lock.

use toml_edit::visit_mut::VisitMut;
use toml_edit::{DocumentMut, Item, TableLike, TomlError};

use super::super::relocated_lock::MaskCredentials;

/// Returns what `uv sync --frozen` reads of a pyproject.toml: not where its indexes are, nor how it is built.
///
/// # Errors
/// When it is no TOML.
pub fn reduced(project: &str) -> Result<String, TomlError> {
    const PROJECT: [&str; 6] =
        ["name", "version", "requires-python", "dependencies", "optional-dependencies", "dynamic"];
    const UV: [&str; 5] = ["workspace", "default-groups", "dev-dependencies", "conflicts", "dependency-groups"];
    let mut document: DocumentMut = project.trim_start_matches('\u{feff}').parse()?;
    keep(document.as_table_mut(), &["project", "dependency-groups", "tool"]);
    if let Some(table) = document.get_mut("project").and_then(Item::as_table_like_mut) {
        keep(table, &PROJECT);
    }
    if let Some(tool) = document.get_mut("tool").and_then(Item::as_table_like_mut) {
        keep(tool, &["uv"]);
        if let Some(uv) = tool.get_mut("uv").and_then(Item::as_table_like_mut) {
            keep(uv, &UV);
        }
    }
    MaskCredentials.visit_document_mut(&mut document);
    Ok(document.to_string())
}

fn keep(table: &mut dyn TableLike, keys: &[&str]) {
    let others = table.iter().map(|(key, _)| key.to_owned()).filter(|key| !keys.contains(&key.as_str()));
    for key in others.collect::<Vec<_>>() {
        table.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_keeps_what_uv_reads_and_no_secret() {
        let text = "[project]\nname = 'app'\nversion = '1'\nreadme = 'README.md'\ndependencies = ['lib @ \
                    https://me:hunter2@files.example/lib-1-py3-none-any.whl']\n[build-system]\nrequires = []\n[tool.black]\n\
                    [[tool.uv.index]]\nurl = 'https://me:hunter2@index.example/simple'\n[tool.uv.workspace]\nmembers = \
                    ['packages/*']\n[dependency-groups]\ndev = ['lint']\n";
        let reduced = reduced(text).unwrap();
        let kept: toml::Table = reduced.parse().unwrap();
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["dependency-groups", "project", "tool"]);
        assert_eq!(kept["tool"].as_table().unwrap().len(), 1);
        assert_eq!(kept["tool"]["uv"].as_table().unwrap().keys().collect::<Vec<_>>(), ["workspace"]);
        assert!(kept["project"].get("readme").is_none() && !reduced.contains("hunter2"), "{reduced}");
    }
}
