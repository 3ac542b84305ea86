//! A bundle: one file that installs anywhere, and the same bytes whatever was cached.

use prefetch::domain::Sha256;

use crate::support::{Index, Sandbox, Sdist, ServedIndex, Source, Wheel, judges};

const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];
const BUNDLES: [&str; 5] = ["out.zip", "out.tar", "out.tar.gz", "out.tgz", "out.tar.zst"];

/// Python's own reading of an archive: its members with their digests, or why it is broken.
const LIST: &str = "
import hashlib, sys, tarfile, zipfile
path = sys.stdin.read()
def members():
    if path.endswith('.zip'):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            for info in archive.infolist():
                yield info.filename, archive.read(info)
    else:
        with tarfile.open(path) as archive:
            for info in archive:
                assert info.isfile(), info
                yield info.name, archive.extractfile(info).read()
for name, content in members():
    print(name, hashlib.sha256(content).hexdigest())
";

fn world() -> ServedIndex {
    let other = Wheel::new("other", "2.0").requires("demo>=1").padding(300_000);
    Index::new().wheel("demo", "1.0").wheel("demo", "1.1").with(other).with(Sdist::new("kit", "3.0")).serve()
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.in", "other==2.0\ndemo==1.0\nkit==3.0\n");
    sandbox
}

fn pack(sandbox: &Sandbox, index: &ServedIndex, bundle: &str, more: &[&str]) -> Vec<u8> {
    let arguments = ["-r", "requirements.in", "--bundle", bundle, "--no-verify"];
    sandbox.prefetch_from(index, arguments).args(TARGET).args(more).assert().code(0);
    sandbox.read(bundle)
}

/// What Python's standard library has no reader for is unpacked first.
fn members(sandbox: &Sandbox, bundle: &str) -> Vec<(String, String)> {
    let readable = match bundle.strip_suffix(".zst") {
        Some(tar) => sandbox.write(tar, zstd::decode_all(&*sandbox.read(bundle)).unwrap()),
        None => sandbox.path(bundle),
    };
    let listed = judges().run_python(LIST, &readable.display().to_string());
    listed.lines().map(|line| line.split_once(' ').unwrap()).map(|(name, hex)| (name.into(), hex.into())).collect()
}

#[test]
fn the_bytes_do_not_depend_on_what_was_cached() {
    let index = world();
    for bundle in BUNDLES {
        let (cold, partly) = (sandbox(), sandbox());
        partly.prefetch_from(&index, ["other==2.0", "-d", "elsewhere"]).args(TARGET).assert().code(0);
        let first = pack(&cold, &index, bundle, &[]);
        assert!(first == pack(&cold, &index, bundle, &[]), "{bundle} differs when all is cached");
        assert!(first == pack(&cold, &index, bundle, &["--refresh"]), "{bundle} differs with --refresh");
        assert!(first == pack(&cold, &index, bundle, &["--offline"]), "{bundle} differs with --offline");
        assert!(first == pack(&partly, &index, bundle, &["-j", "1"]), "{bundle} differs with -j 1");
        assert_eq!(cold.files("wheelhouse"), Vec::<String>::new(), "a bundle alone writes no folder");
    }
}

/// A world without an index, whose port would be in every manifest.
fn golden_sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let wheel = Wheel::new("demo", "1.0").requires("other; python_version >= '3'").padding(70_000);
    sandbox.write("links/demo-1.0-py3-none-any.whl", wheel.bytes());
    sandbox.write("links/other-2.0-py3-none-any.whl", Wheel::new("other", "2.0").bytes());
    sandbox.write("links/kit-3.0.zip", Sdist::new("kit", "3.0").extension(".zip").bytes());
    sandbox.write("links/setuptools-80.0-py3-none-any.whl", Wheel::new("setuptools", "80.0").bytes());
    sandbox.write("links/wheel-0.45-py3-none-any.whl", Wheel::new("wheel", "0.45").bytes());
    sandbox.write("requirements.in", "demo\nkit==3.0\n");
    sandbox
}

/// Whole bundles. Unlike those of archives alone, these digests change with every page that a
/// bundle has: paste what the test prints, and tell users of the new bytes in the CHANGELOG.
const GOLDEN: &str = include_str!("../../testdata/golden/bundles.txt");

#[test]
fn the_bytes_of_bundles_depend_on_nothing_but_their_content() {
    let surroundings = [
        ("umask 022", &[("LC_ALL", "C"), ("TZ", "UTC")], "16"),
        ("umask 077", &[("LC_ALL", "tr_TR.UTF-8"), ("TZ", "Asia/Kathmandu")], "1"),
        ("umask 000", &[("LC_ALL", "POSIX"), ("TZ", "America/St_Johns")], "3"),
    ];
    for (prelude, variables, jobs) in surroundings {
        let sandbox = golden_sandbox();
        let mut digests = String::new();
        for bundle in BUNDLES {
            let arguments = ["--no-index", "-f", "links", "-r", "requirements.in", "-j", jobs, "--bundle", bundle];
            let mut command = sandbox.prefetch_after(prelude, arguments);
            command.args(TARGET).envs(variables.iter().copied()).assert().code(0);
            digests += &format!("{} {bundle}\n", Sha256::of(&sandbox.read(bundle)));
        }
        assert_eq!(digests, GOLDEN, "{prelude}");
    }
}

/// A limit on the size of files stands for a disk that is full: writing fails half-way.
#[cfg(unix)]
#[test]
fn no_half_of_a_bundle_gets_its_name() {
    let (index, sandbox) = (Index::new(), Sandbox::new());
    let names = ["a", "b", "c", "d"];
    let index = names.iter().fold(index, |index, name| index.with(Wheel::new(name, "1.0").padding(60_000))).serve();
    for bundle in BUNDLES {
        for more in [&[][..], &["--split", "128K"]] {
            let arguments = ["--index-url", &index.url(), "--bundle", bundle];
            let mut command = sandbox.prefetch_after("trap '' XFSZ; ulimit -f 150", arguments);
            let output = command.args(TARGET).args(names).args(more).assert().code(6).get_output().clone();
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(told.contains(bundle) && told.contains("cannot be written"), "{told}");
            assert_eq!(sandbox.files(""), Vec::<String>::new(), "{bundle}");
        }
    }
}

#[test]
fn python_reads_every_bundle() {
    let (index, sandbox) = (world(), sandbox());
    let wheels = ["demo-1.0-py3-none-any.whl", "kit-3.0.tar.gz", "other-2.0-py3-none-any.whl"];
    for bundle in BUNDLES {
        pack(&sandbox, &index, bundle, &[]);
        let members = members(&sandbox, bundle);
        let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[0], "prefetch.json", "{bundle}");
        assert!(names[1..].is_sorted() && names.contains(&"README.txt") && names.contains(&"requirements.txt"));
        let held = &members[members.len() - wheels.len()..];
        assert!(held.iter().map(|(name, _)| name).eq(&wheels.map(|name| format!("wheels/{name}"))), "{bundle}");
        for (name, (_, digest)) in wheels.iter().zip(held) {
            assert_eq!(*digest, index.sha256(name), "{name} in {bundle}");
        }
    }
}

#[test]
fn the_manifest_tells_where_each_file_comes_from() {
    let (index, sandbox) = (world(), sandbox());
    pack(&sandbox, &index, "out.tar", &[]);
    unpack(&sandbox, "out.tar");
    let manifest = sandbox.json("unpacked/prefetch.json");
    assert_eq!(manifest["schema"], 1);
    let packages = manifest["packages"].as_array().unwrap();
    let file = &packages.iter().find(|package| package["name"] == "demo").unwrap()["files"][0];
    assert_eq!(file["sha256"], index.sha256("demo-1.0-py3-none-any.whl"));
    assert_eq!(file["url"], index.file_url("demo-1.0-py3-none-any.whl"));
    assert_eq!(file["index"], index.url());
}

/// What a line names by URL or path is in the bundle, and the check that closes the run knows that.
#[test]
fn archives_named_by_url_or_path_install_from_the_bundle() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write("local-1.0-py3-none-any.whl", Wheel::new("local", "1.0").requires("other").bytes());
    let [demo, other] = ["demo-1.0-py3-none-any.whl", "other-2.0-py3-none-any.whl"].map(|file| index.file_url(file));
    sandbox.write("requirements.in", format!("./local-1.0-py3-none-any.whl\n{demo}\n-c bounds.in\n"));
    sandbox.write("bounds.in", format!("other @ {other}"));
    let arguments = ["-r", "requirements.in", "--bundle", "out.zip"];
    sandbox.prefetch_from(&index, arguments).args(TARGET).assert().code(0);
    sandbox.prefetch(["verify", "out.zip"]).assert().code(0);
    let promised = format!("{demo}#sha256={}", index.sha256("demo-1.0-py3-none-any.whl"));
    sandbox.write("requirements.in", format!("--require-hashes\n{promised}\n"));
    sandbox.prefetch_from(&index, arguments).args(TARGET).assert().code(0);
}

#[test]
fn a_bundle_serves_whoever_unpacks_it() {
    let index = world();
    let all = ["demo-1.0", "kit-3.0", "other-2.0"];
    for bundle in &BUNDLES[..4] {
        let sandbox = sandbox();
        pack(&sandbox, &index, bundle, &[]);
        unpack(&sandbox, bundle);
        let requirements = sandbox.path("unpacked/requirements.txt").display().to_string();
        let verdict = judges().pip().install(Source::Links("."), ["--require-hashes", "-r", &requirements]);
        verdict.assert_installed(all);
    }
}

#[test]
fn other_installers_take_an_unpacked_bundle() {
    let (index, sandbox) = (world(), sandbox());
    pack(&sandbox, &index, "out.zip", &[]);
    unpack(&sandbox, "out.zip");
    let all = ["demo-1.0", "kit-3.0", "other-2.0"];
    let requirements = sandbox.path("unpacked/requirements.txt").display().to_string();
    let wheels = sandbox.path("unpacked/wheels").display().to_string();
    judges().pip_23_2_1().install(Source::Links("."), ["-r", &requirements]).assert_installed(all);
    judges().uv().install(Source::Links(&wheels), ["--require-hashes", "-r", &requirements]).assert_installed(all);
    judges().pip().install(Source::Links(&wheels), ["other", "kit"]).assert_installed(all);
}

fn unpack(sandbox: &Sandbox, bundle: &str) {
    let unpack = "import shutil, sys; shutil.unpack_archive(*sys.stdin.read().split('\\n'))";
    let places = [bundle, "unpacked"].map(|name| sandbox.path(name).display().to_string());
    judges().run_python(unpack, &places.join("\n"));
}

/// A command that a person finds in a bundle must be one that there is.
#[test]
fn no_page_names_a_command_that_there_is_not() {
    let (index, sandbox) = (world(), sandbox());
    pack(&sandbox, &index, "out.tar", &[]);
    unpack(&sandbox, "out.tar");
    for name in ["README.txt", "requirements.txt"] {
        let text = String::from_utf8(sandbox.read(&format!("unpacked/{name}"))).unwrap();
        for after in text.split("`prefetch ").skip(1) {
            let command = after.split([' ', '`']).next().unwrap();
            sandbox.prefetch([command, "--help"]).assert().success();
        }
    }
}
