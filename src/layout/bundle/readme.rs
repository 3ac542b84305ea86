//! `README.txt` of a bundle.

use crate::domain::Fetched;

use super::super::names::unnamed;
use super::{MANIFEST_PATH, REQUIREMENTS_PATH, WHEELS};

/// What the person who unpacks the bundle needs to know.
pub fn text(fetched: &Fetched) -> String {
    let targets: String = fetched.targets.iter().map(|target| format!("    {}\n", target.id())).collect();
    let caveats: String = unnamed(fetched).iter().map(|caveat| format!("\n{caveat}\n")).collect();
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

It serves:

{targets}{caveats}"
    )
}
