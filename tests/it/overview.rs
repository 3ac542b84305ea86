//! The overview page of a bundle, looked at in a real browser.

use crate::support::{Index, Sandbox, ServedIndex, Tab, Wheel, judges};

/// What no metadata may make the page do.
const HOSTILE: &str = "</script><img src=x onerror=document.title='taken'><b>bold</b>";

/// Unpacks a bundle of packages of all kinds into `out`.
fn bundle() -> Sandbox {
    let large = Wheel::new("large", "2.0").requires("small>=1").padding(300_000);
    let hostile =
        Wheel::new("hostile", "1.0").says(&format!("Summary: {HOSTILE}")).says(&format!("License: {HOSTILE}"));
    let small = Wheel::new("small", "1.0").says("License-Expression: MIT").says("Summary: A small one");
    let apart = Wheel::new("apart", "1.0").tags("cp312-cp312-win_amd64").padding(90_000);
    let index = Index::new().with(large).with(hostile).with(small).with(apart).serve();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "large\nhostile\napart; sys_platform == 'win32'\n");
    pack(&sandbox, &index);
    sandbox
}

/// Bundles `requirements.txt` for Linux and Windows.
fn pack(sandbox: &Sandbox, index: &ServedIndex) {
    let targets = ["--python-version", "3.12", "--platform", "linux-x86_64", "--platform", "windows-x86_64"];
    let mut pack = sandbox.prefetch_from(index, ["-r", "requirements.txt", "--bundle", "out.tar"]);
    pack.args(targets).assert().code(0);
    sandbox.prefetch(["unpack", "out.tar", "out"]).assert().code(0);
    sandbox.prefetch(["verify", "out"]).assert().code(0);
}

fn open(sandbox: &Sandbox) -> Option<Tab> {
    let url = url::Url::from_file_path(sandbox.path("out/index.html")).unwrap();
    Some(judges().browser()?.open(url.as_str()))
}

const NAMES: &str = "#table tbody .name";

#[test]
fn people_search_sort_and_filter_packages() {
    let sandbox = bundle();
    let Some(mut tab) = open(&sandbox) else { return };
    assert_eq!(tab.texts(NAMES), ["apart", "hostile", "large", "small"]);
    tab.click("th[data-key=bytes] button");
    assert_eq!(tab.texts(NAMES)[..2], ["large", "apart"]);
    assert_eq!(tab.evaluate("document.querySelector('th[data-key=bytes]').ariaSort"), "descending");
    tab.type_into("#query", "SMALL one");
    assert_eq!(tab.texts(NAMES), ["small"]);
    assert!(tab.texts("#count")[0].starts_with("1 of 4 packages"));
    tab.type_into("#query", " absent");
    assert_eq!((tab.texts(NAMES), tab.texts("#nothing")), (vec![], vec!["No package matches.".to_owned()]));
    tab.click("#clear");
    tab.evaluate("(e => { e.value = '0'; e.dispatchEvent(new Event('change')) })(document.querySelector('#target'))");
    assert_eq!(tab.texts(NAMES), ["large", "hostile", "small"], "the order stays, and apart is for Windows");
    tab.click("#clear");
    tab.click("#licences [data-license='MIT'] button");
    assert_eq!(tab.texts(NAMES), ["small"]);
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn sizes_and_dependencies_are_drawn_and_lead_on() {
    let sandbox = bundle();
    let Some(mut tab) = open(&sandbox) else { return };
    let areas = "[...document.querySelectorAll('#treemap button')].map(b => b.offsetWidth * b.offsetHeight)";
    let areas: Vec<f64> = serde_json::from_value(tab.evaluate(areas)).unwrap();
    let ratio = areas[0] / areas[1];
    assert!((3.0..3.7).contains(&ratio), "as 300 to 90 KB: {ratio}");
    tab.click("#treemap button");
    assert_eq!(tab.texts(NAMES), ["large"]);
    assert_eq!(tab.texts("#graph-words h3"), ["large 2.0"]);
    assert_eq!(tab.texts("#graph-words li"), ["small"]);
    tab.click("#graph-words li button");
    assert_eq!(tab.texts("#graph-words h3"), ["small 1.0"]);
    assert!(tab.texts("#graph-words p")[0].contains("Here by way of large → small."));
    assert_eq!(tab.evaluate("document.querySelectorAll('#graph path').length"), 1);
    tab.click("#clear");
    tab.evaluate("document.querySelector('#treemap button').focus()");
    tab.type_into("#treemap button:focus", "\u{e014}");
    assert!(tab.evaluate("document.activeElement.ariaLabel").as_str().unwrap().starts_with("apart 1.0, "));
    assert_eq!(tab.complaints(), [""; 0]);
}

/// `kit` is on both targets, and `app` needs it on Windows only.
#[test]
fn the_graph_is_that_of_the_chosen_target() {
    let app = Wheel::new("app", "1.0").requires("base").requires("kit; sys_platform == 'win32'");
    let index = Index::new().with(app).wheel("base", "1.0").wheel("kit", "1.0").serve();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "app\nkit\n");
    pack(&sandbox, &index);
    let page = String::from_utf8(sandbox.read("out/index.html")).unwrap();
    assert!(page.contains("Asked for by requirements.txt:2<br>Needed by app (on cp312-win_amd64)<"), "{page}");
    let Some(mut tab) = open(&sandbox) else { return };
    let edges = "[...document.querySelectorAll('#graph path')].map(e => e.className.baseVal + e.textContent)";
    let choose = |position: &str| {
        format!(
            "(e => {{ e.value = '{position}'; e.dispatchEvent(new Event('change')) }})\
             (document.querySelector('#graph-target'))"
        )
    };
    assert_eq!(tab.evaluate(edges), serde_json::json!(["", "partOn cp312-win_amd64"]));
    assert_eq!(tab.texts("#graph-words li"), ["base", "kit on cp312-win_amd64"]);
    tab.evaluate(&choose("0"));
    assert_eq!(tab.evaluate(edges), serde_json::json!([""]), "on Linux");
    assert_eq!(tab.texts("#graph-words li"), ["base"]);
    assert_eq!(tab.texts("#dependencies-title"), ["Dependencies on cp312-manylinux_2_28_x86_64"]);
    assert_eq!(tab.evaluate("document.querySelector('#target').value"), "0", "the table is of the same target");
    tab.evaluate(&choose("1"));
    assert_eq!(tab.evaluate(edges), serde_json::json!(["", ""]), "on Windows");
    tab.click("#clear");
    assert_eq!(tab.evaluate("document.querySelector('#graph-target').value"), "");
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn metadata_is_shown_and_not_obeyed() {
    let sandbox = bundle();
    let Some(mut tab) = open(&sandbox) else { return };
    assert_eq!(tab.evaluate("document.title"), "Bundle of apart, hostile, large");
    assert_eq!(tab.texts("#table .summary"), [HOSTILE, "A small one"]);
    assert_eq!(tab.evaluate("document.querySelectorAll('img, b b').length"), 0);
    tab.click("#licences [data-license*=script] button");
    assert_eq!(tab.texts(NAMES), ["hostile"]);
    let style = "(e => { e.setAttribute('style', 'color: red'); const s = document.createElement('script'); \
                 s.textContent = 'document.title = 1'; document.body.append(s, e); return getComputedStyle(e).color })\
                 (document.createElement('p'))";
    assert_ne!(tab.evaluate(style), "rgb(255, 0, 0)");
    assert_eq!(tab.evaluate("document.title"), "Bundle of apart, hostile, large", "no script but its own");
    assert_eq!(tab.evaluate("performance.getEntriesByType('resource').length"), 0, "it loads nothing");
}

#[test]
fn it_fits_phones_and_dark_rooms() {
    let sandbox = bundle();
    let Some(mut tab) = open(&sandbox) else { return };
    for width in [1280, 360] {
        tab.resize(width, 800);
        let overhang = "(e => e.scrollWidth - e.clientWidth)(document.documentElement)";
        assert_eq!(tab.evaluate(overhang), 0, "nothing sticks out to the right at {width} pixels");
    }
    let lightness = "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])";
    for (scheme, range) in [("light", 200..=255), ("dark", 0..=60)] {
        tab.prefer("prefers-color-scheme", scheme);
        let lightness = tab.evaluate(lightness).as_u64().unwrap();
        assert!(range.contains(&lightness), "{scheme}: {lightness}");
    }
    assert_eq!(tab.complaints(), [""; 0]);
}
