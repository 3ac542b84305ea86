//! What takes part in an install and is not installed: what builds source archives, and pip.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Index, Published, Sandbox, Sdist, ServedIndex, Wheel, judges};

const TARGET: [&str; 4] = ["--python-version", "3.11", "--platform", "linux-x86_64"];

/// A build backend (PEP 517) in one module, which needs another one to run.
pub const BACKEND: &str = r#"
import helper, zipfile

def build_wheel(folder, settings=None, metadata_folder=None):
    name = "kit-3.0-py3-none-any.whl"
    members = {
        "kit.py": "built_with = '" + helper.__version__ + "'\n",
        "kit-3.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: kit\nVersion: 3.0\n",
        "kit-3.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    members["kit-3.0.dist-info/RECORD"] = "".join(member + ",,\n" for member in members)
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        for member, text in members.items():
            wheel.writestr(member, text)
    return name
"#;

/// `kit` is a source archive; `tiny-backend` builds it, and needs `helper` for that.
fn world() -> ServedIndex {
    let backend = Wheel::new("tiny-backend", "1.0").requires("helper>=2").source(BACKEND);
    let kit = Sdist::new("kit", "3.0").built_by("tiny_backend", "tiny-backend>=1");
    Index::new().with(kit).with(backend).wheel("helper", "1.0").wheel("helper", "2.0").serve()
}

fn bundle(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str], code: i32) -> String {
    let mut command = sandbox.prefetch_from(index, TARGET);
    let output = command.args(["--bundle", "out.tar"]).args(arguments).assert().code(code).get_output().clone();
    std::fs::remove_dir_all(sandbox.path("unpacked")).ok();
    sandbox.prefetch(["unpack", "out.tar", "unpacked"]).assert().code(0);
    String::from_utf8(output.stderr).unwrap()
}

/// The files of the bundle that no target installs.
fn tools(sandbox: &Sandbox) -> Vec<String> {
    let manifest = sandbox.json("unpacked/prefetch.json");
    let files =
        manifest["packages"].as_array().unwrap().iter().flat_map(|package| package["files"].as_array().unwrap());
    let tools = files.filter(|file| file["tools"].is_array() && file["tools"] == file["targets"]);
    tools.map(|file| file["filename"].as_str().unwrap().to_owned()).collect()
}

fn text(sandbox: &Sandbox, path: &str) -> String {
    String::from_utf8(sandbox.read(path)).unwrap()
}

/// `sh install.sh environment`, and what it printed.
fn install(sandbox: &Sandbox) -> (bool, String) {
    let mut command = Command::new("sh");
    command.args(["unpacked/install.sh", "environment"]).current_dir(sandbox.path("")).env_clear();
    command.env("PATH", format!("{}:/usr/bin:/bin", judges().bin().display())).env("PIP_CONFIG_FILE", "/dev/null");
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

fn says(sandbox: &Sandbox, code: &str) -> String {
    let output = Command::new(sandbox.path("environment/bin/python")).args(["-c", code]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn what_builds_a_source_archive_is_packed_used_and_not_installed() {
    let (index, sandbox) = (world(), Sandbox::new());
    bundle(&sandbox, &index, &["kit"], 0);
    assert_eq!(tools(&sandbox), ["helper-2.0-py3-none-any.whl", "tiny_backend-1.0-py3-none-any.whl"]);
    for page in ["unpacked/requirements.txt", "unpacked/pylock.toml"] {
        let text = text(&sandbox, page);
        assert!(text.contains("kit") && !text.contains("helper") && !text.contains("tiny"), "{text}");
    }
    let (succeeded, told) = install(&sandbox);
    assert!(succeeded, "{told}");
    assert_eq!(says(&sandbox, "import kit; print(kit.built_with)"), "2.0");
    assert_eq!(says(&sandbox, "import helper"), "");
}

#[test]
fn a_project_can_be_a_tool_in_one_version_and_installed_in_another() {
    let (index, sandbox) = (world(), Sandbox::new());
    bundle(&sandbox, &index, &["kit", "helper<2"], 0);
    assert_eq!(tools(&sandbox), ["helper-2.0-py3-none-any.whl", "tiny_backend-1.0-py3-none-any.whl"]);
    let requirements = text(&sandbox, "unpacked/requirements.txt");
    assert!(requirements.contains("helper==1.0") && !requirements.contains("helper==2.0"), "{requirements}");
    bundle(&sandbox, &index, &["kit", "helper"], 0);
    assert_eq!(tools(&sandbox), ["tiny_backend-1.0-py3-none-any.whl"]);
}

#[test]
fn folders_get_builders_on_request_only_and_bundles_do_without_on_request() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.prefetch_from(&index, ["kit"]).args(TARGET).assert().code(0);
    assert_eq!(sandbox.files("wheelhouse"), ["kit-3.0.tar.gz"]);
    sandbox.prefetch_from(&index, ["kit", "--build-requires", "-d", "all"]).args(TARGET).assert().code(0);
    assert_eq!(sandbox.files("all").len(), 3);
    let told = bundle(&sandbox, &index, &["kit", "--no-build-requires"], 1);
    assert!(told.contains("kit-3.0.tar.gz cannot be built from the bundle alone"), "{told}");
    assert!(tools(&sandbox).is_empty());
}

/// Up to 70.0 setuptools asks for `wheel` when it builds, and no file says so.
#[test]
fn an_old_setuptools_brings_wheel() {
    for (version, expected) in [("68.0", "wheel-0.45-py3-none-any.whl"), ("70.1", "")] {
        let index = Index::new()
            .with(Sdist::new("kit", "3.0").pyproject())
            .wheel("setuptools", version)
            .wheel("wheel", "0.45")
            .serve();
        let sandbox = Sandbox::new();
        bundle(&sandbox, &index, &["kit"], 0);
        assert_eq!(tools(&sandbox).get(1).map_or("", String::as_str), expected, "setuptools {version}");
    }
    let index = Index::new().with(Sdist::new("kit", "3.0").pyproject()).wheel("setuptools", "68.0").serve();
    let told = bundle(&Sandbox::new(), &index, &["kit"], 1);
    assert!(told.contains("wheel is not in the bundle"), "{told}");
}

/// The judges' pip as the wheel that it was installed from, near enough.
const PACK_PIP: &str = "
import pathlib, sys, zipfile, pip
site = pathlib.Path(pip.__file__).parent.parent
info = next(site.glob('pip-*.dist-info'))
name = info.name[:-len('.dist-info')] + '-py3-none-any.whl'
with zipfile.ZipFile(sys.stdin.read() + '/' + name, 'w') as wheel:
    for row in (info / 'RECORD').read_text().splitlines():
        path = row.split(',')[0]
        if not path.startswith('..') and not path.endswith('.pyc') and path.endswith(('.py', 'METADATA', 'WHEEL', '.txt', '.pem')):
            wheel.write(site / path, path)
    kept = [row for row in (info / 'RECORD').read_text().splitlines() if row.split(',')[0] in wheel.namelist()]
    wheel.writestr(info.name + '/RECORD', '\\n'.join(kept + [info.name + '/RECORD,,']))
print(name, end='')
";

fn pip_wheel(folder: &Path) -> Published {
    let name = judges().run_python(PACK_PIP, folder.to_str().unwrap());
    Published::new("pip", &name, std::fs::read(folder.join(&name)).unwrap())
}

#[test]
fn an_environment_without_pip_is_no_obstacle_where_the_bundle_has_one() {
    let sandbox = Sandbox::new();
    let index = Index::new().wheel("demo", "1.0").with(pip_wheel(&sandbox.path(""))).serve();
    let make = || {
        let mut python = Command::new(judges().bin().join("python"));
        let arguments = ["-m", "venv", "--clear", "--without-pip"];
        assert!(python.args(arguments).arg(sandbox.path("environment")).status().unwrap().success());
    };
    make();
    bundle(&sandbox, &index, &["demo"], 0);
    let (succeeded, told) = install(&sandbox);
    assert!(!succeeded && told.contains("bundle with --with-installer"), "{told}");
    bundle(&sandbox, &index, &["demo", "--with-installer"], 0);
    assert!(tools(&sandbox)[0].starts_with("pip-"));
    assert!(!text(&sandbox, "unpacked/requirements.txt").contains("pip=="));
    let (succeeded, told) = install(&sandbox);
    assert!(succeeded, "{told}");
    assert_eq!(says(&sandbox, "import demo; print(demo.__version__)"), "1.0");
    assert_eq!(says(&sandbox, "import importlib.util as u; print(u.find_spec('pip'))"), "None");
}

#[test]
fn each_python_gets_the_pip_that_runs_on_it() {
    let old = Wheel::new("pip", "21.3.1").requires_python(">=3.6");
    let new = Wheel::new("pip", "26.0").requires_python(">=3.9");
    let index = Index::new().wheel("demo", "1.0").with(old).with(new).serve();
    let sandbox = Sandbox::new();
    let mut command = sandbox.prefetch_from(&index, ["demo", "--bundle", "out.tar", "--with-installer"]);
    command.args(["--python-version", "3.6,3.12", "--platform", "linux-x86_64,windows-x86_64"]).assert().code(0);
    sandbox.prefetch(["unpack", "out.tar", "unpacked"]).assert().code(0);
    let manifest = sandbox.json("unpacked/prefetch.json");
    let packages = manifest["packages"].as_array().unwrap().iter();
    let pips: Vec<_> =
        packages.filter(|package| package["name"] == "pip").map(|package| &package["files"][0]).collect();
    let served: Vec<_> = pips.iter().map(|pip| (pip["filename"].as_str().unwrap(), pip["tools"].clone())).collect();
    let on =
        |python: &str| serde_json::json!([format!("{python}-manylinux_2_28_x86_64"), format!("{python}-win_amd64")]);
    let expected = [("pip-21.3.1-py3-none-any.whl", on("cp36")), ("pip-26.0-py3-none-any.whl", on("cp312"))];
    assert_eq!(served, expected);
    let mut command = sandbox.prefetch_from(&index, ["demo", "--bundle", "x.tar", "--with-installer"]);
    let output = command.args(["--python-version", "3.5", "--platform", "linux-x86_64"]).assert().code(3);
    let told = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(told.contains("--with-installer"), "{told}");
}

#[test]
fn the_report_tells_tools_from_what_is_installed() {
    let (index, sandbox) = (world(), Sandbox::new());
    bundle(&sandbox, &index, &["kit", "--report", "report.json"], 0);
    let report = sandbox.json("report.json");
    let is_tool = |package: &Value| package["files"][0]["tools"].is_array();
    let told: Vec<_> = report["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["name"].as_str().unwrap(), is_tool(package)))
        .collect();
    assert_eq!(told, [("helper", true), ("kit", false), ("tiny-backend", true)]);
}
