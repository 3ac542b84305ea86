//! `--show-settings`, and that the settings of pip and uv mean here what they mean there.

use crate::support::{Index, Sandbox};

fn sandbox() -> Sandbox {
    Sandbox::new().without_python()
}

/// Keeps pip's own configuration files of this machine out (`docs/facts/pip.md` 3.10).
const NO_FILES: (&str, &str) = ("PIP_CONFIG_FILE", "/dev/null");

fn shown(sandbox: &Sandbox, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = sandbox.prefetch([&["--show-settings"], arguments].concat());
    let output = command.envs([NO_FILES]).envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Value and source of a setting.
fn setting(listing: &str, name: &str) -> String {
    let line = listing.lines().find(|line| line.split_once(" = ").is_some_and(|(key, _)| key.trim() == name));
    line.unwrap_or_else(|| panic!("no {name} in:\n{listing}")).split_once(" = ").unwrap().1.to_owned()
}

#[test]
fn each_setting_says_where_it_comes_from() {
    let variables = [
        ("PREFETCH_RETRIES", "3"),
        ("PIP_RETRIES", "4"),
        ("PIP_TIMEOUT", "7"),
        ("PIP_EXTRA_INDEX_URL", "https://me:hunter2@a.example/simple\n  https://b.example/simple"),
        ("UV_INDEX_URL", "https://c.example/simple"),
        ("SSL_CERT_FILE", "/weak.pem"),
        ("NO_PROXY", "a.example"),
        ("UV_OFFLINE", "1"),
    ];
    let listing = shown(&sandbox(), &["-j", "4", "--trusted-host", "d.example"], &variables);
    for (name, expected) in [
        ("jobs", "4  (command line)"),
        ("trusted-host", "d.example  (command line)"),
        ("retries", "3  (PREFETCH_RETRIES)"),
        ("timeout", "7  (PIP_TIMEOUT)"),
        ("extra-index-url", "https://****@a.example/simple https://b.example/simple  (PIP_EXTRA_INDEX_URL)"),
        ("index-url", "https://c.example/simple  (UV_INDEX_URL)"),
        ("cert", "/weak.pem  (SSL_CERT_FILE)"),
        ("no-proxy", "a.example  (NO_PROXY)"),
        ("offline", "1  (UV_OFFLINE)"),
        ("refresh", "no  (default)"),
        ("proxy", "-  (default)"),
    ] {
        assert_eq!(setting(&listing, name), expected);
    }
}

/// The order of pip, seen in an experiment with pip 23.2.1 and 26.3; there, though, the first two
/// beat even what is typed.
#[test]
fn the_stronger_name_for_certificates_counts() {
    let sandbox = sandbox();
    let file = sandbox.write("pip.conf", "[global]\ncert = /5\n").display().to_string();
    let all = [
        ("PREFETCH_CERT", "/1"),
        ("REQUESTS_CA_BUNDLE", "/2"),
        ("CURL_CA_BUNDLE", "/3"),
        ("PIP_CERT", "/4"),
        ("PIP_CONFIG_FILE", &file),
        ("SSL_CERT_FILE", "/6"),
        ("SSL_CERT_DIR", "/7:/8"),
    ];
    let certificates = |variables: &[(&str, &str)]| setting(&shown(&sandbox, &[], variables), "cert");
    for (number, (name, value)) in all.iter().enumerate() {
        let expected = match *name {
            "PIP_CONFIG_FILE" => format!("/5  ({file} [global])"),
            "SSL_CERT_FILE" => "/6 /7:/8  (SSL_CERT_FILE SSL_CERT_DIR)".to_owned(),
            _ => format!("{value}  ({name})"),
        };
        assert_eq!(certificates(&all[number..]), expected);
    }
    assert_eq!(setting(&shown(&sandbox, &["--cert", "/0"], &all), "cert"), "/0  (command line)");
    assert_eq!(certificates(&[]), "the platform's  (default)");
}

#[test]
fn certificates_may_come_from_a_variable() {
    let index = Index::new().wheel("demo", "1.0").encrypted().serve();
    for variable in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "SSL_CERT_FILE"] {
        let sandbox = sandbox();
        let authority = sandbox.write("authority.pem", index.authority().unwrap());
        let arguments = ["demo", "--python-version", "3.12", "--platform", "linux-x86_64", "--index-url", &index.url()];
        sandbox.prefetch(arguments).envs([NO_FILES]).env(variable, authority).assert().code(0);
    }
}

/// As of OpenSSL: a folder of PEM files, in a list of folders that need not all be there.
#[test]
fn certificates_may_come_from_a_folder() {
    let index = Index::new().wheel("demo", "1.0").encrypted().serve();
    let sandbox = sandbox();
    sandbox.write("authorities/README", "no certificate");
    let authority = sandbox.write("authorities/0123abcd.0", index.authority().unwrap());
    let folder = authority.parent().unwrap().display();
    let arguments = ["demo", "--python-version", "3.12", "--platform", "linux-x86_64", "--index-url", &index.url()];
    for (variable, value) in
        [("SSL_CERT_DIR", format!("/nowhere:{folder}")), ("REQUESTS_CA_BUNDLE", folder.to_string())]
    {
        sandbox.prefetch(arguments).args(["--refresh"]).envs([NO_FILES]).env(variable, value).assert().code(0);
    }
    let output =
        sandbox.prefetch(arguments).arg("--refresh").envs([NO_FILES]).env("PIP_CERT", "/nowhere").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && told.contains("PIP_CERT") && told.contains("/nowhere"), "{told}");
}

/// Under a name of its own, a file counts before pip's other files and after variables.
#[test]
fn pips_configuration_file_counts() {
    let sandbox = sandbox();
    sandbox.write("pip.conf", "[global]\nretries = 8\n[download]\ntimeout = 9\nproxy = http://u:hunter2@p.example:1\n");
    let variables = [("PIP_CONFIG_FILE", "pip.conf"), ("PIP_RETRIES", "4")];
    let listing = shown(&sandbox, &[], &variables);
    assert_eq!(setting(&listing, "retries"), "4  (PIP_RETRIES)");
    let timeout = setting(&listing, "timeout");
    assert!(timeout.starts_with("9  (") && timeout.ends_with("pip.conf [download])"), "{timeout}");
    assert!(setting(&listing, "proxy").starts_with("http://****@p.example:1"));
}

#[test]
fn a_trusted_host_needs_no_certificate() {
    let index = Index::new().wheel("demo", "1.0").encrypted().serve();
    let arguments = ["demo", "--python-version", "3.12", "--platform", "linux-x86_64", "--index-url", &index.url()];
    sandbox().prefetch(arguments).env("PIP_TRUSTED_HOST", "x.example 127.0.0.1").assert().code(0);
}

#[test]
fn certificates_that_are_none_are_named() {
    let sandbox = sandbox();
    sandbox.write("empty.pem", "nothing");
    let index = Index::new().wheel("demo", "1.0").encrypted().serve();
    for (option, file) in [("--cert", "absent.pem"), ("--cert", "empty.pem"), ("--client-cert", "empty.pem")] {
        let arguments = ["demo", "--python-version", "3.12", "--platform", "linux-x86_64", "--index-url"];
        let output = sandbox.prefetch(arguments).args([&index.url(), option, file]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(file) && told.contains(option), "{told}");
    }
}

#[test]
fn a_requirements_file_may_be_a_setting() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), sandbox());
    sandbox.write("wanted.txt", "demo\n");
    let arguments = ["--python-version", "3.12", "--platform", "linux-x86_64", "--dry-run"];
    sandbox.prefetch_from(&index, arguments).env("PIP_REQUIREMENT", "wanted.txt").assert().code(0);
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_its_place() {
    let output = sandbox().prefetch(["demo", "--no-index"]).env("PIP_RETRIES", "many").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains("`many` in PIP_RETRIES"), "{told}");
}

/// Beside the usual variables; nobody listens where the proxy is said to be.
#[test]
fn what_is_exempt_is_asked_without_the_proxy() {
    let index = Index::new().wheel("demo", "1.0").serve();
    let arguments = ["demo", "--python-version", "3.12", "--platform", "linux-x86_64", "--index-url", &index.url()];
    let sandbox = sandbox();
    let outcome = |exempt: &str| {
        let variables =
            [("http_proxy", "http://127.0.0.1:9"), ("HTTP_PROXY", "http://127.0.0.1:19"), ("no_proxy", exempt)];
        let mut command = sandbox.prefetch(arguments);
        command.args(["--retries", "0", "--refresh"]).envs([NO_FILES]).envs(variables).output().unwrap().status.code()
    };
    for exempt in ["127.0.0.1", "*", "a.example, *", "127.0.0.0/8", "127.0.0.1:80"] {
        assert_eq!(outcome(exempt), Some(0), "{exempt}");
    }
    assert_eq!(outcome("a.example"), Some(4));
}

#[test]
fn targets_and_the_folder_may_come_from_variables() {
    let (index, sandbox) = (Index::new().wheel("demo", "1.0").serve(), sandbox());
    let variables = [("PIP_PLATFORM", "win_amd64 linux_x86_64"), ("PIP_PYTHON_VERSION", "3.12"), ("PIP_DEST", "there")];
    let mut command = sandbox.prefetch(["demo", "--index-url", &index.url(), "--report", "report.json"]);
    command.envs([NO_FILES]).envs(variables).assert().code(0);
    assert_eq!(sandbox.files("there"), ["demo-1.0-py3-none-any.whl"]);
    assert_eq!(sandbox.json("report.json")["targets"].as_array().unwrap().len(), 2);
}

#[test]
fn nobody_has_to_read_a_completion_script_to_its_end() {
    let sandbox = Sandbox::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = sandbox.process(["completions", "bash"]).stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(0));
}
