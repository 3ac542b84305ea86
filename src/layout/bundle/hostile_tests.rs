//! Tests that text from metadata stays text in a bundle, and becomes no part of a program or of
//! markup.

use proptest::prelude::*;

use super::{BundleInput, Manifest, ProjectSummaries, ProjectSummary, SBOMS, Sboms, bundle, install};
use crate::domain::{Fetched, Origin, Sha256, Tree, Yanked};
use crate::layout::test_fixtures::{fetched, file, package, page, paths};

/// Generates text from pieces that end a quotation, a line, an element or a comment, or begin a
/// command.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = [
        "</script>",
        "<script>",
        "<!--",
        "-->",
        "<img src=x onerror=alert(1)>",
        "]]>",
        "\u{2028}",
        "\u{202e}",
        "\u{1b}[2J",
        "\"",
        "'",
        "`",
        "$(touch x)",
        "${IFS}",
        ";",
        "&",
        "|",
        "\\",
        "\n",
        "\r",
        "\0",
        "@PROGRAM@",
        "@DATA@",
        "'@\n",
        "END\n",
        "%PATH%",
        " --find-links evil ",
        " # ",
        "a",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 1..6).prop_map(|pieces| pieces.concat())
}

/// Returns a fetched package in which every field that comes from metadata holds `text`.
fn world(text: &str) -> Fetched {
    let mut listed = file(&format!("demo-1.0-1{text}-py3-none-any.whl"), b"wheel");
    listed.link.yanked = Yanked(Some(text.into()));
    let mut demo = package("demo", "1.0", vec![listed]);
    demo.requested_by = vec![Origin { file: text.into(), line: 1 }];
    let pip = package("pip", "99", vec![file(&format!("pip-99-1{text}-py3-none-any.whl"), b"pip")]);
    fetched(vec![demo, package("direct", "", vec![file(&format!("{text}.zip"), b"direct")]), pip])
}

/// Returns the bundle of such a package, or `None` if `text` cannot be part of a file name.
fn packed(text: &str) -> Option<Tree> {
    let about = ProjectSummary { summary: Some(text.into()), license: Some(text.into()) };
    let summaries = ProjectSummaries::from([(Sha256::of(b"wheel"), about)]);
    let sboms = Sboms { formats: SBOMS.iter().collect(), created: None };
    bundle(&BundleInput { fetched: &world(text), questions: &[], summaries: &summaries, sboms: &sboms, project: None })
        .ok()
}

proptest! {
    #[test]
    fn foreign_text_is_part_of_no_program(text in hostile()) {
        let Some(tree) = packed(&text) else { return Ok(()) };
        prop_assert_eq!(page(&tree, "install.sh"), install::shell());
        prop_assert_eq!(page(&tree, "install.ps1"), install::power_shell());
        let pins = page(&tree, "requirements.txt");
        let starts = ["--no-index", "--find-links ./wheels", "./wheels/", "demo==1.0 \\", "pip==99 \\", "    --hash=sha256:"];
        prop_assert!(pins.lines().all(|line| starts.iter().any(|start| line.starts_with(start))), "{}", pins);
        prop_assert!(page(&tree, "pylock.toml").parse::<toml::Table>().is_ok());
        prop_assert_eq!(page(&tree, "SHA256SUMS").lines().count(), paths(&tree).len() - 1);
    }

    #[test]
    fn foreign_text_is_part_of_no_markup(text in hostile()) {
        // A file name has to be one; what is said of it need not.
        let about = ProjectSummary { summary: Some(text.clone()), license: Some(text.clone()) };
        let summaries = ProjectSummaries::from([(Sha256::of(b"wheel"), about)]);
        let world = world(&text);
        let input = BundleInput { fetched: &world, questions: &[], summaries: &summaries, sboms: &Sboms::default(), project: None };
        let manifest = Manifest::of(&input);
        let html = super::overview(&manifest);
        prop_assert_eq!(html.matches("<script").count(), 2);
        prop_assert_eq!(html.matches("</script").count(), 2);
        prop_assert!(!html.contains("<!--") && !html.contains("<img"));
        let data = html.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        prop_assert_eq!(data["packages"][0]["summary"].as_str(), Some(&*text));
        for format in SBOMS {
            let bill: serde_json::Value = serde_json::from_str(&format.text(&manifest, None)).unwrap();
            prop_assert!(bill.is_object());
        }
        prop_assert_eq!(Manifest::from_json(&manifest.to_json()).unwrap(), manifest);
    }
}
