//! Builds that misbehave: bounded in time, output, network and disk, and nothing of them is left.

use std::process::{Child, Command, Output, Stdio};

use crate::support::{BUILDING_KIT, Sandbox, ServedIndex, index_with_kit, tell_unchecked};

fn world(during: &str) -> ServedIndex {
    index_with_kit(during).serve()
}

fn run(sandbox: &Sandbox, index: &ServedIndex, more: &[&str]) -> Output {
    sandbox.prefetch_from(index, ["kit", "--build-wheels", "missing"]).args(more).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_built_is_checked() {
    for (during, why) in [
        ("version = '4.0'", "its build says that it is `kit 4.0`, which its file name does not"),
        ("needs = 'third>=2'", "needs third>=2, and what was read of it before says other"),
        ("return 'kit-3.0-py3-none-any.whl'", "`kit-3.0-py3-none-any.whl` is no wheel"),
        ("return '../../kit.whl'", "`kit.whl` is no wheel"),
        ("os.mkfifo(folder + '/kit.whl'); return 'kit.whl'", "`kit.whl` is no wheel: it is no regular file"),
        ("os.symlink(__file__, folder + '/kit.whl'); return 'kit.whl'", "`kit.whl` is no wheel"),
        ("raise Exception('libpq-fe.h: No such file or directory')", "install libpq-dev (Debian, Ubuntu)"),
        ("sys.stdout.write('x' * 50000000); sys.exit(1)", "its build failed"),
    ] {
        let (index, sandbox) = (world(during), Sandbox::new());
        let output = run(&sandbox, &index, &[]);
        assert!(matches!(output.status.code(), Some(3 | 5)), "{}", told(&output));
        assert!(told(&output).contains(why) && told(&output).len() < 20_000, "{why}: {}", told(&output));
        assert!(sandbox.files("wheelhouse").is_empty());
    }
}

#[test]
fn a_build_that_takes_too_long_is_ended_and_leaves_nothing() {
    let (index, sandbox) = (world("print('asleep', flush=True); time.sleep(600)"), Sandbox::new());
    let output = run(&sandbox, &index, &["--build-timeout", "8"]);
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(told(&output).contains("its build was ended after 8 seconds"), "{}", told(&output));
    assert!(told(&output).contains("\n  asleep"), "{}", told(&output));
    assert_eq!(std::fs::read_dir(sandbox.cache().join("incoming-v1")).unwrap().count(), 0);
    assert!(sandbox.files("wheelhouse").is_empty());
}

/// Whether this machine lets `program` make namespaces: what builds are isolated with.
fn works(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).arg("/bin/true").output();
    output.is_ok_and(|output| output.status.success())
}

fn closes_network() -> bool {
    works("/usr/bin/unshare", &["--net", "--"])
        || works("/usr/bin/unshare", &["--user", "--map-current-user", "--net", "--"])
}

fn has_bubblewrap() -> bool {
    works("/usr/bin/bwrap", &["--unshare-net", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "--"])
}

fn ends_all_processes() -> bool {
    let options = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];
    has_bubblewrap()
        || works("/usr/bin/unshare", &options)
        || works("/usr/bin/unshare", &[&["--user", "--map-current-user"], &options[..]].concat())
}

/// The programs of build requirements come first (PEP 517), and nothing that is the user's alone comes at all.
#[test]
fn a_build_sees_its_own_programs_and_no_secrets() {
    let during = "assert os.environ['PATH'].split(os.pathsep)[0] == os.path.dirname(sys.executable), os.environ['PATH']\n    \
                  seen = [name for name, value in os.environ.items() if 'hunter2' in value]; assert not seen, seen; \
                  assert os.environ['CFLAGS'] == '-O1'";
    let secrets = ["PREFETCH_KEY_PASSWORD", "TWINE_PASSWORD", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "GITHUB_TOKEN"];
    let (index, sandbox) = (world(during), Sandbox::new());
    let mut command = sandbox.prefetch_from(&index, ["kit", "--build-wheels", "missing"]);
    command.envs(secrets.map(|name| (name, "hunter2"))).env("MY_MIRROR", "https://me:hunter2@index.example/");
    let output = command.env("CFLAGS", "-O1").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn no_build_reaches_the_network() {
    if !closes_network() {
        return tell_unchecked("this machine lets no program make a network namespace");
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let connect = format!("socket.create_connection({:?}, 5)", ("127.0.0.1", listener.local_addr().unwrap().port()));
    let output = run(&Sandbox::new(), &world(&connect), &[]);
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(told(&output).contains("kit-3.0.tar.gz: its build failed; its last words:"), "{}", told(&output));
    assert!(listener.accept().is_err(), "nobody came");
    let output = run(&Sandbox::new(), &world("socket.create_connection(('index.example', 443), 5)"), &[]);
    assert!(told(&output).contains("it wants the network, which no build gets here"), "{}", told(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn a_build_in_bubblewrap_writes_nowhere_else() {
    if !has_bubblewrap() {
        return tell_unchecked("bubblewrap is missing, or may make no namespaces");
    }
    let sandbox = Sandbox::new();
    let elsewhere = sandbox.path("elsewhere");
    let output = run(&sandbox, &world(&format!("open({elsewhere:?}, 'w')")), &[]);
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(told(&output).contains("Read-only file system"), "{}", told(&output));
    assert!(!elsewhere.exists());
}

/// A pipe that builds open, by which tests see them begin and end.
#[cfg(unix)]
fn make_pipe(sandbox: &Sandbox, name: &str) -> std::path::PathBuf {
    let path = sandbox.path(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// Reads a pipe until nobody has it open for writing any more.
#[cfg(unix)]
fn read_to_end(pipe: &std::path::Path) -> String {
    std::fs::read_to_string(pipe).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_build_starts_ends_with_it() {
    if !ends_all_processes() {
        return tell_unchecked("this machine lets no program make a namespace of processes");
    }
    let sandbox = Sandbox::new();
    let pipe = make_pipe(&sandbox, "pipe");
    // In a session of its own, so that no signal to the group of the build reaches it.
    let script = format!(
        "import time; pipe = open({pipe:?}, 'w'); print('up', flush=True); time.sleep(60); pipe.write('alive')"
    );
    let during = format!(
        "subprocess.Popen([sys.executable, '-c', {script:?}], start_new_session=True, stdout=subprocess.PIPE)\
         .stdout.readline()"
    );
    let index = world(&during);
    let reader = std::thread::spawn(move || read_to_end(&pipe));
    let output = run(&sandbox, &index, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(reader.join().unwrap(), "");
}

#[cfg(unix)]
fn start(sandbox: &Sandbox, index: &ServedIndex, folder: &str) -> Child {
    let arguments = ["kit", "--build-wheels", "missing", "-d", folder, "--index-url", &index.url()];
    sandbox.process(arguments).stderr(Stdio::piped()).spawn().unwrap()
}

/// Reads what a run says until a line has `words`; returns the rest of its output.
#[cfg(unix)]
fn wait_for(run: &mut Child, words: &str) -> impl std::io::BufRead + use<> {
    use std::io::BufRead as _;
    let mut lines = std::io::BufReader::new(run.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the run ended before `{words}`");
    }
    lines
}

/// During the build a pipe is read, so that it ends when the test says so.
#[cfg(unix)]
#[test]
fn two_runs_build_an_archive_once() {
    let sandbox = Sandbox::new();
    let pipe = make_pipe(&sandbox, "pipe");
    let index = world(&format!("open({pipe:?}).read()"));
    let mut first = start(&sandbox, &index, "one");
    let first_lines = wait_for(&mut first, BUILDING_KIT);
    let mut second = start(&sandbox, &index, "two");
    let second_lines = wait_for(&mut second, "Waiting for another build of kit-3.0.tar.gz …");
    std::fs::write(&pipe, "go on").unwrap();
    let rest = |mut lines: Box<dyn std::io::BufRead>| {
        let mut text = String::new();
        lines.read_to_string(&mut text).unwrap();
        text
    };
    let (first_rest, second_rest) = (rest(Box::new(first_lines)), rest(Box::new(second_lines)));
    assert!(first.wait().unwrap().success(), "{first_rest}");
    assert!(second.wait().unwrap().success(), "{second_rest}");
    assert!(!second_rest.contains("Building"), "{second_rest}");
    assert_eq!(sandbox.files("one"), sandbox.files("two"));
    assert_eq!(std::fs::read_dir(sandbox.cache().join("incoming-v1")).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_run_takes_its_build_with_it_and_holds_no_lock() {
    let sandbox = Sandbox::new();
    let [up, go] = ["up", "go"].map(|name| make_pipe(&sandbox, name));
    let index = world(&format!("pipe = open({up:?}, 'w'); pipe.write('up'); pipe.flush(); open({go:?}).read()"));
    let mut first = start(&sandbox, &index, "one");
    let mut pipe = std::fs::File::open(&up).unwrap();
    std::io::Read::read_exact(&mut pipe, &mut [0; 2]).unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    if ends_all_processes() {
        // The build would have it open as long as it lives.
        assert_eq!(std::io::read_to_string(&mut pipe).unwrap(), "");
    }
    let mut second = start(&sandbox, &index, "two");
    let lines = wait_for(&mut second, BUILDING_KIT);
    std::io::Read::read_exact(&mut std::fs::File::open(&up).unwrap(), &mut [0; 2]).unwrap();
    std::fs::write(&go, "go on").unwrap();
    let rest = std::io::read_to_string(lines).unwrap();
    assert!(second.wait().unwrap().success(), "{rest}");
    assert_eq!(sandbox.files("two"), ["kit-3.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"]);
    assert_eq!(std::fs::read_dir(sandbox.cache().join("incoming-v1")).unwrap().count(), 0);
}
