//! Refuses arguments that look like project names but are more likely a mistyped command or a file.

use std::path::PathBuf;

use clap::CommandFactory;

use crate::cli::command_line::Cli;
use crate::cli::error::CliError;
use crate::input::{conversion_hint, format_of};

/// Names of commands of similar tools, each with what to do in `prefetch` instead; empty if the
/// word should just be left out.
///
/// Each is also the name of a project on public indexes, which must not be fetched by mistake.
const VERBS: [(&str, &str); 51] = [
    ("add", ""),
    ("audit", "for a bundle there are `prefetch inspect` and --sbom"),
    ("build", "to run builds of source archives, use --allow-build"),
    ("bundle", "to pack everything into one file, use --bundle FILE"),
    ("check", "to check a bundle, use `prefetch verify`"),
    ("clean", "to empty the cache, use `prefetch cache clean`"),
    ("compile", "to see what would be chosen, use --dry-run"),
    ("config", "to see the settings, use --show-settings"),
    ("debug", "to see the settings, use --show-settings"),
    ("download", ""),
    ("export", "to see what would be chosen, use --dry-run --report -"),
    ("fetch", ""),
    ("freeze", "to see what would be chosen, use --dry-run --report -"),
    ("get", ""),
    ("help", "see `prefetch help`"),
    ("import", "to take files into the cache, use `prefetch cache import`"),
    ("index", "to write an index tree, use --layout simple"),
    ("info", "to see what is in a bundle, use `prefetch inspect`; in the cache, `prefetch cache info`"),
    ("init", ""),
    ("install", "prefetch installs nothing, and prints the line that does"),
    ("list", "to see what is cached, use `prefetch cache list`"),
    ("lock", "to see what would be chosen, use --dry-run --report -"),
    ("man", "to write man pages, use `prefetch man-pages DIR`"),
    ("mirror", "to write an index tree, use --layout simple"),
    ("outdated", ""),
    ("pack", "to pack everything into one file, use --bundle FILE"),
    ("package", "to pack everything into one file, use --bundle FILE"),
    ("plan", "to see what would be fetched, use --dry-run"),
    ("prune", "to shrink the cache, use `prefetch cache prune`"),
    ("publish", "to upload what was fetched to a registry, use `prefetch push`"),
    ("pull", ""),
    ("purge", "to empty the cache, use `prefetch cache clean`"),
    ("remove", ""),
    ("resolve", "to see what would be chosen, use --dry-run"),
    ("restore", ""),
    ("run", ""),
    ("search", ""),
    ("self", ""),
    ("show", "to see what is in a bundle, use `prefetch inspect`"),
    ("sign", "to sign a bundle, use --bundle FILE --sign KEY"),
    ("split", "to write volumes, use --bundle FILE --split SIZE"),
    ("sync", ""),
    ("tree", "to see who needs what in a bundle, use `prefetch inspect`"),
    ("uninstall", ""),
    ("update", "to check index pages again, use --refresh"),
    ("upgrade", "to check index pages again, use --refresh"),
    ("upload", "to upload what was fetched to a registry, use `prefetch push`"),
    ("vendor", "name the folder with --dest DIR"),
    ("version", "see prefetch --version"),
    ("warm", "to fill pip's own cache, use --warm-pip"),
    ("wheel", "to run builds of source archives, use --allow-build"),
];

/// Refuses a command of another tool as the first word, a mistyped command with its path, and a
/// requirements file without `-r`; `find` returns where a path lies.
///
/// # Errors
/// When a word is refused; the error says what was probably meant, and how to name a project that
/// is called so.
pub fn check(words: &[String], find: impl Fn(&str) -> PathBuf) -> Result<(), CliError> {
    if let Some((verb, way)) = VERBS.iter().find(|(verb, _)| words.first().is_some_and(|word| word == verb)) {
        let refused = CliError::usage(format!("`{verb}` is no command of prefetch, which fetches without one"));
        let refused = if way.is_empty() { refused } else { refused.hint(way) };
        return Err(refused.hint(format!("leave the word out; the project of that name is `{verb}>=0`")));
    }
    if let [word, path, ..] = words
        && let Some(command) = mistyped(word)
        && !path.ends_with(".whl")
        && find(path).exists()
    {
        return Err(CliError::usage(format!("`{word}` is no command of prefetch"))
            .hint(format!("`{command}` is one; the project of that name is `{word}>=0`")));
    }
    match words.iter().find(|word| is_requirements_file(word, |path| find(path).is_file())) {
        Some(file) => {
            Err(CliError::usage(format!("`{file}` is a file, and stands where projects are named"))
                .hint(way_to_read(file)))
        }
        None => Ok(()),
    }
}

fn way_to_read(file: &str) -> String {
    match conversion_hint(file).filter(|_| format_of(file).is_none()) {
        Some(way) => format!("its format is not read here; make a requirements file with: {way}"),
        None => format!("to fetch what it asks for, write -r {file}"),
    }
}

/// Returns the subcommand of which `word` is a likely misspelling.
fn mistyped(word: &str) -> Option<String> {
    let cli = Cli::command();
    let names = cli.get_subcommands().map(clap::Command::get_name);
    let near = names.map(|name| (strsim::damerau_levenshtein(name, word), name));
    let (distance, name) = near.min()?;
    let allowed = if name.len() < LONG { 1 } else { 2 };
    (1..=allowed).contains(&distance).then(|| name.to_owned())
}

/// The length of a command from which on two typing errors are allowed, instead of one.
const LONG: usize = 6;

/// Whether a word that could be a project's name is more likely a file's name; paths are handled
/// elsewhere.
fn is_requirements_file(word: &str, is_file: impl Fn(&str) -> bool) -> bool {
    let is_name = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    match word.rsplit_once('.') {
        Some((_, "txt")) => is_name,
        Some((_, "in" | "lock" | "toml" | "pip")) => is_name && is_file(word),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slip(words: &[&str]) -> Option<String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let error =
            check(&words, |path| if path.starts_with("there") { "Cargo.toml" } else { "absent" }.into()).err()?;
        Some(format!("{}; {}", error.problems[0].message, error.hints.concat()))
    }

    #[test]
    fn verbs_and_files_are_no_projects() {
        assert!(slip(&["download", "six"]).unwrap().contains("`download>=0`"));
        assert!(slip(&["wheel", "flask"]).unwrap().contains("--allow-build"));
        assert!(VERBS.is_sorted());
        assert!(slip(&["six", "requirements.txt"]).unwrap().contains("-r requirements.txt"));
        assert!(slip(&["there.in"]).unwrap().contains("-r there.in"));
        assert!(slip(&["there-pdm.lock"]).unwrap().contains("-r there-pdm.lock"));
        assert!(slip(&["there.toml", "six"]).unwrap().contains("make a requirements file"));
        for words in [
            &["six", "install"][..],
            &["download>=0"],
            &["zope.in"],
            &["wheel>=0"],
            &["six", "wheel"],
            &["./a.txt"],
            &[],
        ] {
            assert_eq!(slip(words), None, "{words:?}");
        }
    }

    #[test]
    fn a_mistyped_command_with_its_path_is_told() {
        assert!(slip(&["inspct", "there.zip"]).unwrap().contains("`inspect` is one"));
        assert!(slip(&["verfiy", "there"]).unwrap().contains("`verify` is one"));
        for words in [
            &["inspct"][..],
            &["inspct", "web.zip"],
            &["parser", "serve"],
            &["flask", "there.zip"],
            &["dill", "there.zip"],
            &["parser", "there.whl"],
        ] {
            assert_eq!(slip(words), None, "{words:?}");
        }
    }
}
