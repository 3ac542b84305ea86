//! Generates pages of links in a folder to which several runs write: the links of earlier runs stay.

use percent_encoding::percent_decode_str;

use crate::domain::{Content, RelPath, Tree};

use super::HeldFolder;
use super::checked_tree::literal_path;
use super::html::{Anchor, AnchorLine, anchor_lines, page_of_lines};

/// Adds the page `path` to `tree`: `anchors`, and the links of the page in `folder` whose file exists
/// at the path that `place` returns and is not in `tree`. Without any link there is no page.
pub fn insert_page(
    tree: &mut Tree,
    (path, title): (&str, &str),
    anchors: &[Anchor],
    folder: &dyn HeldFolder,
    place: impl Fn(&AnchorLine) -> String,
) {
    let held = folder.read(path).map(|page| anchor_lines(&page)).unwrap_or_default();
    let is_replaced = |path: &str| RelPath::new(path).is_ok_and(|path| tree.get(&path).is_some());
    let stays = |line: &AnchorLine| {
        let place = place(line);
        folder.has_file(&place) && !is_replaced(&place)
    };
    let mut lines: Vec<_> = anchors.iter().map(AnchorLine::of).collect();
    lines.extend(held.into_iter().filter(stays));
    if !lines.is_empty() {
        lines.sort();
        lines.dedup();
        tree.insert(literal_path(path), Content::Generated(page_of_lines(title, &lines)));
    }
}

/// Returns the name of the file beside the page that a line of it links.
pub fn file_beside(line: &AnchorLine) -> String {
    percent_decode_str(line.target()).decode_utf8_lossy().into_owned()
}
