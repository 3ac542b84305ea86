//! Users and passwords: who gets them, and that nobody else ever sees them.

use std::fs;

use crate::support::{Fault, Index, Sandbox, ServedIndex, files_below};

const DEMO: &str = "demo-1.0-py3-none-any.whl";
const SECRET: &str = "hunter2";
const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

fn guarded() -> ServedIndex {
    Index::new().wheel("demo", "1.0").basic_auth("me", SECRET).serve()
}

fn sandbox() -> Sandbox {
    Sandbox::new().without_python()
}

/// Nothing that was printed, and no file of the run but those of `inputs`, holds the secret,
/// plain or as `Authorization` has it.
#[track_caller]
fn assert_kept(sandbox: &Sandbox, printed: &[u8], inputs: &[&str]) {
    let encoded = "aHVudGVyMg";
    let tells = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.contains(SECRET) || text.contains(encoded) || text.contains("bWU6aHVudGVyM")
    };
    assert!(!tells(printed), "{}", String::from_utf8_lossy(printed));
    let root = sandbox.path("..");
    for file in files_below(&root).iter().filter(|file| !inputs.iter().any(|input| file.ends_with(input))) {
        assert!(!tells(&fs::read(root.join(file)).unwrap()), "{file} holds the secret");
    }
}

const OUTPUTS: [&str; 9] = ["demo", "-v", "--report", "report.json", "--bundle", "out.zip", "-d", "out", "--layout"];

/// A run that writes everything that can be written, with every way to say things.
fn run(sandbox: &Sandbox, more: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, Vec<u8>) {
    let mut command = sandbox.prefetch([&OUTPUTS[..], &["simple"], &TARGET, more].concat());
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    (output.status.code(), [output.stdout, output.stderr].concat())
}

#[track_caller]
fn succeeds(sandbox: &Sandbox, more: &[&str], variables: &[(&str, &str)], inputs: &[&str]) {
    let (code, printed) = run(sandbox, more, variables);
    assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&printed));
    assert_kept(sandbox, &printed, inputs);
    assert!(files_below(&sandbox.path("out")).iter().any(|file| file.ends_with(DEMO)));
}

#[test]
fn credentials_of_a_url_stay_where_they_are() {
    let (index, sandbox) = (guarded(), sandbox());
    let url = format!("{}/simple/", index.root_at(&format!("me:{SECRET}@127.0.0.1")));
    succeeds(&sandbox, &["--index-url", &url], &[], &[]);
    succeeds(&sandbox, &["--progress", "json", "--refresh"], &[("PIP_INDEX_URL", &url)], &[]);
    let (code, printed) = run(&sandbox, &["--show-settings", "--index-url", &url], &[("PIP_PROXY", "u:hunter2@p:1")]);
    assert_eq!(code, Some(0));
    assert_kept(&sandbox, &printed, &[]);
}

#[test]
fn failures_do_not_tell_them_either() {
    for fault in [
        Fault::Status(404),
        Fault::Status(500),
        Fault::Closed,
        Fault::CutAfter(10),
        Fault::Bytes(vec![0; 9]),
        Fault::RedirectLoop,
        Fault::RedirectTo("ftp://x:hunter2@elsewhere.example/".into()),
    ] {
        for part in ["/simple/", "/files/"] {
            let (index, sandbox) = (guarded(), sandbox());
            index.fail(part, fault.clone());
            let url = format!("{}/simple/", index.root_at(&format!("me:{SECRET}@127.0.0.1")));
            let (code, printed) = run(&sandbox, &["--index-url", &url, "--retries", "0"], &[]);
            assert!(matches!(code, Some(3..=5)), "{fault:?}: {}", String::from_utf8_lossy(&printed));
            assert_kept(&sandbox, &printed, &[]);
        }
    }
}

#[test]
fn wrong_credentials_are_told_with_the_remedy() {
    let (index, sandbox) = (guarded(), sandbox());
    let url = format!("{}/simple/", index.root_at("me:wrong-one@127.0.0.1"));
    let (code, printed) = run(&sandbox, &["--index-url", &url], &[]);
    let told = String::from_utf8_lossy(&printed);
    assert_eq!(code, Some(4));
    assert!(told.contains("401") && told.contains("~/.netrc") && !told.contains("wrong-one"), "{told}");
    assert_eq!(index.requests().len(), 1);
}

#[test]
fn the_netrc_of_the_home_is_read() {
    for name in [".netrc", "_netrc"] {
        let (index, sandbox) = (guarded(), sandbox());
        sandbox.write(&format!("../home/{name}"), format!("machine 127.0.0.1\n  login me\n  password {SECRET}\n"));
        succeeds(&sandbox, &["--index-url", &index.url()], &[], &[name]);
    }
}

#[test]
fn the_netrc_that_is_named_counts_alone() {
    let (index, sandbox) = (guarded(), sandbox());
    sandbox.write("../home/.netrc", "machine 127.0.0.1 login me password wrong");
    sandbox.write("secrets", format!("default login me password {SECRET}"));
    succeeds(&sandbox, &["--index-url", &index.url()], &[("NETRC", "secrets")], &["secrets"]);
}

#[test]
fn a_netrc_that_cannot_be_read_is_told_without_its_words() {
    let (index, sandbox) = (guarded(), sandbox());
    sandbox.write("../home/.netrc", "machine 127.0.0.1 login me\nhunter2");
    let (code, printed) = run(&sandbox, &["--index-url", &index.url()], &[]);
    let told = String::from_utf8_lossy(&printed);
    assert_eq!(code, Some(4));
    assert!(told.contains(".netrc, line 2"), "{told}");
    assert_kept(&sandbox, &printed, &[".netrc"]);
}

#[test]
fn an_index_of_uvs_variables_has_its_own_login() {
    let (index, sandbox) = (guarded(), sandbox());
    let named = format!("my-own.one={}", index.url());
    let login = [("UV_INDEX_MY_OWN_ONE_USERNAME", "me"), ("UV_INDEX_MY_OWN_ONE_PASSWORD", SECRET)];
    for variable in ["UV_DEFAULT_INDEX", "UV_INDEX"] {
        let more: &[&str] = if variable == "UV_INDEX" { &["--index-url", "http://127.0.0.1:9/"] } else { &[] };
        succeeds(&sandbox, more, &[login[0], login[1], (variable, &named)], &[]);
    }
}

/// The command is found on `PATH` and run only where that is asked for.
#[cfg(unix)]
#[test]
fn the_keyring_is_asked_after_a_refusal() {
    use std::os::unix::fs::PermissionsExt;
    let (index, sandbox) = (guarded(), sandbox());
    let script = "#!/bin/sh\necho \"$@\" >>\"$HOME/asked\"\n[ \"$2 $3\" = '127.0.0.1 me' ] && echo hunter2\n";
    let keyring = sandbox.write("bin/keyring", script);
    fs::set_permissions(&keyring, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", sandbox.path("bin").display());
    let url = format!("{}/simple/", index.root_at("me@127.0.0.1"));
    let (code, _) = run(&sandbox, &["--index-url", &url], &[("PATH", &path)]);
    assert_eq!(code, Some(4));
    assert!(!sandbox.path("../home/asked").exists(), "nobody asked for the keyring");
    for more in [&["--keyring-provider", "subprocess"][..], &["--refresh"]] {
        let variables = [("PATH", path.as_str()), ("PIP_KEYRING_PROVIDER", "subprocess")];
        succeeds(&sandbox, &[&["--index-url", &url], more].concat(), &variables, &["bin/keyring"]);
    }
    let asked = String::from_utf8(sandbox.read("../home/asked")).unwrap();
    let expected = format!("get {}/simple/ me\n", index.root());
    assert!(asked.starts_with(&expected) && asked.ends_with("get 127.0.0.1 me\n"), "{asked}");
    assert_eq!(asked.lines().count(), 6, "once a run: {asked}");
}

#[test]
fn a_provider_that_is_none_is_refused() {
    let (code, _) = run(&sandbox(), &["--keyring-provider", "magic"], &[]);
    assert_eq!(code, Some(2));
}

#[test]
fn a_redirect_to_another_host_does_not_carry_them() {
    let (elsewhere, index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), guarded(), sandbox());
    index.fail("/simple/", Fault::RedirectTo(format!("{}demo/", elsewhere.url())));
    let url = format!("{}/simple/", index.root_at(&format!("me:{SECRET}@127.0.0.1")));
    succeeds(&sandbox, &["--index-url", &url], &[], &[]);
    let requests = elsewhere.requests();
    assert!(requests.len() > 1 && requests.iter().all(|request| request.header("authorization").is_none()));
    assert!(index.requests().iter().all(|request| request.header("authorization").is_some()));
}

/// The cache knows the page by the first address, for which nobody showed a password.
#[test]
fn a_page_for_a_password_behind_a_redirect_is_not_kept_for_others() {
    let (guarded, sandbox) = (guarded(), sandbox());
    let behind = format!("{}/simple/demo/", guarded.root_at("localhost"));
    let open = Index::new().wheel("demo", "1.0").failing("/simple/", Fault::RedirectTo(behind)).serve();
    sandbox.write("../home/.netrc", format!("machine localhost login me password {SECRET}"));
    let url = open.url();
    succeeds(&sandbox, &["--index-url", &url], &[], &["home/.netrc"]);
    sandbox.write("../home/.netrc", "");
    let (code, printed) = run(&sandbox, &["--index-url", &url, "--retries", "0"], &[]);
    let printed = String::from_utf8_lossy(&printed);
    assert!(code == Some(4) && printed.contains("401"), "{printed}");
}

/// A link and its target on one host are one place.
#[test]
fn a_redirect_on_the_same_host_keeps_them() {
    let (index, sandbox) = (guarded(), sandbox());
    let own = format!("{}/files/{DEMO}", index.root_at(&format!("me:{SECRET}@127.0.0.1")));
    index.fail("/files/elsewhere", Fault::RedirectTo(index.file_url(DEMO)));
    let requirement = format!("demo @ {}", own.replace(DEMO, &format!("elsewhere/{DEMO}")));
    let arguments = [&[requirement.as_str(), "--no-index", "-d", "out"], &TARGET[..]].concat();
    let output = sandbox.prefetch(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_kept(&sandbox, &[output.stdout, output.stderr].concat(), &[]);
}
