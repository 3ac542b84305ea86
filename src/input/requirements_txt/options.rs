//! Parses the options of a line by the rules of Python's `optparse` (`docs/facts/pip.md` 1.2 step 7
//! and 1.4).

use super::ParseFault;
use super::words::ShellWord;

/// An option, whatever its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionName {
    IndexUrl,
    ExtraIndexUrl,
    NoIndex,
    Constraint,
    Requirement,
    Editable,
    FindLinks,
    NoBinary,
    OnlyBinary,
    PreferBinary,
    RequireHashes,
    NoRequireHashes,
    Pre,
    AllReleases,
    OnlyFinal,
    TrustedHost,
    UseFeature,
    Hash,
    ConfigSettings,
}

/// Every option of a requirements file of pip 26.3, with its spellings.
const OPTIONS: [(OptionName, &[&str]); 19] = [
    (OptionName::IndexUrl, &["-i", "--index-url", "--pypi-url"]),
    (OptionName::ExtraIndexUrl, &["--extra-index-url"]),
    (OptionName::NoIndex, &["--no-index"]),
    (OptionName::Constraint, &["-c", "--constraint"]),
    (OptionName::Requirement, &["-r", "--requirement"]),
    (OptionName::Editable, &["-e", "--editable"]),
    (OptionName::FindLinks, &["-f", "--find-links"]),
    (OptionName::NoBinary, &["--no-binary"]),
    (OptionName::OnlyBinary, &["--only-binary"]),
    (OptionName::PreferBinary, &["--prefer-binary"]),
    (OptionName::RequireHashes, &["--require-hashes"]),
    (OptionName::NoRequireHashes, &["--no-require-hashes"]),
    (OptionName::Pre, &["--pre"]),
    (OptionName::AllReleases, &["--all-releases"]),
    (OptionName::OnlyFinal, &["--only-final"]),
    (OptionName::TrustedHost, &["--trusted-host"]),
    (OptionName::UseFeature, &["--use-feature"]),
    (OptionName::Hash, &["--hash"]),
    (OptionName::ConfigSettings, &["-C", "--config-settings"]),
];

/// Options that earlier pips accepted in files, some with what replaced them.
const GONE: [(&str, &str); 7] = [
    ("--install-option", "use --config-settings"),
    ("--global-option", "use --config-settings"),
    ("--build-option", "use --config-settings"),
    ("--no-use-wheel", "use --no-binary"),
    ("--use-wheel", "wheels are used by default"),
    ("--always-unzip", "it has no effect"),
    ("--process-dependency-links", "name such dependencies by URL"),
];

/// Every feature that `--use-feature` of pip 26.3 accepts; none matters for fetching.
const FEATURES: [&str; 6] = [
    "fast-deps",
    "inprocess-build-deps",
    "venv-isolation",
    "truststore",
    "no-binary-enable-wheel-cache",
    "build-constraint",
];

impl OptionName {
    fn takes_value(self) -> bool {
        !matches!(self, Self::NoIndex | Self::PreferBinary | Self::RequireHashes | Self::NoRequireHashes | Self::Pre)
    }

    /// Returns the long spelling.
    pub fn spelling(self) -> &'static str {
        let (_, spellings) = OPTIONS.iter().find(|(name, _)| *name == self).expect("every option is listed");
        spellings.iter().find(|spelling| spelling.starts_with("--")).expect("every option has a long spelling")
    }
}

/// An option that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenOption {
    pub name: OptionName,
    /// The value; empty for an option without one.
    pub value: String,
    /// The number of bytes of the line before the option.
    pub at: usize,
}

/// The options of one line, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineOptions {
    pub given: Vec<GivenOption>,
    /// Words that belong to no option, which pip ignores.
    pub left_over: Vec<ShellWord>,
}

impl LineOptions {
    /// Returns every option of this name, in order.
    pub fn all(&self, name: OptionName) -> impl Iterator<Item = &GivenOption> {
        self.given.iter().filter(move |given| given.name == name)
    }
}

/// Parses the words of a line's options.
///
/// # Errors
/// When an option is unknown, ambiguous, lacks its value, has an invalid one, or is refused by pip;
/// the first such option.
pub fn parse_options(words: Vec<ShellWord>) -> Result<LineOptions, ParseFault> {
    let mut options = LineOptions::default();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let (name, value) = match word.text.as_str() {
            "--" => {
                options.left_over.extend(words);
                break;
            }
            text if text.starts_with("--") => long_option(text, word.at)?,
            text if text.starts_with('-') && text.len() > 1 => short_option(text, word.at)?,
            _ => {
                options.left_over.push(word);
                continue;
            }
        };
        let value = match value {
            None if name.takes_value() => words.next().map(|word| word.text).ok_or_else(|| no_value(name, word.at))?,
            value => value.unwrap_or_default(),
        };
        check(name, &value).map_err(|message| ParseFault::at(word.at, message))?;
        options.given.push(GivenOption { name, value, at: word.at });
    }
    Ok(options)
}

fn no_value(name: OptionName, at: usize) -> ParseFault {
    ParseFault::at(at, format!("`{}` needs a value", name.spelling()))
}

/// Parses `--name` or `--name=value`; the name may be abbreviated if that is unambiguous.
fn long_option(text: &str, at: usize) -> Result<(OptionName, Option<String>), ParseFault> {
    let (spelling, value) = match text.split_once('=') {
        Some((spelling, value)) => (spelling, Some(value.to_owned())),
        None => (text, None),
    };
    let name = find_long(spelling).map_err(|message| ParseFault::at(at, message))?;
    match value {
        Some(_) if !name.takes_value() => Err(ParseFault::at(at, format!("`{}` takes no value", name.spelling()))),
        value => Ok((name, value)),
    }
}

fn find_long(written: &str) -> Result<OptionName, String> {
    let all = OPTIONS.iter().flat_map(|(name, spellings)| spellings.iter().map(move |spelling| (*spelling, *name)));
    let mut matching: Vec<_> = all.filter(|(spelling, _)| spelling.starts_with(written)).collect();
    matching.sort_unstable_by_key(|(spelling, _)| *spelling);
    match matching.as_slice() {
        [] => Err(unknown(written)),
        [(_, name)] => Ok(*name),
        several => match several.iter().find(|(spelling, _)| *spelling == written) {
            Some((_, name)) => Ok(*name),
            None => {
                let spellings: Vec<_> = several.iter().map(|(spelling, _)| *spelling).collect();
                Err(format!("`{written}` is ambiguous: {}", spellings.join(", ")))
            }
        },
    }
}

fn unknown(written: &str) -> String {
    match GONE.iter().find(|(spelling, _)| *spelling == written) {
        Some((_, instead)) => format!("pip has no `{written}` any more; {instead}"),
        None => format!("`{written}` is no option of a requirements file"),
    }
}

/// Parses `-x value` or `-xvalue`, since every short option has a value.
fn short_option(text: &str, at: usize) -> Result<(OptionName, Option<String>), ParseFault> {
    let end = text.char_indices().nth(2).map_or(text.len(), |(end, _)| end);
    let (spelling, value) = text.split_at(end);
    let found = OPTIONS.iter().find(|(_, spellings)| spellings.contains(&spelling));
    let (name, _) = found.ok_or_else(|| ParseFault::at(at, unknown(spelling)))?;
    Ok((*name, (!value.is_empty()).then(|| value.to_owned())))
}

/// Checks an option for what pip refuses while it parses the options.
fn check(name: OptionName, value: &str) -> Result<(), String> {
    let spelling = name.spelling();
    match name {
        OptionName::NoBinary | OptionName::OnlyBinary | OptionName::AllReleases | OptionName::OnlyFinal
            if value.starts_with('-') =>
        {
            Err(format!("`{spelling}` needs a value"))
        }
        OptionName::UseFeature if !FEATURES.contains(&value) => {
            Err(format!("`{value}` is no feature of pip; it knows {}", FEATURES.join(", ")))
        }
        OptionName::Hash if !value.contains(':') => {
            Err(format!("`{spelling}` is written algorithm:hex, such as --hash=sha256:…"))
        }
        OptionName::Hash if !["sha256:", "sha384:", "sha512:"].iter().any(|algorithm| value.starts_with(algorithm)) => {
            Err(format!("`{spelling}` takes sha256, sha384 and sha512 (in lower case)"))
        }
        OptionName::ConfigSettings if !value.contains('=') => Err(format!("`{spelling}` is written key=value")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::split_words;
    use super::*;

    fn parse(options: &str) -> Result<Vec<(OptionName, String)>, String> {
        let words = split_words(options, 0).map_err(|fault| fault.message)?;
        let parsed = parse_options(words).map_err(|fault| fault.message)?;
        let left_over =
            parsed.left_over.into_iter().map(|word| (OptionName::Requirement, format!("left over {}", word.text)));
        Ok(parsed.given.into_iter().map(|given| (given.name, given.value)).chain(left_over).collect())
    }

    #[test]
    fn spellings_of_optparse() {
        for (options, name, value) in [
            ("--index-url=u", OptionName::IndexUrl, "u"),
            ("--pypi-url u", OptionName::IndexUrl, "u"),
            ("--index u", OptionName::IndexUrl, "u"),
            ("--requirem=a=b", OptionName::Requirement, "a=b"),
            ("-rfile", OptionName::Requirement, "file"),
            ("-i ''", OptionName::IndexUrl, ""),
            ("-foo", OptionName::FindLinks, "oo"),
            ("-C 'a=b c'", OptionName::ConfigSettings, "a=b c"),
            ("--pre", OptionName::Pre, ""),
            ("--pref", OptionName::PreferBinary, ""),
            ("-f --pre", OptionName::FindLinks, "--pre"),
            ("--hash sha256:zz", OptionName::Hash, "sha256:zz"),
        ] {
            assert_eq!(parse(options), Ok(vec![(name, value.to_owned())]), "{options}");
        }
        assert_eq!(parse("- x -- --pre").unwrap().len(), 3);
    }

    /// `docs/facts/pip.md` 1.4 and 1.9, rows 65, 83 and 84.
    #[test]
    fn refused_options() {
        for (options, part) in [
            ("--req x", "ambiguous: --require-hashes, --requirement"),
            ("--no-index=1", "takes no value"),
            ("-r", "needs a value"),
            ("--index-url", "needs a value"),
            ("--no-binary --pre", "needs a value"),
            ("--hash=md5:x", "sha256"),
            ("--hash=SHA256:x", "lower case"),
            ("--hash=x", "algorithm:hex"),
            ("-C a", "key=value"),
            ("--use-feature=x", "no feature"),
            ("--platform=x", "no option of a requirements file"),
            ("--install-option=x", "--config-settings"),
            ("-v", "`-v`"),
            ("-é", "`-é`"),
        ] {
            let error = parse(options).unwrap_err();
            assert!(error.contains(part), "{options}: {error}");
        }
    }
}
