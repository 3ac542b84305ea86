//! Markers mean here what they mean to the `packaging` library, on every target.

use fastrand::Rng;
use prefetch::domain::{ExtraName, Marker, MarkerEnvironment, TargetSpec};
use serde_json::{Value, json};

use crate::support::judges;

const GENERATED: usize = 2_500;

/// So many of them, at least, are markers; the library refuses the others, too.
const READABLE: usize = 2_000;

const TARGETS: [(&str, &str, &str); 8] = [
    ("cp", "3.8", "linux-x86_64"),
    ("cp", "3.10.14", "windows-x86_64"),
    ("cp", "3.11.0", "linux-aarch64-musl"),
    ("cp", "3.12.4", "macos-arm64"),
    ("cp", "3.13.0", "win_arm64"),
    ("cp", "3.15.0b1", "linux-x86_64"),
    ("pp", "3.10", "linux-x86_64"),
    ("cp", "2.7", "linux-i686"),
];

/// Values of `platform_release` of real machines; a foreign target's is empty.
const RELEASES: [&str; 6] =
    ["", "6.1.0-13-amd64", "23.5.0", "10", "5.15.153.1-microsoft-standard-WSL2", "2012ServerR2"];

const VARIABLES: [&str; 16] = [
    "python_version",
    "python_full_version",
    "implementation_version",
    "platform_release",
    "implementation_name",
    "os_name",
    "os.name",
    "sys_platform",
    "sys.platform",
    "platform_machine",
    "platform_system",
    "platform_version",
    "platform_python_implementation",
    "python_implementation",
    "platform.python_implementation",
    "extra",
];

const OPERATORS: [&str; 10] = ["==", "!=", "<", "<=", ">", ">=", "~=", "===", "in", "not in"];

const WORDS: [&str; 24] = [
    "linux",
    "win32",
    "win32 cygwin",
    "darwin",
    "posix",
    "nt",
    "cpython",
    "CPython",
    "PyPy",
    "x86_64 aarch64",
    "AMD64",
    "Linux",
    "li'nux",
    "a\\\\b",
    "\\x6c\\x69nux",
    "a;b",
    "",
    " ",
    "test",
    "Te_st",
    "x y test",
    "tést",
    "2012ServerR2",
    "6.1.0-13-amd64",
];

const EXTRAS: [&str; 3] = ["test", "x", "x-y"];

fn pick<'a>(random: &mut Rng, among: &[&'a str]) -> &'a str {
    among[random.usize(..among.len())]
}

fn version(random: &mut Rng) -> String {
    let stem =
        ["3.8", "3.11", "3.11.0", "3.13.0", "3.15.0", "3.15", "3", "3.10.14", "2.7", "7.3", "6.1.0", "23.5", "03.012"];
    let tails = [
        "", "", "", "", ".0", ".*", ".0.*", "a6", "b1", "rc1", ".post1", ".dev0", "b1.dev2", "+local", ",<4", " ",
        "-1", ".*.1",
    ];
    let starts = ["", "", "", "", "", " ", "v", "=", "1!", "V"];
    format!("{}{}{}", pick(random, &starts), pick(random, &stem), pick(random, &tails))
}

fn text(random: &mut Rng) -> String {
    match random.u8(..5) {
        0 => format!("{}, {}", version(random), version(random)),
        1 => pick(random, &WORDS).to_owned(),
        _ => version(random),
    }
}

fn quoted(text: &str, random: &mut Rng) -> String {
    let quote = if text.contains('\'') || random.bool() { '"' } else { '\'' };
    format!("{quote}{text}{quote}")
}

fn comparison(random: &mut Rng) -> String {
    let variable = if random.u8(..3) == 0 { pick(random, &VARIABLES) } else { pick(random, &VARIABLES[..4]) };
    let is_text = !VARIABLES[..4].contains(&variable) && random.u8(..5) > 0;
    let value = if is_text { pick(random, &WORDS).to_owned() } else { text(random) };
    let (value, operator) = (quoted(&value, random), pick(random, &OPERATORS));
    let blank = if operator.ends_with("in") { " " } else { pick(random, &["", " ", "\t", "  "]) };
    let (left, right) = if random.u8(..4) == 0 { (&*value, variable) } else { (variable, &*value) };
    format!("{left}{blank}{operator}{blank}{right}")
}

fn marker(random: &mut Rng, depth: u8) -> String {
    match random.u8(..6) {
        0 if depth > 0 => format!("({})", marker(random, depth - 1)),
        1 if depth > 0 => format!("{} and {}", marker(random, depth - 1), marker(random, depth - 1)),
        2 if depth > 0 => format!("{} or {}", marker(random, depth - 1), marker(random, depth - 1)),
        _ => comparison(random),
    }
}

fn environments() -> Vec<MarkerEnvironment> {
    let foreign = TARGETS.map(|(implementation, python, platform)| {
        let spec = TargetSpec {
            python: Some(python.parse().unwrap()),
            platform: Some(platform.parse().unwrap()),
            implementation: Some(implementation.parse().unwrap()),
            abis: Vec::new(),
        };
        spec.resolve(None).unwrap().markers().clone()
    });
    let machines =
        RELEASES.into_iter().zip(foreign.clone()).map(|(release, markers)| markers.with_platform_release(release));
    foreign.iter().cloned().chain(machines).collect()
}

/// Undefined comparisons: none of ours where the text alone tells, else false.
const JUDGE: &str = r#"
import json, sys, warnings
from packaging.markers import InvalidMarker, Marker, UndefinedComparison
warnings.simplefilter("ignore")
world = json.load(sys.stdin)
def evaluate(marker, environment):
    try:
        return marker.evaluate(environment)
    except UndefinedComparison:
        return None
answers = []
for text in world["markers"]:
    try:
        marker = Marker(text)
    except InvalidMarker:
        answers.append(None)
        continue
    answers.append([
        [evaluate(marker, {**environment, "extra": extra}) for extra in world["extras"]]
        for environment in world["environments"]
    ])
json.dump(answers, sys.stdout)
"#;

#[test]
fn generated_markers_mean_what_packaging_says_on_every_target() {
    let mut random = Rng::with_seed(508);
    let markers: Vec<_> = (0..GENERATED).map(|_| marker(&mut random, 3)).collect();
    let environments = environments();
    let extras: Vec<_> = [""].into_iter().chain(EXTRAS).collect();
    let world = json!({"markers": markers, "environments": environments, "extras": extras});
    let answers: Vec<Value> = serde_json::from_str(&judges().run_python(JUDGE, &world.to_string())).unwrap();
    let (mut wrong, mut compared, mut readable) = (Vec::new(), 0, 0);
    for (text, answer) in markers.iter().zip(&answers) {
        let Ok(marker) = text.parse::<Marker>() else {
            if has_an_answer(answer) {
                wrong.push(format!("{text}: refused here"));
            }
            continue;
        };
        assert_eq!(marker.text(), Some(text.trim()));
        readable += 1;
        for (position, environment) in environments.iter().enumerate() {
            for (number, extra) in extras.iter().enumerate() {
                let extras: Vec<ExtraName> = extra.parse().into_iter().collect();
                let expected = &answer[position][number];
                compared += 1;
                if marker.evaluate(environment, &extras) != expected.as_bool().unwrap_or(false) && !expected.is_null() {
                    wrong.push(format!("{text}: {expected} with {extra:?} in {}", json!(environment)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "packaging says otherwise, {} of {compared} times:\n{}", wrong.len(), wrong.join("\n"));
    assert!(readable > READABLE, "{readable} markers");
}

/// Whether the library could tell something, anywhere.
fn has_an_answer(answer: &Value) -> bool {
    answer.as_array().is_some_and(|all| all.iter().flat_map(|one| one.as_array().unwrap()).any(|one| !one.is_null()))
}
