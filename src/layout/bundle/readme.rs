//! `README.txt` of a bundle.

use crate::domain::Fetched;

use super::super::names::unnamed;
use super::{MANIFEST_PATH, REQUIREMENTS_PATH, WHEELS};

/// What the person who unpacks the bundle needs to know.
pub fn text(fetched: &Fetched) -> String {
    let targets = list("It serves:", fetched.targets.iter().map(|target| target.id().to_owned()));
    let caveats = list("Mind that", unnamed(fetched));
    format!(
        "Python packages for a machine without a network
===============================================

Unpack this anywhere, go into the folder, and type one of

    python -m pip install -r {REQUIREMENTS_PATH}
    uv pip install -r {REQUIREMENTS_PATH}

To install with your own requirements instead:

    python -m pip install --no-index --find-links {WHEELS} -r your-requirements.txt

What is here:

    {WHEELS}/            the packages, as their index had them
    {REQUIREMENTS_PATH}   their versions and SHA-256 digests, which pip checks
    {MANIFEST_PATH}      where each file came from, who asked for it, whom it serves
{targets}{caveats}"
    )
}

/// A paragraph for a heading and its items; nothing where there are none.
fn list(heading: &str, items: impl IntoIterator<Item = String>) -> String {
    let items: String = items.into_iter().map(|item| format!("    {item}\n")).collect();
    if items.is_empty() { items } else { format!("\n{heading}\n\n{items}") }
}

#[cfg(test)]
mod tests {
    use super::super::super::support::{fetched, file, package};
    use super::*;

    #[test]
    fn what_cannot_be_found_by_name_is_told() {
        let whole = fetched(vec![package("demo", "1.0", vec![file("demo-1.0.zip", b"source")])]);
        assert!(!text(&whole).contains("Mind that"));
        let direct = fetched(vec![package("demo", "", vec![file("main.zip", b"direct")])]);
        assert!(text(&direct).contains("Mind that\n\n    `main.zip` does not tell which version of demo it is;"));
    }
}
