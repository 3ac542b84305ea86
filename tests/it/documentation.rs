//! What README.md and docs/ show, tried: commands run or parse, options exist, tables are true.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::Value;

use crate::support::{Index, Sandbox, ServedIndex, Wheel, files_below, shell};

/// Above a block that runs from its first line to its last, as it stands.
const RUN: &str = "<!-- run -->";

/// A fenced block of a page.
struct Block {
    page: String,
    language: String,
    text: String,
    is_run: bool,
}

fn pages() -> Vec<(String, String)> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = files_below(&project.join("docs")).into_iter().map(|name| format!("docs/{name}"));
    let at_the_root = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(String::from);
    let names = docs.chain(at_the_root);
    names.map(|name| (name.clone(), fs::read_to_string(project.join(&name)).unwrap())).collect()
}

fn blocks() -> Vec<Block> {
    let fence = Regex::new(r"(?ms)^(<!-- [^\n]*)?\n?```(\w+)\n(.*?)^```$").unwrap();
    let of_page = |(page, text): (String, String)| {
        let found = fence.captures_iter(&text).map(|block| Block {
            page: page.clone(),
            language: block[2].to_owned(),
            text: block[3].to_owned(),
            is_run: block.get(1).is_some_and(|mark| mark.as_str() == RUN),
        });
        found.collect::<Vec<_>>()
    };
    pages().into_iter().flat_map(of_page).collect()
}

fn world() -> ServedIndex {
    let flask = Wheel::new("flask", "3.0.3").requires("click>=8").extra("async").requires("asgiref; extra == 'async'");
    Index::new().with(flask).wheel("click", "8.1.7").wheel("asgiref", "3.8.1").wheel("numpy", "2.1.0").serve()
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "flask==3.0.3\nnumpy==2.1.0\n");
    sandbox.write("constraints.txt", "click<9\n");
    let script = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/describe-target.py")).unwrap();
    sandbox.write("scripts/describe-target.py", script);
    let recipe = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/prefetch-ci.sh")).unwrap();
    sandbox.write("ci/prefetch-ci.sh", recipe);
    sandbox
}

#[test]
fn marked_blocks_run() {
    let index = world();
    let marked: Vec<_> = blocks().into_iter().filter(|block| block.is_run).collect();
    assert!(marked.len() >= 7, "{}", marked.len());
    for block in marked {
        let outcome = shell(&sandbox(), &index, &block.text).output().unwrap();
        let told = String::from_utf8_lossy(&outcome.stderr);
        assert!(outcome.status.success(), "{}:\n{}\n{told}", block.page, block.text);
    }
}

/// `--help` at the end of a line lets everything before it be parsed, and nothing be done.
#[test]
fn every_command_line_parses() {
    let lines: Vec<_> = blocks().iter().filter(|block| block.language == "sh").flat_map(command_lines).collect();
    assert!(lines.len() >= 12, "{lines:?}");
    for line in lines {
        let words = shlex::split(&line).unwrap();
        let words: Vec<_> = words.iter().take_while(|word| *word != ">").collect();
        let outcome = Sandbox::new().prefetch(&words[1..]).arg("--help").output().unwrap();
        assert!(outcome.status.success(), "{line}:\n{}", String::from_utf8_lossy(&outcome.stderr));
    }
}

/// The lines of a block that call the program, also by way of `cargo run`.
fn command_lines(block: &Block) -> Vec<String> {
    let run = Regex::new(r"^cargo run .* -- ").unwrap();
    let lines = block.text.lines().map(|line| run.replace(line, "prefetch ").into_owned());
    lines.filter(|line| line.starts_with("prefetch ")).collect()
}

#[test]
fn every_option_that_is_mentioned_exists() {
    // Options of requirements files, of pip, and of scripts.
    let help: String = help_of(&[]) + "--hash --refresh-package --use-wheel --judge --install";
    let option = Regex::new(r"`(--[a-z-]+)").unwrap();
    // The facts are about pip, and name its options.
    for (page, text) in pages().into_iter().filter(|(page, _)| !page.starts_with("docs/facts/")) {
        for found in option.captures_iter(&text) {
            assert!(help.contains(&found[1]), "{page} mentions {}", &found[1]);
        }
    }
}

/// The help of a command and of all commands below it.
fn help_of(command: &[&str]) -> String {
    let words = command.iter().copied().chain(["--help"]);
    let help = String::from_utf8(Sandbox::new().prefetch(words).output().unwrap().stdout).unwrap();
    let listed = help.split_once("Commands:\n").map_or("", |(_, rest)| rest.split("\n\n").next().unwrap());
    let names = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let below = names.filter(|name| !name.is_empty() && *name != "help");
    let below: String = below.map(|name| help_of(&[command, &[name]].concat())).collect();
    help.clone() + &below
}

#[test]
fn every_file_that_is_mentioned_exists() {
    let path = Regex::new(r"(?:\]\(|`)((?:src|docs|scripts|tests|testdata|ci|packaging)/[\w./-]+)").unwrap();
    for (page, text) in pages() {
        for found in path.captures_iter(&text) {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(&found[1]);
            assert!(file.exists(), "{page} mentions {}", &found[1]);
        }
    }
}

#[test]
fn every_link_to_a_page_leads_there_and_the_book_lists_each() {
    let link = Regex::new(r"\]\(([\w./-]+\.md)\)").unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut listed = BTreeSet::new();
    for (page, text) in pages() {
        let folder = docs.parent().unwrap().join(&page).parent().unwrap().to_owned();
        for found in link.captures_iter(&text) {
            assert!(folder.join(&found[1]).is_file(), "{page} leads to {}", &found[1]);
            if page == "docs/SUMMARY.md" {
                listed.insert(found[1].to_owned());
            }
        }
    }
    let all = files_below(&docs).into_iter().filter(|page| page != "SUMMARY.md").collect::<BTreeSet<_>>();
    assert_eq!(listed, all);
}

/// `docs/facts/pip.md` and its like: each citation has numbers, and each number is a heading there.
#[test]
fn every_fact_that_is_cited_exists() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let wrapped = Regex::new(r"\n\s*(?://[/!]?|#) ?").unwrap();
    let citation = Regex::new(r"`(docs/facts/[\w-]+\.md)`((?:(?:,| and| to)? \d+(?:\.\d+)*)*)").unwrap();
    let number = Regex::new(r"\d+(?:\.\d+)*").unwrap();
    let files = ["src", "tests", "scripts"].into_iter().flat_map(|folder| {
        files_below(&project.join(folder)).into_iter().map(move |name| project.join(folder).join(name))
    });
    let mut count = 0;
    for file in files.filter(|file| !file.ends_with("documentation.rs")) {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for cited in citation.captures_iter(&wrapped.replace_all(&text, " ")) {
            let facts = fs::read_to_string(project.join(&cited[1])).unwrap();
            let numbers: Vec<_> = number.find_iter(&cited[2]).map(|number| number.as_str()).collect();
            assert!(!numbers.is_empty(), "{} cites no number of {}", file.display(), &cited[1]);
            for number in numbers {
                let is_entry = |line: &str| line.trim_start_matches('#').starts_with(&format!(" {number} "));
                let is_there = facts.lines().filter(|line| line.starts_with('#')).any(is_entry);
                assert!(is_there, "{} cites {} {number}", file.display(), &cited[1]);
                count += 1;
            }
        }
    }
    assert!(count > 80, "{count} citations");
}

#[test]
fn the_report_is_as_its_page_shows_it() {
    let (index, sandbox) = (world(), sandbox());
    let json = |at: usize| -> Value {
        let shown = blocks().into_iter().filter(|block| block.page == "docs/report.md" && block.language == "json");
        serde_json::from_str(&shown.map(|block| block.text).nth(at).unwrap()).unwrap()
    };
    sandbox.prefetch_from(&index, ["-r", "requirements.txt", "--report", "done.json"]).assert().code(0);
    sandbox.prefetch_from(&index, ["numpy==2.9", "--report", "failed.json"]).assert().code(3);
    assert_eq!(shape(&sandbox.json("done.json")), shape(&json(0)));
    assert_eq!(shape(&sandbox.json("failed.json")["problems"][0]), shape(&json(1)));
}

/// Every path of keys in a value, through all elements of its arrays.
fn shape(value: &Value) -> BTreeSet<String> {
    let below = |name: &str, value: &Value| {
        let paths = shape(value).into_iter().map(|path| format!("{name}.{path}"));
        paths.chain([name.to_owned()]).collect::<Vec<_>>()
    };
    match value {
        Value::Object(map) => map.iter().flat_map(|(name, value)| below(name, value)).collect(),
        Value::Array(elements) => elements.iter().flat_map(shape).collect(),
        _ => BTreeSet::new(),
    }
}
