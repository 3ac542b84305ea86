//! Source archives that are built where they are installed, in words.

use crate::cli::plural::listed;
use crate::domain::SourceInstall;
use crate::ops::TargetBuild;

/// How many targets are named one by one.
const NAMED: usize = 3;

/// Returns the warning about what is left for the targets to build, if anything is.
pub fn warning(builds: &[TargetBuild]) -> Option<String> {
    let beginning = match builds.len() {
        0 => return None,
        1 => "a source archive has to be built where it is installed".to_owned(),
        more => format!("{more} source archives have to be built where they are installed"),
    };
    let lines: String = builds.iter().map(|build| format!("\n  {}", sentence(build))).collect();
    Some(format!(
        "{beginning}:{lines}\n  --require-wheels refuses that; --prefer-binary takes older releases that have wheels"
    ))
}

/// Returns a sentence on who builds it, and what that takes.
pub fn sentence(build: &TargetBuild) -> String {
    let TargetBuild { install, languages } = build;
    let builds = if install.targets.len() == 1 { "builds" } else { "build" };
    let compilers: Vec<_> = languages.iter().map(|language| format!("a {language} compiler")).collect();
    let takes = match compilers.as_slice() {
        [] => "no compiler, as far as its files tell".to_owned(),
        all => format!("{}, and the headers of what it uses", all.join(", ")),
    };
    format!("{}: {} {builds} it, which takes {takes}", install.filename, listed(&install.targets, NAMED))
}

/// Returns why a run with `--require-wheels` is refused.
pub fn refusal(install: &SourceInstall) -> String {
    format!(
        "{} is a source archive, and wheels are required: there is no wheel of it that {} can install",
        install.filename,
        listed(&install.targets, NAMED)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(filename: &str, targets: &[&str], languages: &[&'static str]) -> TargetBuild {
        let targets = targets.iter().map(|target| (*target).to_owned()).collect();
        let install = SourceInstall { filename: filename.into(), sha256: None, targets };
        TargetBuild { install, languages: languages.to_vec() }
    }

    #[test]
    fn every_archive_is_told_with_what_its_build_takes() {
        assert_eq!(warning(&[]), None);
        let one = warning(&[build("a-1.zip", &["x"], &["C", "C++"])]).unwrap();
        assert!(one.starts_with("a source archive has to be built where it is installed:\n"), "{one}");
        assert!(
            one.contains("a-1.zip: x builds it, which takes a C compiler, a C++ compiler, and the headers"),
            "{one}"
        );
        let two = warning(&[build("a-1.zip", &["x"], &[]), build("b-1.zip", &["w", "x", "y", "z"], &[])]).unwrap();
        assert!(two.starts_with("2 source archives have to be built where they are installed:\n"), "{two}");
        assert!(two.contains("b-1.zip: w, x, y and 1 more build it, which takes no compiler"), "{two}");
    }
}
