//! Tests that a manifest is portable, and can be read back into what it was made from.

use std::sync::Arc;

use crate::domain::{
    Fetched, Origin, ProjectSummary, Question, Requirement, SelectionPolicy, Source, Target, TargetSpec,
    TargetedQuestion, Timestamp,
};

use super::super::{BundleInput, ProjectSummaries, Sboms};
use super::*;
use crate::layout::test_fixtures::{fetched, file, package};

fn world() -> Fetched {
    let mut local = file("demo-1.0.zip", b"source");
    local.link.url = "file:///home/me/demo-1.0.zip".parse().unwrap();
    local.link.index = Arc::new("file:///home/me/".parse().unwrap());
    let mut wheel = file("demo-1.0-py3-none-any.whl", b"wheel");
    wheel.link.uploaded = Some(Timestamp(1_714_566_896));
    let mut demo = package("demo", "1.0", vec![local, wheel]);
    demo.dependencies = ["b", "a"].map(|name| (name.parse().unwrap(), Vec::new())).into_iter().collect();
    demo.requested_by.insert(0, Origin { file: "/home/me/requirements.txt".into(), line: 7 });
    fetched(vec![package("zest", "2.0", vec![]), demo])
}

#[test]
fn the_text_is_sorted_and_tells_no_secret_and_no_machine() {
    let text = String::from_utf8(manifest(&world(), &[]).to_json()).unwrap();
    for secret in ["me", "pw", "home"] {
        assert!(!text.contains(&format!("{secret}:")) && !text.contains(&format!("/{secret}/")), "{text}");
    }
    let expected = r#"{
  "schema": 1,
  "requests": [],
  "targets": [],
  "packages": [
    {
      "name": "demo",
      "version": "1.0",
      "summary": "A demo",
      "license": "MIT",
      "requested_by": [
        "requirements.txt:1",
        "requirements.txt:7"
      ],
      "dependencies": [
        "a",
        "b"
      ],
      "files": [
        {
          "filename": "demo-1.0-py3-none-any.whl",
          "path": "wheels/demo-1.0-py3-none-any.whl",
          "size": 5,
          "sha256": "ba59926159d2aa256eb8739b8da7e2b574b960e1202c6d624cbe981cef996c91",
          "url": "https://files.example/demo-1.0-py3-none-any.whl",
          "index": "https://index.example/simple/",
          "requires_python": null,
          "uploaded": "2024-05-01T12:34:56Z",
          "yanked": null,
          "targets": []
        },
        {
          "filename": "demo-1.0.zip",
          "path": "wheels/demo-1.0.zip",
          "size": 6,
          "sha256": "41cf6794ba4200b839c53531555f0f3998df4cbb01a4d5cb0b94e3ca5e23947d",
          "url": null,
          "index": null,
          "requires_python": null,
          "uploaded": null,
          "yanked": null,
          "targets": []
        }
      ]
    },
    {
      "name": "zest",
      "version": "2.0",
      "summary": null,
      "license": null,
      "requested_by": [
        "requirements.txt:1"
      ],
      "dependencies": [],
      "files": []
    }
  ],
  "pages": []
}
"#;
    assert_eq!(text, expected);
}

#[test]
fn what_was_written_can_be_read_and_other_schemas_are_refused() {
    let manifest = manifest(&world(), &[]);
    assert_eq!(Manifest::from_json(&manifest.to_json()).unwrap(), manifest);
    let later = br#"{"schema": 2, "contents": []}"#;
    assert!(matches!(Manifest::from_json(later), Err(ManifestError::Schema(2))));
    assert!(matches!(Manifest::from_json(b"{}"), Err(ManifestError::Malformed(_))));
}

fn manifest(world: &Fetched, questions: &[TargetedQuestion]) -> Manifest {
    let project_summary = ProjectSummary { license: Some("MIT".into()), summary: Some("A demo".into()) };
    let summaries = ProjectSummaries::from([(crate::domain::Sha256::of(b"wheel"), project_summary)]);
    Manifest::of(&BundleInput {
        fetched: world,
        questions,
        summaries: &summaries,
        sboms: &Sboms::default(),
        project: None,
    })
}

fn target(python: &str) -> Arc<Target> {
    let spec = TargetSpec {
        python: Some(python.parse().unwrap()),
        platform: Some("linux-x86_64".parse().unwrap()),
        ..TargetSpec::default()
    };
    Arc::new(spec.resolve(None).unwrap())
}

fn requirement(name: &str, source: Source) -> Requirement {
    let origin = Origin { file: "/home/me/requirements.txt".into(), line: 7 };
    Requirement {
        extras: vec!["fast".parse().unwrap()],
        marker: "python_version >= '3.9'".parse().unwrap(),
        hashes: vec!["sha512:ab".parse().unwrap()],
        ..Requirement::named(name.parse().unwrap(), source, origin)
    }
}

#[test]
fn what_was_asked_comes_back_as_it_holds_in_the_bundle() {
    let sources = [
        Source::Index(">=1.0,<2".parse().unwrap()),
        Source::Url("https://me:pw@files.example/a%20b/demo-1.0.zip#sha256=ab".parse().unwrap()),
        Source::Archive("/home/me/my demo.zip".into()),
    ];
    let mut question = Question {
        requirements: sources.map(|source| requirement("demo", source)).into(),
        follow_dependencies: true,
        ..Question::default()
    };
    question.policy.formats.only_binary(":all:").unwrap();
    question.policy.formats.no_binary("demo").unwrap();
    question.policy.releases.pre();
    let world = Fetched { targets: vec![target("3.12"), target("3.13")], ..world() };
    let manifest = manifest(&world, &[question.clone().for_targets(vec![0, 1])]);
    let again = Manifest::from_json(&manifest.to_json()).unwrap();
    assert!(!String::from_utf8(again.to_json()).unwrap().contains("home"));
    for requirement in &mut question.requirements {
        requirement.origin.file = "requirements.txt".into();
    }
    for (position, path) in [(1, "bundle:///wheels/demo-1.0.zip"), (2, "bundle:///wheels/my%20demo.zip")] {
        question.requirements[position].source = Source::Url(path.parse().unwrap());
    }
    question.requirements[1].hashes.push("sha256:ab".parse().unwrap());
    assert_eq!(again.to_questions().unwrap(), [question.for_targets(vec![0, 1])]);
    let ids: Vec<_> = again.to_targets().unwrap().iter().map(|target| target.id().to_owned()).collect();
    assert_eq!(ids, ["cp312-manylinux_2_28_x86_64", "cp313-manylinux_2_28_x86_64"]);
}

#[test]
fn options_come_back_whatever_is_said_of_all() {
    let mut binary = SelectionPolicy::default();
    binary.formats.only_binary(":all:").unwrap();
    binary.formats.no_binary("demo").unwrap();
    binary.releases.only_final("demo").unwrap();
    binary.releases.all_releases("other").unwrap();
    let mut source = SelectionPolicy::default();
    source.formats.no_binary(":all:").unwrap();
    source.formats.only_binary("demo").unwrap();
    source.releases.only_final(":all:").unwrap();
    source.releases.all_releases("demo").unwrap();
    let questions = [binary, source]
        .map(|policy| TargetedQuestion { question: Question { policy, ..Question::default() }, targets: Vec::new() });
    let again = Manifest::from_json(&manifest(&world(), &questions).to_json()).unwrap();
    assert_eq!(again.to_questions().unwrap(), questions);
}

/// `demo` serves both targets and needs `a` on both, `b` on the second.
#[test]
fn what_some_targets_need_is_told_apart() {
    let mut world = Fetched { targets: vec![target("3.12"), target("3.13")], ..world() };
    let demo = &mut world.packages[1];
    demo.files.iter_mut().for_each(|file| file.targets = vec![0, 1]);
    demo.dependencies =
        [("a", vec![0, 1]), ("b", vec![1])].map(|(name, on)| (name.parse().unwrap(), on)).into_iter().collect();
    let edges = demo.dependencies.clone();
    let mut manifest = manifest(&world, &[]);
    let demo = &manifest.packages[0];
    assert_eq!(demo.dependencies, ["a", "b"]);
    assert_eq!(demo.dependency_targets, [("b".to_owned(), vec!["cp313-manylinux_2_28_x86_64".to_owned()])].into());
    assert_eq!(manifest.to_fetched().unwrap().packages[0].dependencies, edges);
    let older = String::from_utf8(manifest.to_json()).unwrap().replace("dependency_targets", "unknown_to_newer_ones");
    let older = Manifest::from_json(older.as_bytes()).unwrap().to_fetched().unwrap();
    assert_eq!(older.packages[0].dependencies.partial(&[0, 1]).count(), 0, "an older manifest knows of no difference");
    manifest.packages[0].dependency_targets.get_mut("b").unwrap()[0] = "cp27-plan9".into();
    assert_eq!(manifest.to_fetched().unwrap_err(), ManifestValueError("cp27-plan9".into()));
}

/// So a bundle that is made of a manifest is the bundle that the manifest is of.
#[test]
fn a_manifest_of_what_a_manifest_tells_is_the_same() {
    let world = Fetched { targets: vec![target("3.12")], ..world() };
    let first = manifest(&world, &[Question::default().for_targets(vec![0])]);
    let (fetched, questions) = (first.to_fetched().unwrap(), first.to_questions().unwrap());
    let summaries = first.to_summaries();
    assert_eq!(
        Manifest::of(&BundleInput {
            fetched: &fetched,
            questions: &questions,
            summaries: &summaries,
            sboms: &Sboms::default(),
            project: None
        }),
        first
    );
}

#[test]
fn a_manifest_that_lies_is_told() {
    let world = Fetched { targets: vec![target("3.12")], ..world() };
    let mut manifest = manifest(&world, &[]);
    manifest.packages[0].files[0].targets = vec!["cp27-plan9".into()];
    assert_eq!(manifest.to_fetched().unwrap_err(), ManifestValueError("cp27-plan9".into()));
}
