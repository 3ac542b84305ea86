//! `install.sh` and `install.ps1` of a bundle.

use crate::domain::Request;

const SHELL: &str = include_str!("scripts/install.sh");
const POWER_SHELL: &str = include_str!("scripts/install.ps1");

/// What stands in the scripts for options of pip.
const OPTIONS: &str = "@OPTIONS@";

/// The script for Unix.
pub fn shell(requests: &[Request]) -> String {
    SHELL.replace(OPTIONS, options(requests))
}

/// The script for Windows.
pub fn power_shell(requests: &[Request]) -> String {
    POWER_SHELL.replace(OPTIONS, options(requests)).replace('\n', "\r\n")
}

/// What was fetched without dependencies is installed without them.
pub fn options(requests: &[Request]) -> &'static str {
    let is_alone = !requests.is_empty() && requests.iter().all(|request| !request.follow_dependencies);
    if is_alone { "--no-deps " } else { "" }
}
