//! The line to copy that uses what was written.

use std::path::Path;

use url::Url;

use crate::cli::settings::args::{FetchArgs, is_folder};
use crate::domain::mask_credentials;
use crate::layout::{Layout, REQUIREMENTS_PATH, UsageLocation};
use crate::ops::Output;

/// What to type so that pip installs what was asked for from `output`, without a network.
pub fn line(output: &Output, args: &FetchArgs, working_folder: &Path) -> String {
    match output {
        Output::Folder { layout, path } => folder_line(*layout, path, &asked(args), working_folder),
        Output::Bundle(bundle) => bundle_line(&bundle.path),
    }
}

fn folder_line(layout: &dyn Layout, path: &Path, asked: &str, working_folder: &Path) -> String {
    let absolute = Url::from_directory_path(working_folder.join(path)).map(String::from).unwrap_or_default();
    let location = UsageLocation { path: &path.display().to_string(), url: &absolute };
    let usage = layout.usage(&location);
    let variables = usage.variables.iter().map(|(name, value)| format!("{name}={} ", quote(value)));
    let arguments: Vec<_> = usage.arguments.iter().map(|argument| quote(argument)).collect();
    format!("{}python -m pip install {} {asked}", variables.collect::<String>(), arguments.join(" "))
}

fn bundle_line(path: &Path) -> String {
    let name = quote(&path.display().to_string());
    if is_folder(path) {
        return format!("python -m pip install -r {}", quote(&path.join(REQUIREMENTS_PATH).display().to_string()));
    }
    let unpack = if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
        format!("python -m zipfile -e {name} bundle")
    } else {
        format!("mkdir bundle && tar -xf {name} -C bundle")
    };
    format!("{unpack} && python -m pip install -r bundle/requirements.txt")
}

/// The requirements as they were typed, but for passwords.
fn asked(args: &FetchArgs) -> String {
    let files = args.inputs.requirement_files.iter().flat_map(|file| ["-r", file]);
    let constraints = args.inputs.constraint_files.iter().flat_map(|file| ["-c", file]);
    let all = files.chain(constraints).chain(args.requirements.iter().map(String::as_str));
    all.map(|word| quote(&mask_credentials(word))).collect::<Vec<_>>().join(" ")
}

fn quote(text: &str) -> String {
    shlex::try_quote(text).map(String::from).unwrap_or_else(|_| format!("{text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;

    proptest::proptest! {
        #[test]
        fn no_word_leaves_its_quotes(word in "\\PC{0,20}") {
            proptest::prop_assert_eq!(shlex::split(&quote(&word)), Some(vec![word]));
        }
    }

    #[test]
    fn lines_are_quoted_for_the_shell() {
        let line =
            |name, path| folder_line(layout::find(name).unwrap(), Path::new(path), "-r 'a b.txt'", Path::new("/w"));
        assert_eq!(
            line("find-links", "my wheels"),
            "python -m pip install --no-index --find-links 'my wheels' -r 'a b.txt'"
        );
        assert_eq!(line("simple", "idx"), "python -m pip install --index-url file:///w/idx/ -r 'a b.txt'");
        assert_eq!(bundle_line(Path::new("my out/")), "python -m pip install -r 'my out/requirements.txt'");
        assert_eq!(
            bundle_line(Path::new("out.tar.zst")),
            "mkdir bundle && tar -xf out.tar.zst -C bundle && python -m pip install -r bundle/requirements.txt"
        );
    }
}
