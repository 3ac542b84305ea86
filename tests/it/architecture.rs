//! The shape of the program, checked: imports point down, crates and powers stay in their
//! module, and no test file is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

use crate::support::files_below;

/// The modules of `src/`, lowest layer first. A module may use the layers below its own, and
/// none beside it.
const LAYERS: [&[&str]; 5] = [
    &["domain", "parallel"],
    &["archive", "cache_folder", "http", "input", "layout", "select"],
    &["index", "interpreter", "resolve", "shared_store", "store"],
    &["ops"],
    &["cli"],
];

/// What only some modules may write: a pattern, those modules, and the reason.
const RESERVED: [(&str, &[&str], &str); 6] = [
    (r"\bpep(440|508)_rs\b", &["domain"], "take the types of the PEP crates from `crate::domain`"),
    (r"\b(clap|indicatif)\b", &["cli"], "flags and bars belong to the edge"),
    (r"\be?print(ln)?!|\bio::(stdin|stdout|stderr)\b", &["cli"], "only the edge talks to people"),
    (
        r"\benv::(vars?(_os)?|args|current_\w+|home_dir|temp_dir)\b|\bprocess::exit\b",
        &["cli"],
        "only the edge reads the environment and ends the process",
    ),
    (r"\b(SystemTime|Timestamp|Zoned)::now\b", &["cli"], "take the date as a value or a closure"),
    (
        r"\b(std::fs|tokio|reqwest)\b",
        &["archive", "cache_folder", "http", "index", "interpreter", "shared_store", "store", "ops", "cli"],
        "a pure module takes bytes, or a closure that gets them",
    ),
];

/// Where options of other programs stand as data, as the start of a path below `src/`, and why.
const FOREIGN_OPTIONS: [(&str, &str); 5] = [
    ("input/", "the options of requirements files, and the commands of those who write other inputs"),
    ("layout/", "what pip and uv are told to read a layout, and requirements files"),
    ("interpreter/build/", "the arguments of the programs that run a build"),
    ("ops/source_trees/git.rs", "the arguments of git"),
    ("ops/bundle/signature.rs", "the comment in a signature, for whoever reads that file"),
];

/// The string literals of shipped code below `cli` that name a command-line option: `cli` alone
/// knows how the options are called, and words the remedies (`domain::Remedy`).
fn named_options(path: &str, source: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/");
    let is_exempt =
        ["cli/"].into_iter().chain(FOREIGN_OPTIONS.map(|(start, _)| start)).any(|start| inside.starts_with(start));
    if is_exempt || inside.contains("tests") {
        return Vec::new();
    }
    let shipped = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let option = Regex::new("--[A-Za-z]").unwrap();
    let literals = Regex::new(LITERAL).unwrap();
    let strings = literals.find_iter(shipped).filter(|found| !found.as_str().starts_with(['/', '\'']));
    strings
        .map(|found| found.as_str())
        .filter(|text| option.is_match(text))
        .map(|text| format!("{path}: {text}"))
        .collect()
}

/// Every breach of the rules in one file of `src/`, as `path:line: what`.
fn breaches(path: &str, source: &str) -> Vec<String> {
    let code = code_only(source);
    let module = module_of(path);
    let reaches = roots(path, &code).into_iter().filter_map(|(at, root)| Some((at, import_fault(module, root)?)));
    let reserved = RESERVED.iter().filter(|(_, owners, _)| !owners.contains(&module));
    let powers = reserved.flat_map(|(pattern, _, why)| {
        let found: Vec<_> = Regex::new(pattern).unwrap().find_iter(&code).map(|found| found.start()).collect();
        found.into_iter().map(|at| (at, (*why).to_owned()))
    });
    let line = |at: usize| code[..at].matches('\n').count() + 1;
    reaches.chain(powers).map(|(at, what)| format!("{path}:{}: {what}", line(at))).collect()
}

/// A comment, a string or a character.
const LITERAL: &str = r##"(?s)//[^\n]*|/\*.*?\*/|\br#+".*?"#+|\br"[^"]*"|"(\\.|[^"\\])*"|'(\\.[^']*|[^'\\])'"##;

/// The source without comments, strings and characters; its lines stay where they are.
fn code_only(source: &str) -> String {
    let blank = |found: &regex::Captures<'_>| "\n".repeat(found[0].matches('\n').count());
    Regex::new(LITERAL).unwrap().replace_all(source, blank).into_owned()
}

/// The module directly below `src/` that a file belongs to; `lib` and `main` are roots.
fn module_of(path: &str) -> &str {
    let inside = path.trim_start_matches("src/");
    inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// Whatever a file names directly below the crate's root, with its position in the code.
fn roots<'a>(path: &str, code: &'a str) -> Vec<(usize, &'a str)> {
    let depth = path.trim_start_matches("src/").trim_end_matches("/mod.rs").matches('/').count() + 1;
    let pattern = Regex::new(r"\b(crate|prefetch|(?:super\s*::\s*)*super)\s*::\s*(\w+|\{|\*)").unwrap();
    let paths = pattern.captures_iter(code).filter_map(|found| {
        let (start, name) = (found.get(1)?, found.get(2)?);
        let supers = start.as_str().matches("super").count();
        let is_root = supers == 0 || (supers >= depth && layer(name.as_str()).is_some());
        is_root.then_some((start.start(), name.as_str()))
    });
    paths.collect()
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// What is wrong with `module` using `root`, if anything.
fn import_fault(module: &str, root: &str) -> Option<String> {
    let Some(below) = layer(root) else {
        return Some(format!("`crate::{root}` names no module of a layer: write one module for each `use` line"));
    };
    if module == "main" || module == "lib" {
        return (module == "main" && root != "cli").then(|| format!("main calls `cli::run`, and not `{root}`"));
    }
    match layer(module) {
        None => Some(format!("`{module}` has no layer: add it to LAYERS")),
        Some(own) if module == root || own > below => None,
        Some(own) if own == below => {
            Some(format!("`{module}` and `{root}` lie in one layer and may not know each other"))
        }
        Some(_) => Some(format!("`{module}` lies below `{root}` and may not know it")),
    }
}

/// The modules below `ops`, by path, that a file of it names through `super` or `crate::ops`.
fn known_modules<'m>(path: &str, source: &str, modules: &'m BTreeSet<String>) -> BTreeSet<&'m str> {
    let shipped = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let named = Regex::new(r"\b(crate::ops::|(?:super::)+)(\w+)(?:::(\w+))?(?:::(\w+))?").unwrap();
    let own = module_path(path);
    let code = code_only(shipped);
    let known = named.captures_iter(&code).filter_map(|found| {
        let above = own.split('/').count().saturating_sub(found[1].matches("super").count());
        let base = own.split('/').take(if found[1].starts_with("super") { above } else { 0 });
        let parts: Vec<_> = base.chain((2..5).filter_map(|part| Some(found.get(part)?.as_str()))).collect();
        (1..=parts.len()).rev().find_map(|length| modules.get(&parts[..length].join("/")))
    });
    known.map(String::as_str).filter(|known| *known != own).collect()
}

/// The module of a file: `bundle/verify` for `bundle/verify.rs`, `cache` for `cache/mod.rs`.
fn module_path(path: &str) -> &str {
    path.trim_end_matches(".rs").trim_end_matches("/mod")
}

/// The modules that know themselves through others.
fn circles(known: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let reaches_itself = |start: &&&str| {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![**start]);
        while let Some(module) = waiting.pop() {
            waiting.extend(known[module].iter().filter(|next| seen.insert(**next)));
        }
        seen.contains(**start)
    };
    known.keys().filter(reaches_itself).map(|module| (*module).to_owned()).collect()
}

/// The files in a folder of modules that its root file does not declare.
fn undeclared<'a>(root: &str, files: &[&'a str]) -> Vec<&'a str> {
    let declared = |file: &str| {
        let name = file.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        Regex::new(&format!(r"(?m)^(pub )?mod {name};")).unwrap().is_match(root)
    };
    files.iter().copied().filter(|file| !matches!(*file, "main.rs" | "mod.rs") && !declared(file)).collect()
}

fn project(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A minimum that no toolchain below the newest here can try: a crate that states more would refuse it.
#[test]
fn no_dependency_needs_a_newer_rust_than_the_manifest_states() {
    let told = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let told = String::from_utf8(told).unwrap();
    let host = told.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host]);
    let output = command.current_dir(project("")).output().unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let numbers = |version: &str| version.split('.').map(|part| part.parse().unwrap()).collect::<Vec<u32>>();
    let ours = numbers(env!("CARGO_PKG_RUST_VERSION"));
    for package in metadata["packages"].as_array().unwrap() {
        let theirs = package["rust_version"].as_str().map(numbers).unwrap_or_default();
        let theirs: Vec<_> = theirs.into_iter().take(ours.len()).collect();
        assert!(theirs <= ours, "{} {} needs Rust {}", package["name"], package["version"], package["rust_version"]);
    }
}

#[test]
fn the_program_keeps_its_layers() {
    let files = files_below(&project("src"));
    let breaches: Vec<_> = files
        .iter()
        .map(|file| format!("src/{file}"))
        .flat_map(|path| breaches(&path, &fs::read_to_string(project(&path)).unwrap()))
        .collect();
    assert!(!files.is_empty() && breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn only_cli_knows_what_our_options_are_called() {
    let files = files_below(&project("src"));
    let named = files.iter().flat_map(|file| {
        named_options(&format!("src/{file}"), &fs::read_to_string(project("src").join(file)).unwrap())
    });
    assert_eq!(named.collect::<Vec<_>>(), Vec::<String>::new(), "give a `domain::Remedy`");
    for (start, reason) in FOREIGN_OPTIONS {
        assert!(files.iter().any(|file| file.starts_with(start)), "nothing is at {start} any more: {reason}");
    }
}

#[test]
fn a_planted_option_is_found() {
    let source =
        "// --x\nfn f() { g('\"', \"use --cache-dir\") }\n#[cfg(test)]\nmod tests { const S: &str = \"--ok\"; }";
    assert_eq!(named_options("src/store/error.rs", source), ["src/store/error.rs: \"use --cache-dir\""]);
    for elsewhere in ["src/cli/mod.rs", "src/layout/find_links.rs", "src/resolve/tests/hashes.rs"] {
        assert_eq!(named_options(elsewhere, source), Vec::<String>::new(), "{elsewhere}");
    }
}

/// What a module's face passes on (`super::Name`) counts for nothing.
#[test]
fn the_use_cases_know_each_other_one_way() {
    let files = files_below(&project("src/ops"));
    let files: Vec<_> = files.iter().filter(|file| file.ends_with(".rs")).collect();
    let modules: BTreeSet<_> = files.iter().map(|file| module_path(file).to_owned()).collect();
    let known = files.iter().map(|file| {
        let source = fs::read_to_string(project("src/ops").join(file)).unwrap();
        (module_path(file), known_modules(file, &source, &modules))
    });
    assert_eq!(circles(&known.collect()), Vec::<String>::new());
}

#[test]
fn a_planted_circle_is_found() {
    let modules = ["a", "b", "b/c", "d"].map(str::to_owned).into();
    let sources = [
        ("a.rs", "use super::b::c::X;"),
        ("b/mod.rs", "mod c;"),
        ("b/c.rs", "use super::super::a;"),
        ("d.rs", "use super::a;"),
    ];
    let known = sources.map(|(path, source)| (module_path(path), known_modules(path, source, &modules)));
    assert_eq!(circles(&known.into()), ["a", "b/c"]);
}

/// Text of others is escaped on its way out, in one place.
#[test]
fn only_the_terminal_writes_to_standard_streams() {
    let streams = Regex::new(r"\bio::(stdout|stderr)\(\)(\.lock\(\)|,|\))|\be?print(ln)?!").unwrap();
    let files = files_below(&project("src/cli"));
    let is_writer =
        |file: &&String| streams.is_match(&code_only(&fs::read_to_string(project("src/cli").join(file)).unwrap()));
    // A bundle goes to standard output as the bytes that it has.
    assert_eq!(files.iter().filter(is_writer).collect::<Vec<_>>(), ["output/terminal.rs", "settings/outputs.rs"]);
}

#[test]
fn every_module_has_a_layer() {
    let library = fs::read_to_string(project("src/lib.rs")).unwrap();
    let modules = Regex::new(r"(?m)^(?:pub(?:\(crate\))? )?mod (\w+);").unwrap();
    let homeless: Vec<_> = modules.captures_iter(&library).filter(|found| layer(&found[1]).is_none()).collect();
    assert!(homeless.is_empty(), "{homeless:?}");
}

#[test]
fn every_test_file_is_declared() {
    for (root, folder) in [("main.rs", "tests/it"), ("mod.rs", "tests/it/support")] {
        let files = files_below(&project(folder));
        let files: Vec<_> = files.iter().map(String::as_str).filter(|file| file.ends_with(".rs")).collect();
        let root = fs::read_to_string(project(folder).join(root)).unwrap();
        assert_eq!(undeclared(&root, &files), Vec::<&str>::new(), "in {folder}");
    }
}

#[test]
fn a_planted_import_is_found() {
    for (path, source, told) in [
        ("src/select.rs", "\nuse crate::store::Disk;", "src/select.rs:2: `select` lies below `store`"),
        ("src/domain/tags.rs", "fn f() { crate::cli::run() }", "`domain` lies below `cli`"),
        ("src/input/pins.rs", "use crate::layout::LAYOUTS;", "`input` and `layout` lie in one layer"),
        ("src/input/mod.rs", "use super::ops;", "`input` lies below `ops`"),
        ("src/input/pins.rs", "use super::super::http::Client;", "`input` and `http` lie in one layer"),
        ("src/store/disk.rs", "pub(in crate::index) fn f() {}", "`store` and `index` lie in one layer"),
        ("src/ops/plan.rs", "use crate::{domain::Plan, cli};", "one module for each `use` line"),
        ("src/mystery.rs", "use crate::domain::Plan;", "`mystery` has no layer"),
        ("src/main.rs", "use prefetch::ops::plan;", "main calls `cli::run`"),
    ] {
        let found = breaches(path, source);
        assert!(matches!(found.as_slice(), [only] if only.contains(told)), "{path}: {source}: {found:?}");
    }
}

#[test]
fn a_planted_power_is_found() {
    for (path, source) in [
        ("src/select.rs", "use pep440_rs::Version;"),
        ("src/ops/fetch.rs", "println!(\"done\");"),
        ("src/http/mod.rs", "let proxy = std::env::var(\"X\");"),
        ("src/ops/fetch.rs", "std::process::exit(1)"),
        ("src/ops/fetch.rs", "let today = std::time::SystemTime::now();"),
        ("src/layout/simple.rs", "std::fs::read(path)"),
        ("src/ops/fetch.rs", "use indicatif::ProgressBar;"),
    ] {
        assert_eq!(breaches(path, source).len(), 1, "{path}: {source}");
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    for (path, source) in [
        ("src/select.rs", "use crate::domain::{Plan, Tags};\n#[cfg(test)]\nmod tests { use super::*; }"),
        ("src/ops/plan.rs", "use crate::resolve; use super::fetch; /* use crate::cli; */"),
        ("src/input/pins.rs", "// crate::cli\n/// [`crate::ops`]\nlet s = r#\"crate::cli \"quoted\" \"#;"),
        ("src/input/pins.rs", "let quote = '\"'; let s = \"crate::cli\"; fn f<'a>(x: &'a str, y: &'a str) {}"),
        ("src/cli/mod.rs", "use crate::ops; fn f() { println!(\"{}\", std::env::var(\"X\")) }"),
        ("src/domain/filename.rs", "use super::Version; use pep440_rs::Operator;"),
        ("src/interpreter/find.rs", "std::env::split_paths(&path).collect()"),
        ("src/main.rs", "fn main() -> ExitCode { prefetch::cli::run() }"),
    ] {
        assert_eq!(breaches(path, source), Vec::<String>::new(), "{path}: {source}");
    }
}

#[test]
fn a_forgotten_test_file_is_found() {
    let files = ["main.rs", "fetch.rs", "support/mod.rs", "support/index.rs", "forgotten.rs"];
    assert_eq!(undeclared("//! mod forgotten;\nmod fetch;\nmod support;\n", &files), ["forgotten.rs"]);
}
