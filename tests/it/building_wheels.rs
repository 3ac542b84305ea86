//! Wheels that are built here: made once, kept, and carried like any other.

use std::process::{Command, Output};

use prefetch::cache_folder::CacheBucket;
use serde_json::{Value, json};

use crate::support::{
    BUILDING_KIT, Fault, Index, Sandbox, Sdist, ServedIndex, Source, Wheel, builders_of_kit, index_with_kit, judges,
    tell_unchecked,
};

fn world() -> ServedIndex {
    index_with_kit("pass").serve()
}

fn run(sandbox: &Sandbox, index: &ServedIndex, more: &[&str]) -> Output {
    sandbox.prefetch_from(index, ["kit", "--build-wheels", "missing"]).args(more).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", told(output));
    told(output)
}

#[test]
fn a_missing_wheel_is_built_once_and_kept() {
    let (index, sandbox) = (world(), Sandbox::new());
    let first = done(&run(&sandbox, &index, &["-d", "one"]));
    assert_eq!(first.matches(BUILDING_KIT).count(), 1, "{first}");
    assert_eq!(sandbox.files("one"), ["kit-3.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"]);
    let again = done(&run(&sandbox, &index, &["-d", "two"]));
    assert!(!again.contains("Building"), "{again}");
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
fn a_wheel_that_was_pruned_is_built_again() {
    let (index, sandbox) = (world(), Sandbox::new());
    done(&run(&sandbox, &index, &[]));
    std::fs::remove_dir_all(sandbox.path("wheelhouse")).unwrap();
    let info = sandbox.prefetch(["cache", "info"]).output().unwrap();
    assert!(String::from_utf8_lossy(&info.stdout).contains("built-wheels"), "{info:?}");
    sandbox.prefetch(["cache", "prune", "--max-size", "0"]).assert().code(0);
    assert_eq!(std::fs::read_dir(sandbox.cache_folder(CacheBucket::BuiltWheels)).unwrap().count(), 0);
    assert!(done(&run(&sandbox, &index, &[])).contains(BUILDING_KIT));
}

#[test]
fn a_bundle_has_the_wheel_and_says_what_it_was_built_from() {
    let (index, sandbox) = (world(), Sandbox::new());
    done(&run(&sandbox, &index, &["--bundle", "b/", "--require-wheels", "--report", "report.json"]));
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
    assert_installs(&sandbox);
}

/// Passes if the bundle `b/` proves itself, and pip installs `kit` and `other` from it alone.
fn assert_installs(sandbox: &Sandbox) {
    sandbox.prefetch(["verify", "b"]).assert().code(0);
    let requirements = sandbox.path("b/requirements.txt").display().to_string();
    let installed = judges().pip().install(Source::Links("b/wheels"), ["-r", &requirements]);
    installed.assert_installed(["kit-3.0", "other-1.0"]);
}

#[test]
fn bills_of_materials_name_the_archive() {
    let (index, sandbox) = (world(), Sandbox::new());
    done(&run(&sandbox, &index, &["--bundle", "b/", "--sbom", "cyclonedx,spdx"]));
    let judged = ["sbom.cdx.json", "sbom.spdx.json"].map(|name| {
        // spdx-tools takes no URL whose host ends in no top-level domain.
        let text = String::from_utf8(sandbox.read(format!("b/{name}").as_str())).unwrap();
        let text = text.replace(&index.root(), "https://files.example.org");
        sandbox.write(&format!("judged/{name}"), text).display().to_string()
    });
    assert_eq!(judges().sbom_faults(judged, ""), "");
    let archive = index.sha256("kit-3.0.tar.gz");
    let ancestor = &sandbox.json("b/sbom.cdx.json")["components"][0]["components"][0]["pedigree"]["ancestors"][0];
    assert_eq!((&ancestor["name"], &ancestor["hashes"][0]["content"]), (&json!("kit-3.0.tar.gz"), &json!(archive)));
    let spdx = sandbox.json("b/sbom.spdx.json");
    let relationships = spdx["relationships"].as_array().unwrap();
    let from = relationships.iter().find(|relationship| relationship["relationshipType"] == "GENERATED_FROM").unwrap();
    assert_eq!(from["relatedSpdxElement"], "SPDXRef-File-kit-3.0.tar.gz");
    let ids = spdx["packages"].as_array().unwrap().iter().map(|package| package["SPDXID"].as_str().unwrap());
    assert!(ids.filter(|id| id.starts_with("SPDXRef-Package-")).count() >= 2, "{:?}", spdx["packages"]);
}

#[test]
fn targets_that_this_machine_does_not_build_for_get_the_archive() {
    let (index, sandbox) = (world(), Sandbox::new());
    done(&sandbox.prefetch_from(&index, ["other", "--dry-run", "--report", "here.json"]).output().unwrap());
    let here = sandbox.json("here.json")["targets"][0].clone();
    let python = here["python_version"].as_str().unwrap().to_owned();
    let platform = here["platform"].as_str().unwrap().to_owned();
    let both = ["--python-version", &python, "--platform", &platform, "--platform", "windows-x86_64"];
    let output = done(&run(&sandbox, &index, &both));
    assert!(output.contains("no wheel of kit-3.0.tar.gz is built for cp"), "{output}");
    let files = ["kit-3.0-py3-none-any.whl", "kit-3.0.tar.gz", "other-1.0-py3-none-any.whl"];
    assert_eq!(sandbox.files("wheelhouse"), files);
    let refused = run(&sandbox, &index, &[&both[..], &["--require-wheels"]].concat());
    assert_eq!(refused.status.code(), Some(3));
    let refused = told(&refused);
    assert!(refused.contains("kit-3.0.tar.gz is a source archive, and wheels are required"), "{refused}");
}

#[test]
fn names_are_built_though_there_are_wheels() {
    let wheel = Wheel::new("kit", "3.0").requires("other").tags("py2.py3-none-any");
    let (index, sandbox) = (index_with_kit("pass").with(wheel).serve(), Sandbox::new());
    let missing = done(&run(&sandbox, &index, &["-d", "missing"]));
    assert!(!missing.contains("Building"), "{missing}");
    assert_eq!(sandbox.files("missing"), ["kit-3.0-py2.py3-none-any.whl", "other-1.0-py3-none-any.whl"]);
    let build = |more: &[&str]| {
        done(&sandbox.prefetch_from(&index, ["kit"]).arg("--build-wheels").args(more).output().unwrap())
    };
    let named = build(&["kit", "-d", "named"]);
    assert!(named.contains(BUILDING_KIT), "{named}");
    assert_eq!(sandbox.files("named"), ["kit-3.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"]);
    let never = build(&["kit,never"]);
    assert!(!never.contains("Building"), "{never}");
}

#[test]
fn backends_get_config_settings_and_another_setting_is_another_build() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write("requirements.txt", "kit --config-settings=b=own -C c=1 -C c=2\n");
    let build = |more: &[&str]| {
        let arguments = ["-r", "requirements.txt", "--build-wheels", "missing"];
        done(&sandbox.prefetch_from(&index, arguments).args(more).output().unwrap())
    };
    let settings = || {
        let wheel = sandbox.read("wheelhouse/kit-3.0-py3-none-any.whl");
        let text = String::from_utf8_lossy(&wheel).into_owned();
        text.lines().find(|line| line.starts_with("settings = ")).unwrap().to_owned()
    };
    build(&["-C", "a=x=y", "-C", "b=all"]);
    assert!(settings().starts_with("settings = {'a': 'x=y', 'b': 'own', 'c': ['1', '2']}"), "{}", settings());
    assert!(!build(&["-C", "a=x=y", "-C", "b=other"]).contains("Building"), "the line's own setting counts");
    assert!(build(&[]).contains(BUILDING_KIT));
    assert!(settings().starts_with("settings = {'b': 'own', 'c': ['1', '2']}"), "{}", settings());
    let idle = told(&sandbox.prefetch_from(&index, ["other", "-C", "a=b"]).output().unwrap());
    assert!(idle.contains("--config-settings has no effect without"), "{idle}");
}

#[test]
fn archives_by_url_are_built_and_installed_by_their_version() {
    let (index, sandbox) = (world(), Sandbox::new());
    let url = format!("kit @ {}#sha256={}", index.file_url("kit-3.0.tar.gz"), index.sha256("kit-3.0.tar.gz"));
    let arguments = [&url, "--build-wheels", "missing", "--bundle", "b/", "--require-wheels"];
    done(&sandbox.prefetch_from(&index, arguments).output().unwrap());
    assert_eq!(sandbox.files("b/wheels"), ["kit-3.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"]);
    assert_installs(&sandbox);
    sandbox.write("kit-3.0.tar.gz", index.bytes("kit-3.0.tar.gz"));
    let told =
        done(&sandbox.prefetch_from(&index, ["./kit-3.0.tar.gz", "--build-wheels", "missing"]).output().unwrap());
    assert!(told.contains("-r wheelhouse/requirements.txt"), "pip would build the archive again: {told}");
}

/// What a build says is then what the wheel is held against.
#[test]
fn a_build_that_was_asked_is_not_held_against_what_was_read_before() {
    let kit =
        Sdist::new("kit", "3.0").requires("other").metadata_version("2.1").built_by("tiny_backend", "tiny-backend");
    let index = builders_of_kit("needs = 'third'").with(kit).wheel("third", "1.0").serve();
    let sandbox = Sandbox::new();
    let refused = run(&sandbox, &index, &[]);
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    assert!(told(&refused).contains("--strict-metadata with --allow-build asks"), "{}", told(&refused));
    done(&run(&sandbox, &index, &["--allow-build", "--strict-metadata"]));
    assert!(sandbox.files("wheelhouse").contains(&"third-1.0-py3-none-any.whl".to_owned()));
}

#[test]
fn project_folders_are_built() {
    let (index, sandbox) = (builders_of_kit("pass").serve(), Sandbox::new());
    let pyproject = "[build-system]\nrequires = ['tiny-backend']\nbuild-backend = 'tiny_backend'\n\
                     [project]\nname = 'kit'\nversion = '3.0'\ndependencies = ['other']\n";
    sandbox.write("project/pyproject.toml", pyproject);
    let arguments = ["./project", "--build-wheels", "missing", "--bundle", "b/", "--require-wheels"];
    done(&sandbox.prefetch_from(&index, arguments).output().unwrap());
    assert_eq!(sandbox.files("b/wheels"), ["kit-3.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"]);
    assert_installs(&sandbox);
}

#[test]
fn a_bundle_of_a_lock_keeps_the_archive_for_its_own_installer() {
    let (index, sandbox) = (world(), Sandbox::new());
    let file = |filename: &str| {
        format!("{{ url = \"{}\", hash = \"sha256:{}\" }}", index.file_url(filename), index.sha256(filename))
    };
    let (registry, archive, other) = (index.url(), file("kit-3.0.tar.gz"), file("other-1.0-py3-none-any.whl"));
    sandbox.write(
        "pyproject.toml",
        "[project]\nname = 'app'\nversion = '1.0'\nrequires-python = '>=3.8'\ndependencies = ['kit']\n\
         [tool.uv]\npackage = false\n",
    );
    sandbox.write(
        "uv.lock",
        format!(
            "version = 1\nrevision = 3\nrequires-python = \">=3.8\"\n\n[[package]]\nname = \"app\"\nversion = \"1.0\"\n\
             source = {{ virtual = \".\" }}\ndependencies = [{{ name = \"kit\" }}]\n\n[package.metadata]\n\
             requires-dist = [{{ name = \"kit\" }}]\n\n[[package]]\nname = \"kit\"\nversion = \"3.0\"\n\
             source = {{ registry = {registry:?} }}\ndependencies = [{{ name = \"other\" }}]\nsdist = {archive}\n\n\
             [[package]]\nname = \"other\"\nversion = \"1.0\"\nsource = {{ registry = {registry:?} }}\nwheels = [\n    {other},\n]\n"
        ),
    );
    let output =
        done(&sandbox.prefetch_from(&index, ["--build-wheels", "missing", "--bundle", "b/"]).output().unwrap());
    assert!(output.contains(BUILDING_KIT), "{output}");
    let wheels = sandbox.files("b/wheels");
    for name in ["kit-3.0-py3-none-any.whl", "kit-3.0.tar.gz", "tiny_backend-1.0-py3-none-any.whl"] {
        assert!(wheels.iter().any(|wheel| wheel == name), "{name}: {wheels:?}");
    }
    sandbox.prefetch(["verify", "b"]).assert().code(0);
}

/// The C compiler is the one that Rust needs.
#[cfg(target_os = "linux")]
#[test]
fn a_wheel_that_is_linked_to_foreign_libraries_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("empty.c", "");
    sandbox.write("kit.c", "int other(void); int kit(void) { return other(); }");
    sandbox.write("other.c", "int other(void) { return 1; }");
    let compile = |arguments: &[&str]| {
        let status =
            Command::new("cc").args(["-shared", "-fPIC"]).args(arguments).current_dir(sandbox.path("")).status();
        assert!(status.unwrap().success());
    };
    compile(&["-Wl,-soname,libother.so.1", "other.c", "-o", "libother.so"]);
    compile(&["kit.c", "./libother.so", "-o", "_kit.so"]);
    let library = sandbox.path("_kit.so");
    let during = format!(
        "members['_kit.so'] = open({library:?}, 'rb').read()\n    \
         tag = 'cp%d%d-abi3-linux_%s' % (*sys.version_info[:2], os.uname().machine)"
    );
    let output = done(&run(&sandbox, &index_with_kit(&during).serve(), &["--bundle", "b/"]));
    assert!(output.contains("which was built here, is linked to libother.so.1"), "{output}");
    let file = &sandbox.json("b/prefetch.json")["packages"][0]["files"][0];
    assert_eq!(file["built_from"]["libraries"], json!(["libother.so.1"]));
    let readme = String::from_utf8(sandbox.read("b/README.txt")).unwrap();
    assert!(readme.contains("is linked to libother.so.1, which must be installed there"), "{readme}");
}

/// Its page comes from the index, and nothing else.
#[test]
fn pip_finds_the_wheel_in_its_own_cache() {
    let (index, sandbox) = (index_with_kit("pass").encrypted().serve(), Sandbox::new());
    done(&run(&sandbox, &index, &["--layout", "pip-http-v2", "--dest", "cache"]));
    index.fail("/files/", Fault::Status(500));
    let verdict = judges().pip().install_with_cache(&index, &sandbox.path("cache"), ["kit"]);
    verdict.assert_installed(["kit-3.0", "other-1.0"]);
}

#[test]
fn a_build_requirement_that_is_not_there_is_told() {
    let index = Index::new().with(Sdist::new("kit", "3.0").built_by("tiny_backend", "tiny-backend>=1")).serve();
    let output = run(&Sandbox::new(), &index, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(told(&output).contains("what its build needs cannot be had: tiny-backend"), "{}", told(&output));
}

#[test]
fn verbose_runs_show_what_builds_print_and_how_they_are_isolated() {
    let (index, sandbox) = (index_with_kit("print('compiling', flush=True)").serve(), Sandbox::new());
    let quiet = done(&run(&sandbox, &index, &[]));
    assert!(!quiet.contains("compiling") && !quiet.contains("with no network"), "{quiet}");
    let sandbox = Sandbox::new();
    let verbose = done(&run(&sandbox, &index, &["-v"]));
    assert!(verbose.contains("  kit-3.0.tar.gz: compiling\n"), "{verbose}");
    assert!(verbose.contains("  with no network") || verbose.contains("  with proxies"), "{verbose}");
}

/// Another interpreter of this machine whose pip can do it, if there is one.
fn other_python(here: &str) -> Option<String> {
    let versions = ["3.8", "3.9", "3.10", "3.12", "3.13", "3.14"].into_iter().filter(|version| *version != here);
    let pythons = versions.map(|version| format!("python{version}"));
    let has_pip = |python: &String| {
        let output = Command::new(python).args(["-m", "pip", "--python", python, "--version"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let path = |python: String| {
        let output = Command::new(python).args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    };
    pythons.filter(has_pip).find_map(path)
}

#[test]
fn each_interpreter_builds_for_its_own_target() {
    let during = "tag = 'cp%d%d-none-any' % sys.version_info[:2]";
    let (index, sandbox) = (index_with_kit(during).serve(), Sandbox::new());
    done(&sandbox.prefetch_from(&index, ["other", "--dry-run", "--report", "here.json"]).output().unwrap());
    let here = sandbox.json("here.json")["targets"][0]["python_version"].as_str().unwrap().to_owned();
    let Some(other) = other_python(&here) else { return tell_unchecked("there is no other Python with a pip") };
    let output = done(&run(&sandbox, &index, &["--python", "python3", "--python", &other, "--bundle", "b/"]));
    assert_eq!(output.matches(BUILDING_KIT).count(), 2, "{output}");
    let wheels = sandbox.files("b/wheels");
    assert_eq!(wheels.iter().filter(|name| name.starts_with("kit-3.0-cp")).count(), 2, "{wheels:?}");
    sandbox.prefetch(["verify", "b"]).assert().code(0);
}
