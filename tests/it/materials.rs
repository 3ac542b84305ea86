//! Bills of materials: valid by the tools of their formats, of exactly the files inside, and the
//! same each time.

use std::collections::BTreeSet;

use prefetch::layout::License;
use serde_json::Value;

use crate::support::{Index, Published, Sandbox, Sdist, ServedIndex, Wheel, judges};

const TARGETS: [&str; 4] = ["--python-version", "3.11,3.12", "--platform", "linux-x86_64"];
const BILLS: [&str; 2] = ["out/sbom.cdx.json", "out/sbom.spdx.json"];

/// Licences of every kind, names and versions that need escaping, two versions of one project.
fn world() -> ServedIndex {
    let app = Wheel::new("App.Core", "1!2.0+local.1").requires("lib").requires("kit").requires("odd_one");
    let odd =
        Wheel::new("odd_one", "1.0").says("License: </script> \"Zoë's\" & 1").says("Summary: \\\\ \"odd\" \u{2028}");
    let lib = |version: &str| Wheel::new("lib", version).requires("app.core").says("License-Expression: MIT or Zlib");
    let old = Published::from(lib("1.0").requires_python("<3.12")).uploaded("2024-05-01T12:34:56.789Z");
    let new = Published::from(lib("2.0").requires_python(">=3.12")).uploaded("2025-06-01T00:00:00Z").yanked("broken");
    Index::new()
        .with(app.says("License-Expression: LicenseRef-Own AND BSD-3-Clause"))
        .with(odd)
        .with(old)
        .with(new)
        .with(Sdist::new("kit", "3.0").pyproject())
        .wheel("setuptools", "80.0")
        .with(Wheel::new("named", "1").says("Classifier: License :: OSI Approved :: MIT License"))
        .with(Wheel::new("worded", "1").says("License: BSD"))
        .serve()
}

const REQUIREMENTS: &str = "app.core\nlib==1.0; python_version < '3.12'\nlib==2.0; python_version >= '3.12'\n\
                            setuptools\nnamed\nworded\n";

fn pack(sandbox: &Sandbox, index: &ServedIndex, more: &[&str]) -> assert_cmd::Command {
    sandbox.write("requirements.txt", REQUIREMENTS);
    let mut command = sandbox.prefetch_from(index, ["-r", "requirements.txt", "--bundle", "out.tar"]);
    command.args(TARGETS).args(more);
    command
}

fn unpack(sandbox: &Sandbox, bundle: &str, folder: &str) {
    sandbox.prefetch(["unpack", bundle, folder]).assert().code(0);
}

#[test]
fn bills_are_valid_and_of_exactly_the_files_inside() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &["--sbom", "cyclonedx,spdx"]).assert().code(0);
    unpack(&sandbox, "out.tar", "out");
    assert_eq!(judges().sbom_faults(BILLS.map(|path| judged(&sandbox, &index, path)), ""), "");
    let inside: BTreeSet<_> = sandbox.files("out/wheels").iter().map(|name| index.sha256(name)).collect();
    let [cyclonedx, spdx] = BILLS.map(|path| sandbox.json(path));
    let files = |part: &Value| part["components"].as_array().unwrap().clone();
    let hashes =
        files(&cyclonedx).into_iter().flat_map(|part| files(&part)).map(|file| text(&file["hashes"][0]["content"]));
    assert_eq!(hashes.collect::<BTreeSet<_>>(), inside);
    let packages = spdx["packages"].as_array().unwrap();
    let sums = packages.iter().flat_map(|package| package["checksums"].as_array().cloned().unwrap_or_default());
    assert_eq!(sums.map(|sum| text(&sum["checksumValue"])).collect::<BTreeSet<_>>(), inside);
}

/// A copy for the judges: spdx-tools takes no URL whose host ends in no top-level domain.
fn judged(sandbox: &Sandbox, index: &ServedIndex, path: &str) -> String {
    let text = String::from_utf8(sandbox.read(path)).unwrap().replace(&index.root(), "https://files.example.org");
    sandbox.write(&path.replace("out/", "judged/"), text).display().to_string()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn licences_and_dependencies_are_where_the_formats_want_them() {
    let (index, sandbox) = (world(), Sandbox::new());
    pack(&sandbox, &index, &[]).assert().code(0);
    let bill = |format: &str| -> Value {
        let output = sandbox.prefetch(["inspect", "out.tar", "--sbom", format]).assert().code(0).get_output().clone();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (cyclonedx, spdx) = (bill("cyclonedx"), bill("spdx"));
    let component = |purl: &str| {
        let found = cyclonedx["components"].as_array().unwrap().iter().find(|each| each["purl"] == purl);
        found.unwrap_or_else(|| panic!("{purl} is not in {cyclonedx:#}")).clone()
    };
    let licenses = |purl: &str| component(purl)["licenses"][0].clone();
    assert_eq!(licenses("pkg:pypi/named@1")["license"]["id"], "MIT");
    assert_eq!(licenses("pkg:pypi/worded@1")["license"]["name"], "BSD");
    assert_eq!(licenses("pkg:pypi/lib@2.0")["expression"], "MIT OR Zlib");
    assert!(component("pkg:pypi/kit@3.0").get("licenses").is_none());
    let file = &component("pkg:pypi/app-core@1%212.0%2Blocal.1")["components"][0];
    assert!(
        file["purl"].as_str().unwrap().ends_with("&file_name=app_core-1%212.0%2Blocal.1-py3-none-any.whl"),
        "{file}"
    );
    let needs = |name: &str| {
        let of = cyclonedx["dependencies"].as_array().unwrap().iter().find(|each| each["ref"] == name).unwrap();
        of["dependsOn"].as_array().unwrap().iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(needs("pkg:pypi/lib@1.0"), ["pkg:pypi/app-core@1%212.0%2Blocal.1"]);
    assert!(needs("prefetch-bundle").contains(&"pkg:pypi/named@1".to_owned()));
    let on_one = "cp311-manylinux_2_28_x86_64 pkg:pypi/lib@1.0";
    assert_eq!(component("pkg:pypi/app-core@1%212.0%2Blocal.1")["properties"][0]["value"], on_one);
    let comments: Vec<_> =
        spdx["relationships"].as_array().unwrap().iter().filter_map(|each| each["comment"].as_str()).collect();
    let each = ["Targets: cp311-manylinux_2_28_x86_64", "Targets: cp312-manylinux_2_28_x86_64"];
    assert_eq!(comments, each, "a version of lib for each Python");
    let declared: BTreeSet<_> =
        spdx["packages"].as_array().unwrap().iter().map(|each| text(&each["licenseDeclared"])).collect();
    let expected = ["LicenseRef-Own AND BSD-3-Clause", "LicenseRef-stated-BSD", "MIT", "MIT OR Zlib", "NOASSERTION"];
    assert!(expected.iter().all(|license| declared.contains(*license)), "{declared:?}");
}

#[test]
fn bills_are_the_same_each_time_and_dated_by_what_is_inside() {
    let (index, first, second) = (world(), Sandbox::new(), Sandbox::new());
    pack(&first, &index, &["--sbom", "spdx", "--sbom", "cyclonedx"]).assert().code(0);
    pack(&second, &index, &["--sbom", "cyclonedx,spdx"]).env("TZ", "Asia/Tokyo").assert().code(0);
    assert!(first.read("out.tar") == second.read("out.tar"));
    unpack(&first, "out.tar", "out");
    let created = |sandbox: &Sandbox| sandbox.json(BILLS[1])["creationInfo"]["created"].clone();
    assert_eq!(created(&first), "2025-06-01T00:00:00Z");
    for (name, path) in ["cyclonedx", "spdx"].into_iter().zip(BILLS) {
        let printed =
            first.prefetch(["inspect", "out.tar", "--sbom", name]).assert().code(0).get_output().stdout.clone();
        assert!(printed == first.read(path), "{name}");
    }
    pack(&second, &index, &["--sbom", "spdx"]).env("SOURCE_DATE_EPOCH", "86400").assert().code(0);
    unpack(&second, "out.tar", "out");
    assert_eq!(created(&second), "1970-01-02T00:00:00Z");
    pack(&second, &index, &["--sbom", "spdx"]).env("SOURCE_DATE_EPOCH", "today").assert().code(2);
    pack(&second, &index, &["--sbom", "swid"]).assert().code(2);
}

#[test]
fn a_merged_bundle_has_the_bills_that_either_has() {
    let (index, sandbox) = (world(), Sandbox::new());
    let other = ["--python-version", "3.12", "--platform", "windows-x86_64", "named", "--bundle", "b.zip"];
    sandbox.prefetch_from(&index, other).assert().code(0);
    pack(&sandbox, &index, &["--sbom", "spdx"]).assert().code(0);
    sandbox.prefetch(["merge", "b.zip", "out.tar", "-o", "both.tar"]).assert().code(0);
    sandbox.prefetch(["verify", "both.tar"]).assert().code(0);
    unpack(&sandbox, "both.tar", "out");
    assert!(sandbox.path(BILLS[1]).exists() && !sandbox.path(BILLS[0]).exists());
    assert!(sandbox.read(BILLS[1]).windows(13).any(|part| part == b"cp312-win_amd"), "it is of all targets");
}

/// An identifier that the schema does not know yet would make a document invalid.
#[test]
fn every_licence_that_is_known_is_known_to_the_schema() {
    let licenses = spdx::identifiers::LICENSES.iter().map(|license| License::of(license.name));
    let identifiers: Vec<_> = licenses.filter_map(|license| license.id().map(str::to_owned)).collect();
    assert!(identifiers.len() > 600);
    assert_eq!(judges().sbom_faults(["--licenses".to_owned()], &identifiers.join("\n")), "");
}
