//! The install scripts of a bundle, `install.sh` and `install.ps1`.
//!
//! They are the same in every bundle: what differs they read from its manifest, so that no name of
//! a file or project is ever part of a program.

use crate::domain::TargetedQuestion;

const SHELL: &str = include_str!("scripts/install.sh");
const POWER_SHELL: &str = include_str!("scripts/install.ps1");

/// The Python program that both scripts run: it checks the files, compares the machine with the
/// targets, and installs.
///
/// It has no double quotes: Windows PowerShell loses them on the way to a program.
const PROGRAM: &str = include_str!("scripts/install.py");

/// Returns the install script for Unix.
pub fn shell() -> String {
    SHELL.replace("@PROGRAM@", PROGRAM)
}

/// Returns the install script for Windows.
pub fn power_shell() -> String {
    POWER_SHELL.replace("@PROGRAM@", PROGRAM).replace('\n', "\r\n")
}

/// Returns the option with which pip installs a bundle whose dependencies were not followed.
pub fn options(questions: &[TargetedQuestion]) -> &'static str {
    let is_alone = !questions.is_empty() && questions.iter().all(|asked| !asked.question.follow_dependencies);
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
