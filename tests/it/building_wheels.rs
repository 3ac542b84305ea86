//! Wheels that are built here: made once, kept, and carried like any other.

use std::net::TcpListener;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::{Index, Sandbox, Sdist, ServedIndex, Wheel, judges};

const BUILDING: &str = "Building a wheel of kit-3.0.tar.gz …";

/// A build backend (PEP 517) that makes a wheel of `kit` with its version of `helper` in it; `DURING` is
/// done before.
const BACKEND: &str = r#"
import helper, os, socket, subprocess, sys, time, zipfile

def get_requires_for_build_wheel(settings=None):
    return ["late>=1"]

def build_wheel(folder, settings=None, metadata_folder=None):
    import late
    version, tag, needs = "3.0", "py3-none-any", "other"
    DURING
    name = "kit-" + version + "-" + tag + ".whl"
    members = {
        "kit.py": "built_with = '" + helper.__version__ + "'\n",
        "kit-" + version + ".dist-info/METADATA": "Metadata-Version: 2.1\nName: kit\nVersion: " + version + "\nRequires-Dist: " + needs + "\n",
        "kit-" + version + ".dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: " + tag + "\n",
    }
    members["kit-" + version + ".dist-info/RECORD"] = "".join(member + ",,\n" for member in members)
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        for member, text in members.items():
            date = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
            wheel.writestr(zipfile.ZipInfo(member, date), text)
    return name
"#;

/// `kit` is a source archive; `tiny-backend` builds it, and does this `during` a build.
fn files(during: &str) -> Index {
    let backend = BACKEND.replace("DURING", during);
    let backend = Wheel::new("tiny-backend", "1.0").requires("helper>=2").source(&backend);
    let kit = Sdist::new("kit", "3.0").requires("other").built_by("tiny_backend", "tiny-backend>=1");
    let index = Index::new().with(kit).with(backend).wheel("other", "1.0").wheel("late", "1.0");
    index.wheel("helper", "1.0").wheel("helper", "2.0")
}

fn world_where(during: &str) -> ServedIndex {
    files(during).serve()
}

fn world() -> ServedIndex {
    world_where("pass")
}

fn run(sandbox: &Sandbox, index: &ServedIndex, more: &[&str]) -> Output {
    sandbox.prefetch_from(index, ["kit", "--build-wheels", "missing"]).args(more).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_missing_wheel_is_built_once_and_kept() {
    let (index, sandbox) = (world(), Sandbox::new());
    let first = run(&sandbox, &index, &["-d", "one"]);
    assert_eq!(first.status.code(), Some(0), "{}", told(&first));
    assert_eq!(told(&first).matches(BUILDING).count(), 1, "{}", told(&first));
    assert_eq!(sandbox.files("one"), ["kit-3.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"]);
    let again = run(&sandbox, &index, &["-d", "two"]);
    assert!(!told(&again).contains("Building"), "{}", told(&again));
    assert_eq!(sandbox.files("two"), sandbox.files("one"));
    let other = Sandbox::new();
    run(&other, &index, &["-d", "one"]);
    let wheel = "one/kit-3.0-py3-none-any.whl";
    assert_eq!(sandbox.read(wheel), other.read(wheel), "two builds make the same bytes");
    for left in [sandbox.temporary(), sandbox.cache().join("incoming-v1")] {
        assert_eq!(std::fs::read_dir(&left).unwrap().count(), 0, "{}", left.display());
    }
}

#[test]
fn a_bundle_has_the_wheel_and_says_what_it_was_built_from() {
    let (index, sandbox) = (world(), Sandbox::new());
    let output = run(&sandbox, &index, &["--bundle", "b/", "--require-wheels", "--report", "report.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let manifest = sandbox.json("b/prefetch.json");
    let packages = manifest["packages"].as_array().unwrap();
    let names: Vec<_> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["kit", "other"], "what built it is not packed");
    let from = &packages[0]["files"][0]["built_from"];
    assert_eq!(from["filename"], "kit-3.0.tar.gz");
    assert_eq!(from["build_requires"], json!(["helper==2.0", "late==1.0", "tiny-backend==1.0"]));
    assert!(from["url"].as_str().unwrap().ends_with("/kit-3.0.tar.gz"), "{from}");
    assert_eq!(packages[0]["files"][0]["url"], Value::Null);
    assert_eq!(sandbox.json("report.json")["packages"][0]["files"][0]["built_from"], "kit-3.0.tar.gz");
    sandbox.prefetch(["verify", "b"]).assert().code(0);
    let requirements = sandbox.path("b/requirements.txt").display().to_string();
    let installed = judges().pip().install(crate::support::Source::Links("b/wheels"), ["-r", &requirements]);
    installed.assert_installed(["kit-3.0", "other-1.0"]);
}

#[test]
fn targets_that_this_machine_does_not_build_for_get_the_archive() {
    let (index, sandbox) = (world(), Sandbox::new());
    let here = sandbox.prefetch_from(&index, ["other", "--dry-run", "--report", "here.json"]).output().unwrap();
    assert_eq!(here.status.code(), Some(0), "{}", told(&here));
    let here = sandbox.json("here.json")["targets"][0].clone();
    let python = here["python_version"].as_str().unwrap().to_owned();
    let platform = here["platform"].as_str().unwrap().to_owned();
    let both = ["--python-version", &python, "--platform", &platform, "--platform", "windows-x86_64"];
    let output = run(&sandbox, &index, &both);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let files = ["kit-3.0-py3-none-any.whl", "kit-3.0.tar.gz", "other-1.0-py3-none-any.whl"];
    assert_eq!(sandbox.files("wheelhouse"), files);
    let refused = run(&sandbox, &index, &[&both[..], &["--require-wheels"]].concat());
    assert_eq!(refused.status.code(), Some(3));
    assert!(
        told(&refused).contains("kit-3.0.tar.gz is a source archive, and wheels are required"),
        "{}",
        told(&refused)
    );
}

#[test]
fn names_are_built_though_there_are_wheels() {
    let index = files("pass").with(Wheel::new("kit", "3.0").requires("other").tags("py2.py3-none-any")).serve();
    let sandbox = Sandbox::new();
    let missing = run(&sandbox, &index, &["-d", "missing"]);
    assert!(!told(&missing).contains("Building"), "{}", told(&missing));
    assert_eq!(sandbox.files("missing"), ["kit-3.0-py2.py3-none-any.whl", "other-1.0-py3-none-any.whl"]);
    let named = sandbox.prefetch_from(&index, ["kit", "--build-wheels", "kit", "-d", "named"]).output().unwrap();
    assert!(told(&named).contains(BUILDING), "{}", told(&named));
    assert_eq!(sandbox.files("named"), ["kit-3.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"]);
    let never = sandbox.prefetch_from(&index, ["kit", "--build-wheels", "kit,never"]).output().unwrap();
    assert!(!told(&never).contains("Building"), "{}", told(&never));
}

/// Where the system lets `unshare` close it, as Linux does for root, and mostly for others.
#[cfg(target_os = "linux")]
#[test]
fn no_build_reaches_the_network() {
    let unshare = |arguments: &[&str]| {
        Command::new("/usr/bin/unshare")
            .args(arguments)
            .arg("/bin/true")
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if !unshare(&["--net", "--"]) && !unshare(&["--user", "--map-current-user", "--net", "--"]) {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let connect = format!("socket.create_connection({:?}, 5)", ("127.0.0.1", listener.local_addr().unwrap().port()));
    let output = run(&Sandbox::new(), &world_where(&connect), &[]);
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(told(&output).contains("kit-3.0.tar.gz: its build failed; its last words:"), "{}", told(&output));
    assert!(listener.accept().is_err(), "nobody came");
}

#[test]
fn a_build_that_takes_too_long_is_ended_and_leaves_nothing() {
    let (index, sandbox) = (world_where("print('asleep', flush=True); time.sleep(600)"), Sandbox::new());
    let output = run(&sandbox, &index, &["--build-timeout", "8"]);
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(told(&output).contains("its build was ended after 8 seconds"), "{}", told(&output));
    assert!(told(&output).contains("\n  asleep"), "{}", told(&output));
    assert_eq!(std::fs::read_dir(sandbox.cache().join("incoming-v1")).unwrap().count(), 0);
    assert!(sandbox.files("wheelhouse").is_empty());
}

#[test]
fn what_is_built_is_checked() {
    for (during, why) in [
        ("version = '4.0'", "its build says that it is `kit 4.0`, which its file name does not"),
        ("needs = 'third>=2'", "needs third>=2, and what was read of it before says other; --strict-metadata asks"),
        ("return 'kit-3.0-py3-none-any.whl'", "`kit-3.0-py3-none-any.whl` is no wheel"),
        ("return '../../kit.whl'", "`kit.whl` is no wheel"),
        ("raise Exception('libpq-fe.h: No such file or directory')", "install libpq-dev (Debian, Ubuntu)"),
        ("sys.stdout.write('x' * 50000000); sys.exit(1)", "its build failed"),
    ] {
        let (index, sandbox) = (world_where(during), Sandbox::new());
        let output = run(&sandbox, &index, &[]);
        assert!(matches!(output.status.code(), Some(3 | 5)), "{}", told(&output));
        assert!(told(&output).contains(why) && told(&output).len() < 20_000, "{why}: {}", told(&output));
        assert!(sandbox.files("wheelhouse").is_empty());
    }
}

#[test]
fn a_build_requirement_that_is_not_there_is_told() {
    let index = Index::new().with(Sdist::new("kit", "3.0").built_by("tiny_backend", "tiny-backend>=1")).serve();
    let output = run(&Sandbox::new(), &index, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(told(&output).contains("what its build needs cannot be had: tiny-backend"), "{}", told(&output));
}
