//! `--with-project`: the project itself is taken as the source distribution that its build makes.

use std::process::Command;

use crate::locking::entry;
use crate::support::{Index, Sandbox, ServedIndex, judges};

const TARGET: [&str; 4] = ["--python-version", "3.11", "--platform", "linux-x86_64"];

/// A backend in the project, so that no build requirement has to be had from anywhere; what it makes is never the same
/// bytes.
const BACKEND: &str = r#"
import io, os, tarfile, time, zipfile

METADATA = 'Metadata-Version: 2.2\nName: app\nVersion: 1.0\nRequires-Dist: demo\n'

def build_sdist(folder, settings=None):
    name = 'app-1.0'
    with tarfile.open(os.path.join(folder, name + '.tar.gz'), 'w:gz') as archive:
        for path in ['tools/own.py', 'pyproject.toml', 'app.py']:
            archive.add(path, name + '/' + path)
        member = tarfile.TarInfo(name + '/PKG-INFO')
        member.size, member.mtime, member.uname = len(METADATA), time.time_ns() % 1000000007, 'somebody'
        archive.addfile(member, io.BytesIO(METADATA.encode()))
    return name + '.tar.gz'

def build_wheel(folder, settings=None, metadata_folder=None):
    info = 'app-1.0.dist-info/'
    members = {'app.py': open('app.py').read(), info + 'METADATA': METADATA,
               info + 'WHEEL': 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n'}
    members[info + 'RECORD'] = ''.join(member + ',,\n' for member in members)
    with zipfile.ZipFile(os.path.join(folder, 'app-1.0-py3-none-any.whl'), 'w') as wheel:
        for member, text in members.items():
            wheel.writestr(member, text)
    return 'app-1.0-py3-none-any.whl'
"#;

const PROJECT: &str = "[project]\nname = 'app'\nversion = '1.0'\nrequires-python = '>=3.9'\ndependencies = ['demo']\n[build-system]\n\
                       requires = []\nbuild-backend = 'own'\nbackend-path = ['tools']\n";

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("pyproject.toml", PROJECT);
    sandbox.write("app.py", "import demo\nanswer = 'app with ' + demo.__version__\n");
    sandbox.write("tools/own.py", BACKEND);
    sandbox
}

fn run(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str], code: i32) -> String {
    let output = sandbox.prefetch_from(index, TARGET).args(arguments).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{told}");
    told
}

/// A uv.lock of the project, whose source is that.
fn uv_lock(index: &ServedIndex, source: &str) -> String {
    format!(
        "version = 1\nrevision = 3\nrequires-python = \">=3.9\"\n\n[[package]]\nname = \"app\"\nversion = \"0.9\"\nsource = {{ \
         {source} = \".\" }}\ndependencies = [{{ name = \"demo\" }}]\n\n{}",
        entry(index, "demo", "1.0", "demo-1.0-py3-none-any.whl", "")
    )
}

fn poetry_lock(index: &ServedIndex) -> String {
    format!(
        "[[package]]\nname = \"demo\"\nversion = \"1.0\"\noptional = false\npython-versions = \"*\"\ngroups = [\"main\"]\nfiles = \
         [{{file = \"demo-1.0-py3-none-any.whl\", hash = \"sha256:{}\"}}]\n\n[metadata]\nlock-version = \"2.1\"\npython-versions \
         = \">=3.9\"\n",
        index.sha256("demo-1.0-py3-none-any.whl")
    )
}

const WITH_PROJECT: [&str; 2] = ["--with-project", "--allow-build"];

#[test]
fn a_bundle_of_a_lock_has_the_project_itself_and_its_script_installs_it() {
    for (lock, text) in
        [("uv.lock", uv_lock as fn(&ServedIndex, &str) -> String), ("poetry.lock", |index, _| poetry_lock(index))]
    {
        let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), project());
        sandbox.write(lock, text(&index, "editable"));
        let told = run(&sandbox, &index, &[&WITH_PROJECT[..], &["--bundle", "b/"]].concat(), 0);
        assert!(told.contains("Building the source distribution of ") && !told.contains("left out"), "{told}");
        let manifest = sandbox.json("b/prefetch.json");
        let app = &manifest["packages"][0];
        assert_eq!((app["name"].as_str(), app["version"].as_str()), (Some("app"), Some("1.0")));
        assert_eq!(app["requested_by"], serde_json::json!(["the project itself"]));
        assert_eq!(app["files"][0]["filename"], "app-1.0.tar.gz");
        let mut command = Command::new("sh");
        command.args(["b/install.sh", "environment"]).current_dir(sandbox.path("")).env_clear();
        let output = command.env("PATH", format!("{}:/usr/bin:/bin", judges().bin().display())).output().unwrap();
        assert!(output.status.success(), "{lock}: {}", String::from_utf8_lossy(&output.stderr));
        let mut python = Command::new(sandbox.path("environment/bin/python"));
        let python =
            python.current_dir(sandbox.path("b")).args(["-c", "import app; print(app.answer)"]).output().unwrap();
        assert_eq!(String::from_utf8(python.stdout).unwrap(), "app with 1.0\n", "{lock}");
        sandbox.prefetch(["verify", "b"]).assert().success();
    }
}

#[test]
fn the_same_project_is_the_same_archive_whatever_its_backend_writes_into_it() {
    let index = Index::new().wheel("demo", "1.0").serve();
    let archive = || {
        let sandbox = project();
        let arguments = [&WITH_PROJECT[..], &["-r", "pyproject.toml", "-d", "out"]].concat();
        let told = run(&sandbox, &index, &arguments, 0);
        assert!(told.contains("app-1.0.tar.gz is packed from the project"), "{told}");
        assert_eq!(sandbox.files("out"), ["app-1.0.tar.gz", "demo-1.0-py3-none-any.whl", "requirements.txt"]);
        sandbox.read("out/app-1.0.tar.gz")
    };
    let bytes = archive();
    assert!(bytes == archive());
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
    let members = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.username().unwrap()), (0, Some("")));
        entry.path().unwrap().display().to_string()
    });
    let expected = ["app-1.0/PKG-INFO", "app-1.0/app.py", "app-1.0/pyproject.toml", "app-1.0/tools/own.py"];
    assert_eq!(members.collect::<Vec<_>>(), expected);
}

#[test]
fn what_cannot_be_taken_itself_is_told() {
    let index = Index::new().wheel("demo", "1.0").serve();
    let sandbox = project();
    sandbox.write("uv.lock", uv_lock(&index, "virtual"));
    for (arguments, why) in [
        (&["--with-project"][..], "--with-project runs the project's build, which is allowed by --allow-build"),
        (
            &["--with-project", "--allow-build"],
            "uv takes neither the project nor anything else in its folder for a package",
        ),
        (
            &["--with-project", "--allow-build", "demo"],
            "no input is a project's lock file, pyproject.toml or setup.cfg",
        ),
        (&["--with-project", "--only-group", "dev"], "cannot be used with"),
        (&["--with-project", "--skip-source-trees"], "cannot be used with"),
    ] {
        let told = run(&sandbox, &index, arguments, 2);
        assert!(told.contains(why), "{told}");
    }
    sandbox.write("tools/own.py", "def build_sdist(folder, settings=None):\n    raise Exception('no such luck')\n");
    let told = run(&sandbox, &index, &["--with-project", "--allow-build", "-r", "pyproject.toml"], 3);
    assert!(told.contains("pyproject.toml: `the project` cannot be packed") && told.contains("no such luck"), "{told}");
}
