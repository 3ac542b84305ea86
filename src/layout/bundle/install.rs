//! `install.sh` and `install.ps1` of a bundle.
//!
//! They are the same in every bundle: what differs they read from its manifest, so no name of a file
//! or project is ever part of a program.

use crate::domain::Request;

const SHELL: &str = include_str!("scripts/install.sh");
const POWER_SHELL: &str = include_str!("scripts/install.ps1");

/// What both scripts let Python do: check, compare, and install. It has no double quotes: Windows
/// PowerShell loses them on the way to a program.
const PROGRAM: &str = include_str!("scripts/install.py");

/// The script for Unix.
pub fn shell() -> String {
    SHELL.replace("@PROGRAM@", PROGRAM)
}

/// The script for Windows.
pub fn power_shell() -> String {
    POWER_SHELL.replace("@PROGRAM@", PROGRAM).replace('\n', "\r\n")
}

/// What was fetched without dependencies is installed without them.
pub fn options(requests: &[Request]) -> &'static str {
    let is_alone = !requests.is_empty() && requests.iter().all(|request| !request.follow_dependencies);
    if is_alone { "--no-deps " } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An argument with double quotes, or a line that ends the quotation, would be another program.
    #[test]
    fn the_program_can_stand_in_both_scripts() {
        assert!(PROGRAM.is_ascii() && !PROGRAM.contains('"'));
        assert!(PROGRAM.lines().all(|line| line != "END" && !line.starts_with("'@")));
        assert_eq!(shell().matches("@PROGRAM@").count() + power_shell().matches("@PROGRAM@").count(), 0);
    }
}
