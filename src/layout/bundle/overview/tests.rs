//! Tests that the page shows what the manifest states, and that no text of it is run as markup or
//! script.

use crate::domain::{Fetched, ProjectSummary, Sha256};

use super::super::{BundleInput, Manifest, ProjectSummaries, Sboms};
use super::*;
use crate::layout::test_fixtures::{fetched, file, package};

fn manifest(world: &Fetched, license: &str, summary: &str) -> Manifest {
    let summary = ProjectSummary { license: Some(license.into()), summary: Some(summary.into()) };
    let summaries = ProjectSummaries::from([(Sha256::of(b"wheel"), summary)]);
    Manifest::of(&BundleInput {
        fetched: world,
        questions: &[],
        summaries: &summaries,
        sboms: &Sboms::default(),
        project: None,
    })
}

fn world() -> Fetched {
    let mut demo = package("demo", "1.0", vec![file("demo-1.0-py3-none-any.whl", b"wheel")]);
    demo.dependencies = [("other".parse().unwrap(), Vec::new())].into_iter().collect();
    fetched(vec![demo, package("other", "2.0+local", vec![file("other 2.0.zip", b"other")])])
}

#[test]
fn the_table_says_everything_without_a_script() {
    let text = text(&manifest(&world(), "mit license", "A demo & more"), "type\n\n    sh install.sh <ENV>\n\nthere.\n");
    for part in [
        "<title>Bundle of demo</title>",
        "<h1>Bundle of demo</h1>",
        "<p>Unpack the bundle anywhere, type</p>\n<pre><code>sh install.sh &lt;ENV&gt;</code></pre>\n<p>there.</p>",
        "<a href=\"README.txt\">README.txt</a>",
        "<b>2 packages</b> in 2 files, <b>10 B</b>, for 0 targets.",
        "<span class=\"summary\">A demo &amp; more</span>",
        "<td data-label=\"Licence\">MIT</td>",
        "<td data-label=\"Why\">Needed by demo</td>",
        "<a href=\"wheels/other%202.0.zip\">other 2.0.zip</a>, 5 B",
        "<code>https://files.example/demo-1.0-py3-none-any.whl</code>",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

/// The words of the data are the classes of the style sheet.
#[test]
fn each_kind_of_package_has_its_colour() {
    let native = package("native", "1", vec![file("native-1-cp312-cp312-win_amd64.whl", b"native")]);
    let world = Fetched { packages: [world().packages, vec![native]].concat(), ..world() };
    let text = text(&manifest(&world, "MIT", "A demo"), "");
    for kind in ["pure", "source", "compiled"] {
        assert!(text.contains(&format!("\"kind\":\"{kind}\"")), "{kind}: {text}");
        assert!(text.contains(&format!("<i class=\"{kind}\">")) && text.contains(&format!(".{kind}")), "{kind}");
    }
}

#[test]
fn metadata_is_text_and_nothing_else() {
    let hostile = "</script><img src=x onerror=alert(1)>\"'&@SCRIPT@";
    let text = text(&manifest(&world(), hostile, hostile), "");
    assert!(!text.contains("<img"), "{text}");
    assert_eq!(text.matches("\"use strict\"").count(), 1, "a value is no template");
    assert_eq!(text.matches("</script>").count(), 2);
    let data = text.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!([&data["packages"][0]["license"], &data["packages"][0]["summary"]], [hostile; 2]);
}

#[test]
fn the_policy_admits_the_style_and_the_script_alone() {
    let text = text(&manifest(&world(), "MIT", "A demo"), "type\n\n    this");
    let between = |start: &str, end: &str| text.rsplit_once(start).unwrap().1.split_once(end).unwrap().0;
    for (kind, content) in
        [("script-src", between("<script>", "</script>")), ("style-src", between("<style>", "</style>"))]
    {
        assert!(text.contains(&format!("{kind} '{}'", hash(content))), "{kind}");
    }
    for forbidden in [" style=\"", "src=\"", "onclick", "@import", "url("] {
        assert!(!text.contains(forbidden), "{forbidden}");
    }
}
