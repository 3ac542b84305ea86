//! The main job: what a requirements file names comes from the index into a folder, once.

use serde_json::{Value, json};

use crate::support::{Fault, Index, Sandbox, Sdist, ServedIndex, Wheel};

const DEMO: &str = "demo-1.0-py3-none-any.whl";
const OTHER: &str = "other-2.0-py3-none-any.whl";
const TARGET: [&str; 4] = ["--python-version", "3.12", "--platform", "linux-x86_64"];

fn world() -> ServedIndex {
    Index::new().wheel("demo", "1.0").wheel("demo", "1.1").wheel("other", "2.0").sdist("other", "2.0").serve()
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "demo==1.0\nOther==2.0  # the newest\n");
    sandbox
}

fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["-r", "requirements.txt"], TARGET.as_slice(), more].concat()
}

#[test]
fn pinned_files_come_into_the_folder() {
    let (index, sandbox) = (world(), sandbox());
    sandbox.prefetch_from(&index, arguments(&[])).assert().code(0).stdout("");
    assert_eq!(sandbox.files("wheelhouse"), [DEMO, OTHER]);
    assert_eq!(sandbox.read(&format!("wheelhouse/{DEMO}")), index.bytes(DEMO));
    assert_eq!(index.requests_for_files().len(), 2);
}

#[test]
fn a_run_without_a_target_serves_the_python_on_the_path() {
    let (index, sandbox) = (world(), sandbox());
    sandbox.prefetch_from(&index, ["-r", "requirements.txt"]).assert().code(0);
    assert_eq!(sandbox.files("wheelhouse"), [DEMO, OTHER]);
}

#[test]
fn what_is_held_is_not_fetched_again() {
    let (index, sandbox) = (world(), sandbox());
    sandbox.prefetch_from(&index, arguments(&[])).assert().code(0);
    index.forget_requests();
    sandbox.prefetch_from(&index, arguments(&["-d", "again"])).assert().code(0);
    assert_eq!(sandbox.files("again"), [DEMO, OTHER]);
    assert_eq!(index.requests_for_files().len(), 0);
}

#[test]
fn a_held_plan_needs_no_network_when_told_so() {
    let (index, sandbox) = (world(), sandbox());
    sandbox.prefetch_from(&index, arguments(&[])).assert().code(0);
    index.forget_requests();
    sandbox.prefetch_from(&index, arguments(&["--offline", "-d", "again"])).assert().code(0);
    assert_eq!(sandbox.files("again"), [DEMO, OTHER]);
    assert!(index.requests().is_empty());
}

#[test]
fn a_dry_run_reports_and_writes_nothing() {
    let (index, sandbox) = (world(), sandbox());
    let output = sandbox.prefetch_from(&index, arguments(&["--dry-run", "--report", "-"])).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["packages"][0]["files"][0]["status"], "planned");
    assert!(sandbox.files("wheelhouse").is_empty() && index.requests_for_files().is_empty());
}

#[test]
fn a_dry_run_prints_its_plan_largest_first() {
    let large = Wheel::new("large", "1.0").padding(300_000);
    let (index, sandbox) =
        (Index::new().wheel("demo", "1.0").with(large).wheel("other", "1.0").serve(), Sandbox::new());
    sandbox.prefetch_from(&index, ["other"]).assert().code(0);
    let run = |arguments: &[&str]| {
        let mut command = sandbox.prefetch_from(&index, ["demo", "large", "other", "--dry-run", "-vv"]);
        command.args(arguments).assert().code(0).get_output().clone()
    };
    let output = run(&[]);
    let plan = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = plan.lines().collect();
    assert!(lines[0].contains("KiB  fetch   large-1.0-py3-none-any.whl"), "{plan}");
    assert!(lines[1..3].iter().any(|line| line.contains("cached  other-1.0-py3-none-any.whl")), "{plan}");
    assert!(plan.contains("To fetch:      2 files (") && plan.contains("are free"), "{plan}");
    assert!(plan.contains("In the cache:  1 file ("), "{plan}");
    assert!(!String::from_utf8(output.stderr).unwrap().contains("large-1.0"));
    let output = run(&["--report", "-"]);
    serde_json::from_slice::<Value>(&output.stdout).unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("large-1.0-py3-none-any.whl"));
}

#[test]
fn a_mistyped_project_is_told_by_its_likeness() {
    let (index, sandbox) = (world(), Sandbox::new());
    let output = sandbox.prefetch_from(&index, ["requets"]).assert().code(3).get_output().clone();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("hint: did you mean `requests`?"), "{told}");
}

#[test]
fn the_report_has_the_keys_of_schema_1() {
    let (index, sandbox) = (world(), sandbox());
    sandbox.prefetch_from(&index, arguments(&["--report", "new/report.json"])).assert().code(0);
    let report = sandbox.json("new/report.json");
    assert_eq!(report["schema"], 1);
    assert_eq!(report["targets"][0]["id"], "cp312-manylinux_2_28_x86_64");
    let package = &report["packages"][1];
    assert_eq!((&package["name"], &package["version"]), (&json!("other"), &json!("2.0")));
    assert_eq!(package["requested_by"], json!(["requirements.txt:2"]));
    let file = &package["files"][0];
    assert_eq!(file["filename"], OTHER);
    assert_eq!(file["url"], index.file_url(OTHER));
    assert_eq!(file["sha256"], index.sha256(OTHER));
    assert_eq!(file["size"], index.bytes(OTHER).len());
    assert_eq!(file["targets"], json!(["cp312-manylinux_2_28_x86_64"]));
    assert_eq!(file["status"], "downloaded");
    assert_eq!((&report["summary"]["files"], &report["problems"]), (&json!(2), &json!([])));
}

/// pip learns the project from the archive, which is called after it.
#[test]
fn an_archive_needs_no_name_beside_its_own() {
    let (index, sandbox) = (world(), Sandbox::new());
    sandbox.write("local-1.0.tar.gz", Sdist::new("local", "1.0").bytes());
    sandbox.write("requirements.txt", format!("{}\n./local-1.0.tar.gz\n", index.file_url("other-2.0.tar.gz")));
    sandbox.prefetch_from(&index, arguments(&[])).assert().code(0);
    assert_eq!(sandbox.files("wheelhouse"), ["local-1.0.tar.gz", "other-2.0.tar.gz", "requirements.txt"]);
    sandbox.write("wrong-1.0.tar.gz", Sdist::new("local", "1.0").bytes());
    sandbox.write("requirements.txt", "./wrong-1.0.tar.gz\n");
    let told = sandbox.prefetch_from(&index, arguments(&[])).assert().code(3);
    assert!(String::from_utf8_lossy(&told.get_output().stderr).contains("its metadata is of"), "{told}");
}

#[test]
fn a_short_outage_is_overcome() {
    let (index, sandbox) = (world(), sandbox());
    index.fail_times("/simple/demo/", 1, Fault::Status(503));
    index.fail_times(DEMO, 1, Fault::CutAfter(100));
    sandbox.prefetch_from(&index, arguments(&[])).assert().code(0);
    assert_eq!(sandbox.read(&format!("wheelhouse/{DEMO}")), index.bytes(DEMO));
}

/// Small files as many as pages.
#[test]
fn at_most_as_many_files_at_once_as_allowed() {
    for (size, at_once) in [(300 << 10, 2), (0, 6)] {
        let names: Vec<_> = (0..8).map(|number| format!("p{number}")).collect();
        let wheel = |name: &String| Wheel::new(name, "1").padding(size);
        let index = names.iter().map(wheel).fold(Index::new(), Index::with);
        let index = index.failing("-py3-none-any.whl", Fault::HangAfter(10)).serve();
        let sandbox = Sandbox::new();
        sandbox.write("requirements.txt", names.join("==1\n") + "==1\n");
        let url = index.url();
        let arguments = arguments(&["--no-deps", "--quiet", "--jobs", "2", "--index-url", &url]);
        let mut process = sandbox.process(arguments).spawn().unwrap();
        index.wait_for(".whl", at_once);
        assert_eq!(index.requests_for_files().len(), at_once, "{size}");
        index.release();
        assert!(process.wait().unwrap().success());
        assert_eq!(sandbox.files("wheelhouse").len(), 8);
    }
}

#[test]
fn an_encrypted_index_is_asked_over_few_connections() {
    let names: Vec<_> = (0..40).map(|number| format!("demo{number}")).collect();
    let index = names.iter().fold(Index::new(), |index, name| index.wheel(name, "1.0")).encrypted().serve();
    Sandbox::new().prefetch_from(&index, &names).assert().code(0);
    // Hyper opens one more now and then, while the first is busy with another request.
    assert!(index.connections() < names.len() / 2, "{}", index.connections());
    assert!(index.requests().iter().all(|request| request.protocol == "HTTP/2.0"), "{:#?}", index.requests());
}

#[test]
fn credentials_reach_the_index_and_nothing_else() {
    let index = Index::new().wheel("demo", "1.0").wheel("other", "2.0").basic_auth("user", "sesame").serve();
    let sandbox = sandbox();
    let url = format!("{}/simple/", index.root_at("user:sesame@127.0.0.1"));
    let more = ["--index-url", &url, "--report", "report.json", "--bundle", "out.tar", "-v", "-d", "wheelhouse"];
    let output = sandbox.prefetch(arguments(&more)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = [output.stdout, output.stderr, sandbox.read("report.json"), sandbox.read("out.tar")].concat();
    assert!(!String::from_utf8_lossy(&written).contains("sesame"));
}

/// As pip 26.3 does, asked with these wheels: what was decided gives way to who needs it older.
#[test]
fn of_two_that_cannot_both_be_new_the_one_that_needs_the_other_is() {
    let index = Index::new().wheel("a", "1.0").wheel("b", "1.0").wheel("b", "2.0");
    let index = index.with(Wheel::new("a", "2.0").requires("b<2")).serve();
    for lines in ["b\na\n", "a\nb\n"] {
        let sandbox = Sandbox::new();
        sandbox.write("requirements.txt", lines);
        sandbox.prefetch_from(&index, arguments(&[])).assert().code(0);
        assert_eq!(sandbox.files("wheelhouse"), ["a-2.0-py3-none-any.whl", "b-1.0-py3-none-any.whl"]);
    }
}

/// Where neither a metadata file nor a range tells what wheels need, a search down their list is
/// not hurried: it fetches those that it comes to, and no others.
#[test]
fn what_is_only_guessed_at_is_never_fetched_whole() {
    let mut index = Index::new().wheel("base", "1.0").without_sidecars().without_ranges();
    for minor in 0..12 {
        let needs = if minor <= 5 { "base" } else { "base>=2" };
        index = index.with(Wheel::new("app", &format!("1.{minor}")).requires(needs));
    }
    let (index, sandbox) = (index.serve(), Sandbox::new());
    let arguments = [&["app", "--report", "report.json"], TARGET.as_slice()].concat();
    sandbox.prefetch_from(&index, arguments).assert().code(0);
    assert_eq!(sandbox.json("report.json")["packages"][0]["version"], "1.5");
    let requests = index.requests_for_files();
    let whole = requests.iter().filter(|request| request.header("range").is_none() && request.path.contains("app-"));
    assert_eq!(whole.count(), 7, "{requests:?}");
}

#[test]
fn a_search_down_a_list_of_wheels_asks_for_several_at_once() {
    let mut index = Index::new().wheel("base", "1.0").without_sidecars();
    for minor in 0..40 {
        index = index.with(Wheel::new("app", &format!("1.{minor}")).requires("base>=2"));
    }
    let (index, sandbox) = (index.failing("app-1.20-", Fault::HangAfter(10)).serve(), Sandbox::new());
    let mut child =
        sandbox.process(["app", "--index-url", &index.url(), "--timeout", "600"]).args(TARGET).spawn().unwrap();
    index.wait_for("app-1.15-", 1);
    child.kill().unwrap();
    child.wait().unwrap();
}
