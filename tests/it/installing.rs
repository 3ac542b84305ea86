//! What is installed from a bundle on the other side: by its scripts, and from its lock file.

use std::process::Command;

use prefetch::domain::Sha256;

use crate::carrying::{pack, world};
use crate::support::{Index, Sandbox, Source, Wheel, judges};

#[test]
fn current_installers_take_the_lock_file() {
    let (index, sandbox) = (world(), Sandbox::new());
    let many = ["--python-version", "3.11,3.12", "--platform", "linux-x86_64,windows-x86_64"];
    sandbox.prefetch_from(&index, many).args(["other", "--bundle", "out.zip"]).assert().code(0);
    sandbox.prefetch(["unpack", "out.zip", "unpacked"]).assert().code(0);
    let lock = sandbox.path("unpacked/pylock.toml").display().to_string();
    let all = ["demo-12.0", "other-2.0"];
    judges().pip().install(Source::Links("."), ["-r", &lock]).assert_installed(all);
    judges().uv().install(Source::Links("."), ["-r", &lock]).assert_installed(all);
}

/// Returns a sandbox with a bundle of what `arguments` ask for, as `out.tar` and unpacked.
fn unpacked(arguments: &[&str]) -> Sandbox {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &[arguments, &["--bundle", "out.tar"]].concat());
    sandbox.prefetch(["unpack", "out.tar", "unpacked"]).assert().code(0);
    sandbox
}

/// What `sh install.sh environment` does on the judges' Python.
fn install(sandbox: &Sandbox, variables: &[(&str, &str)]) -> (bool, String) {
    install_into(sandbox, "environment", variables)
}

fn install_into(sandbox: &Sandbox, environment: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new("sh");
    command.args(["unpacked/install.sh", environment]).current_dir(sandbox.path("")).env_clear();
    command.env("PATH", format!("{}:/usr/bin:/bin", judges().bin().display())).env("PIP_CONFIG_FILE", "/dev/null");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

fn text(sandbox: &Sandbox, path: &str) -> String {
    String::from_utf8(sandbox.read(path)).unwrap()
}

fn imports(sandbox: &Sandbox, expression: &str) -> String {
    let mut python = Command::new(sandbox.path("environment/bin/python"));
    let output = python.args(["-c", &format!("import demo; print({expression})")]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_script_installs_and_refuses_what_was_altered() {
    let sandbox = unpacked(&["other"]);
    let (succeeded, told) = install(&sandbox, &[]);
    assert!(succeeded, "{told}");
    assert_eq!(imports(&sandbox, "demo.__version__"), "12.0");
    sandbox.write("unpacked/wheels/demo-12.0-py3-none-any.whl", Wheel::new("demo", "12.0").bytes());
    let (succeeded, told) = install(&sandbox, &[]);
    assert!(!succeeded && told.contains("demo-12.0-py3-none-any.whl was altered"), "{told}");
}

/// The list of digests is not signed itself. A `minisign` that is content with every copy stands for
/// a signature that is right; whoever may write to the bundle could swap what is judged where it lies.
#[cfg(unix)]
#[test]
fn the_script_holds_the_list_of_digests_against_the_signed_manifest() {
    let sandbox = unpacked(&["other"]);
    let minisign =
        sandbox.write("bin/minisign", "#!/bin/sh\ncase $2 in */unpacked/*) exit 1 ;; esac\n[ -s \"$2.minisig\" ]\n");
    std::fs::set_permissions(&minisign, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", minisign.parent().unwrap().display(), judges().bin().display());
    let environment = [("PREFETCH_PUBLIC_KEY", "key"), ("PATH", &path)];
    let (succeeded, told) = install(&sandbox, &environment);
    assert!(!succeeded && told.contains("prefetch.json.minisig is missing; nothing was installed"), "{told}");
    sandbox.write("unpacked/prefetch.json.minisig", "signature\n");
    let (succeeded, told) = install(&sandbox, &environment);
    assert!(succeeded, "{told}");
    let altered = Wheel::new("demo", "12.0").bytes();
    sandbox.write("unpacked/wheels/demo-12.0-py3-none-any.whl", &altered);
    let sums = text(&sandbox, "unpacked/SHA256SUMS");
    let replaced = sums.lines().map(|line| match line.split_once("  ") {
        Some((_, name)) if name.contains("demo") => format!("{}  {name}\n", Sha256::of(&altered)),
        _ => format!("{line}\n"),
    });
    sandbox.write("unpacked/SHA256SUMS", replaced.collect::<String>());
    let (succeeded, told) = install(&sandbox, &environment);
    assert!(!succeeded && told.contains("SHA256SUMS was altered"), "{told}");
}

#[cfg(unix)]
#[test]
fn the_script_tells_why_it_installs_nothing() {
    let sandbox = unpacked(&["other"]);
    let gone = sandbox.write("gone/bin/python", "#!/bin/sh\nexit 103\n");
    std::fs::set_permissions(&gone, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    sandbox.write("file", "");
    let sums = text(&sandbox, "unpacked/SHA256SUMS");
    let run = |arguments: &[&str], python: &str| {
        let mut command = Command::new("sh");
        command.arg("unpacked/install.sh").args(arguments).current_dir(sandbox.path("")).env_clear();
        let output = command.env("PATH", "/usr/bin:/bin").env("PYTHON", python).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, told) = run(&["--help"], "nothing");
    let lines: Vec<_> = told.lines().collect();
    assert_eq!((code, lines[0], lines.len()), (Some(0), "Installs this bundle without a network.", 8), "{told}");
    let python = judges().bin().join("python").display().to_string();
    for (sums, arguments, python, why) in [
        (sums.clone(), &["--unknown"][..], &*python, "--unknown is not understood; see install.sh --help"),
        (sums.clone(), &["environment", "more"], &python, "more is not understood; see install.sh --help"),
        (sums.clone(), &["environment"], "nothing", "there is no nothing; name an interpreter in the variable PYTHON"),
        (sums.clone(), &["gone"], &python, "the Python of gone does not run"),
        (sums.clone(), &["file/environment"], &python, &format!("{python} cannot make file/environment")),
        (format!("{sums}\n"), &["environment"], &python, "SHA256SUMS was altered; nothing was installed"),
        (String::new(), &["environment"], &python, "SHA256SUMS was altered; nothing was installed"),
        (
            sums.replace("prefetch.json", "other.json"),
            &["environment"],
            &python,
            "prefetch.json does not belong to the",
        ),
    ] {
        sandbox.write("unpacked/SHA256SUMS", sums);
        let (code, told) = run(arguments, python);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains(&format!("install.sh: {why}")), "{told}");
    }
    assert!(!sandbox.path("environment").exists());
}

#[test]
fn the_page_to_read_first_names_the_script_of_each_system() {
    let (index, sandbox) = (world(), Sandbox::new());
    let shell = "type\n\n    sh install.sh ENVIRONMENT\n\nor";
    let power_shell = "\n\n    powershell -ExecutionPolicy Bypass -File install.ps1 ENVIRONMENT\n\nor, from";
    for (platforms, expected, absent) in [
        ("linux-x86_64", format!("{shell}, from"), "powershell"),
        ("windows-x86_64", format!("type{power_shell}"), "sh install.sh"),
        ("linux-x86_64,windows-x86_64", format!("{shell} on Windows{power_shell}"), "TARGET"),
    ] {
        let mut command = sandbox.prefetch_from(&index, ["other", "--python-version", "3.11", "--bundle", "out/"]);
        command.args(["--platform", platforms]).assert().code(0);
        let readme = text(&sandbox, "out/README.txt");
        assert!(readme.contains(&expected) && !readme.contains(absent), "{readme}");
        std::fs::remove_dir_all(sandbox.path("out")).unwrap();
    }
}

/// For whom has a PowerShell, `tests/judges/power_shell_run.py` runs it.
#[test]
fn the_script_for_windows_is_power_shell_5_1() {
    let sandbox = unpacked(&["other", "--no-deps"]);
    let script = sandbox.path("unpacked/install.ps1");
    assert_eq!(judges().power_shell_faults(&script), "");
    let text = std::fs::read_to_string(&script).unwrap();
    assert_eq!(text.matches("\r\n").count(), text.matches('\n').count());
    for (from, to, told) in [
        ("exit $LASTEXITCODE", "exit 1 && exit 2", "came with PowerShell 7"),
        ("Join-Path $HOME", "Find-Path $HOME", "has `Find-Path`"),
        ("if (-not $Environment) {", "if (-not $Environment {", "is no PowerShell"),
        ("install.ps1:", "\u{e9}:", "ASCII"),
    ] {
        assert!(text.contains(from));
        let broken = sandbox.write("broken.ps1", text.replace(from, to));
        let faults = judges().power_shell_faults(&broken);
        assert!(faults.contains(told), "{faults}");
    }
}

/// Two releases of glibc look the same to markers, and get different versions.
#[test]
fn targets_that_no_marker_tells_apart_have_files_of_their_own() {
    let new = Wheel::new("demo", "2.0").tags("cp311-cp311-manylinux_2_34_x86_64");
    let index = Index::new().wheel("demo", "1.0").with(new).serve();
    let sandbox = Sandbox::new();
    let targets = ["--python-version", "3.11", "--platform", "manylinux_2_34_x86_64,manylinux_2_28_x86_64"];
    sandbox.prefetch_from(&index, targets).args(["demo", "--bundle", "out.tar"]).assert().code(0);
    sandbox.prefetch(["verify", "out.tar"]).assert().code(0);
    sandbox.prefetch(["unpack", "out.tar", "unpacked"]).assert().code(0);
    assert!(!sandbox.path("unpacked/pylock.toml").exists());
    let readme = String::from_utf8(sandbox.read("unpacked/README.txt")).unwrap();
    assert!(readme.contains("pip install -r FOLDER/requirements-cp311-manylinux_2_28_x86_64.txt"), "{readme}");
    let (succeeded, told) = install(&sandbox, &[]);
    assert!(!succeeded && told.contains("TARGET must name which of these this is: cp311-manylinux_2_"), "{told}");
    let (succeeded, told) = install(&sandbox, &[("TARGET", "cp311-manylinux_2_28_x86_64")]);
    assert!(succeeded, "{told}");
    assert_eq!(imports(&sandbox, "demo.__version__"), "1.0");
}

/// pip would leave out what only that target needs, and say that all is well.
#[test]
fn a_target_of_another_system_is_refused() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), Sandbox::new());
    let targets = ["--python-version", "3.11", "--platform", "linux-x86_64,windows-x86_64"];
    sandbox.prefetch_from(&index, targets).args(["demo", "--bundle", "unpacked/"]).assert().code(0);
    let (succeeded, told) = install(&sandbox, &[("TARGET", "cp311-win_amd64")]);
    let why = "TARGET is cp311-win_amd64, and this Python is 3.11 on linux; nothing was installed";
    assert!(!succeeded && told.contains(why), "{told}");
    assert!(!sandbox.path("environment").exists());
    let (succeeded, told) = install(&sandbox, &[("TARGET", "cp311-manylinux_2_28_x86_64")]);
    assert!(succeeded, "{told}");
}

/// Python would import what lies in the current folder, and pip would take what nobody listed.
#[test]
fn nothing_takes_part_that_the_bundle_does_not_list() {
    let sandbox = unpacked(&["other"]);
    let trap = format!("open({:?}, 'w')\n", sandbox.path("ran").display().to_string());
    let setuptools = Wheel::new("setuptools", "999").source(&trap).bytes();
    for (path, content) in [
        ("json.py", trap.as_bytes()),
        ("hashlib.py", trap.as_bytes()),
        ("venv.py", trap.as_bytes()),
        ("pip/__main__.py", trap.as_bytes()),
        ("wheels/setuptools-999-py3-none-any.whl", &setuptools),
    ] {
        let planted = sandbox.write(&format!("unpacked/{path}"), content);
        let mut command = Command::new("sh");
        command.args(["install.sh", "../environment"]).current_dir(sandbox.path("unpacked")).env_clear();
        let output = command.env("PATH", format!("{}:/usr/bin:/bin", judges().bin().display())).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        let expected = format!("{path} does not belong to the bundle; nothing was installed");
        assert!(output.status.code() == Some(1) && told.contains(&expected), "{told}");
        std::fs::remove_file(planted).unwrap();
    }
    let _ = std::fs::remove_dir(sandbox.path("unpacked/pip"));
    assert!(!sandbox.path("ran").exists() && !sandbox.path("environment").exists());
}

/// The Python of an environment would otherwise be the judge of the folder in which it lies.
#[cfg(unix)]
#[test]
fn an_environment_that_came_with_the_bundle_is_not_used() {
    let sandbox = unpacked(&["other"]);
    let trap = format!("#!/bin/sh\ntouch {}\n", sandbox.path("ran").display());
    let python = sandbox.write("unpacked/planted/bin/python", &trap);
    std::fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    sandbox.write("unpacked/planted/pyvenv.cfg", "");
    sandbox.write("unpacked/half/pyvenv.cfg", "");
    std::os::unix::fs::symlink("unpacked", sandbox.path("linked")).unwrap();
    std::fs::create_dir_all(sandbox.path("outside")).unwrap();
    std::fs::rename(sandbox.path("unpacked/planted"), sandbox.path("outside/planted")).unwrap();
    std::os::unix::fs::symlink("../outside/planted", sandbox.path("unpacked/planted")).unwrap();
    std::os::unix::fs::symlink("../outside", sandbox.path("unpacked/sub")).unwrap();
    let absolute = sandbox.path("unpacked/half").display().to_string();
    for environment in [
        "unpacked/planted",
        "unpacked/planted/",
        "unpacked/planted//",
        "unpacked/planted/.",
        "unpacked/sub/planted",
        "unpacked/half",
        "linked/half",
        "unpacked",
        &absolute,
    ] {
        let (succeeded, told) = install_into(&sandbox, environment, &[("VIRTUAL_ENV", "elsewhere")]);
        let expected =
            format!("install.sh: {environment} is there already, inside the bundle, and may have come with it");
        assert!(!succeeded && told.contains(&expected), "{told}");
    }
    assert!(!sandbox.path("ran").exists());
}

/// What a link leads to could be replaced after it was checked.
#[cfg(unix)]
#[test]
fn a_listed_file_that_is_a_link_is_refused() {
    let sandbox = unpacked(&["other"]);
    std::fs::rename(sandbox.path("unpacked/requirements.txt"), sandbox.path("elsewhere.txt")).unwrap();
    std::os::unix::fs::symlink("../elsewhere.txt", sandbox.path("unpacked/requirements.txt")).unwrap();
    let (succeeded, told) = install(&sandbox, &[]);
    assert!(!succeeded && told.contains("requirements.txt is a link; nothing was installed"), "{told}");
}

/// What the caller's shell, Python and pip are told must not turn the install: not even an environment
/// inside of the folder stands in its way.
#[test]
fn the_script_heeds_no_settings_of_the_caller() {
    let sandbox = unpacked(&["other"]);
    sandbox.prefetch(["unpack", "out.tar", "elsewhere/unpacked"]).assert().code(0);
    sandbox.write("elsewhere/unpacked/SHA256SUMS", "");
    let trap = sandbox.write("modules/json.py", "raise SystemExit('the module of the caller')");
    let configuration = sandbox.write("pip.conf", "[install]\ntarget = nowhere\n");
    let variables = [
        ("CDPATH", sandbox.path("elsewhere")),
        ("PYTHONPATH", trap.parent().unwrap().to_owned()),
        ("PIP_CONFIG_FILE", configuration),
        ("PIP_TARGET", sandbox.path("nowhere")),
        ("PIP_INDEX_URL", "https://index.example/simple".into()),
        ("PIP_CONSTRAINT", sandbox.path("none.txt")),
        ("PIP_NO_FIND_LINKS", "1".into()),
    ];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.to_str().unwrap()));
    let (succeeded, told) = install_into(&sandbox, "unpacked/environment", &variables);
    assert!(succeeded, "{told}");
    let environment = sandbox.path("unpacked/environment").display().to_string();
    let activated: Vec<_> = variables.into_iter().chain([("VIRTUAL_ENV", &*environment)]).collect();
    let (succeeded, told) = install_into(&sandbox, "unpacked/environment", &activated);
    assert!(succeeded, "{told}");
    assert!(sandbox.path("unpacked/environment/bin/python").exists() && !sandbox.path("nowhere").exists());
}

/// The judges' Python is none of them. Markers would let pip pass over every line.
#[test]
fn a_bundle_for_other_pythons_is_refused_in_words() {
    let old = Wheel::new("demo", "1.0").requires_python("<3.9");
    let index = Index::new().with(old).with(Wheel::new("demo", "2.0").requires_python(">=3.9")).serve();
    let sandbox = Sandbox::new();
    let targets = ["--python-version", "3.7,3.10", "--platform", "windows-x86_64"];
    sandbox.prefetch_from(&index, targets).args(["demo", "--bundle", "out.tar"]).assert().code(0);
    sandbox.prefetch(["unpack", "out.tar", "unpacked"]).assert().code(0);
    let (succeeded, told) = install(&sandbox, &[]);
    let expected = "and the bundle serves cp37-win_amd64, cp310-win_amd64; nothing was installed";
    assert!(!succeeded && told.contains(expected), "{told}");
    assert!(!sandbox.path("environment").exists());
    let lock = text(&sandbox, "unpacked/pylock.toml");
    assert!(lock.contains("environments = [\"python_version == '3.10' and sys_platform == 'win32' and "), "{lock}");
    for name in ["requirements.txt", "pylock.toml"] {
        let file = sandbox.path(format!("unpacked/{name}")).display().to_string();
        for verdict in [
            judges().pip().install(Source::Links("."), ["-r", &file]),
            judges().uv().install(Source::Links("."), ["-r", &file]),
        ] {
            assert!(!verdict.succeeded, "{}", verdict.output);
        }
    }
}

/// A delta has the script of the bundle that it becomes.
#[test]
fn a_delta_installs_nothing_and_says_so() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["demo", "--bundle", "old.tar"]);
    pack(&sandbox, &index, &["other", "--bundle", "delta.zip", "--since", "old.tar"]);
    let places = ["delta.zip", "unpacked"].map(|name| sandbox.path(name).display().to_string()).join("\n");
    let extract = "import sys, zipfile; a, b = sys.stdin.read().split('\\n'); zipfile.ZipFile(a).extractall(b)";
    judges().run_python(extract, &places);
    let (succeeded, told) = install(&sandbox, &[]);
    assert!(!succeeded && told.contains("make the new one: prefetch apply DELTA OLD -o NEW"), "{told}");
}
