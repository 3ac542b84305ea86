use proptest::prelude::*;

use super::*;
use crate::domain::FileRecord;

/// Everything that a visitor received.
#[derive(Debug, Default, PartialEq)]
struct Told(Vec<String>);

impl FileVisitor for Told {
    fn push(&mut self, record: &FileRecord<'_>) {
        self.0.push(format!("{record:?}"));
    }

    fn refuse(&mut self, filename: &str, why: &str) {
        self.0.push(format!("{filename}: {why}"));
    }
}

/// Returns what `serde_json` reads from the page, or `None` if that is an error.
fn expected(page: &[u8]) -> Option<Told> {
    let mut told = Told::default();
    let url = "https://index.example/simple/demo/".parse().unwrap();
    super::super::scan(page, &url, &mut told).ok().map(|()| told)
}

/// A reader that returns its bytes in pieces.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.1.min(buffer.len());
        self.0.read(&mut buffer[..length])
    }
}

/// Returns what the stream reader reads from the page, with a first buffer of `window` bytes, or
/// `None` if it refuses the page.
fn found(page: &[u8], window: usize, piece: usize) -> Option<Told> {
    let mut told = Told::default();
    let is_usual = scan(Pieces(page, piece), window - 1, &mut told).unwrap();
    is_usual.then_some(told)
}

fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/testdata/index/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn usual_pages_are_read_here_wherever_they_are_cut() {
    let odd_entries = br#" { "files" : [ null, 7, "a", [{}], {}, {"url":"a\u0062.zip","size":-1,"yanked":{"a":[1]}} ] , "a":{"b":[]} } "#;
    let pages = [
        recorded("warehouse.json"),
        recorded("mixed.json"),
        odd_entries.to_vec(),
        b"\xef\xbb\xbf{\"files\":[]}\n".to_vec(),
    ];
    for page in pages {
        let expected = expected(&page);
        assert!(expected.is_some());
        for (window, piece) in [(1, 1), (2, 7), (64, 64), (1000, 3), (1 << 20, 1 << 20)] {
            assert_eq!(found(&page, window, piece), expected, "{window}, {piece}");
        }
        for end in 0..page.trim_ascii_end().len() {
            assert_eq!(found(&page[..end], 100, 100), None, "{end}");
        }
    }
}

#[test]
fn what_is_told_of_the_page_counts_here_too() {
    for (page, is_usual) in [
        (r#"{"files": []}"#, true),
        (r#"{"files": [], "files": [{"url": "a.zip"}]}"#, true),
        (r#"{"meta": {"api-version": "1.9"}, "files": []}"#, true),
        (r#"{"meta": {"api-version": "2.0"}, "meta": null, "files": []}"#, true),
        (r#"{"files": [], "meta": {"api-version": "2.0"}}"#, false),
        (r#"{"meta": {"api-version": "1.0", "api-version": "1.0"}, "files": []}"#, false),
        (r#"{"meta": {}}"#, false),
        (r#"{"files": null}"#, false),
        (r#"{"files": []} x"#, false),
        (r#"{"files": [],}"#, false),
        (r#"{"files": [{},]}"#, false),
        (r#"{"files": [{"url": "a.zip",}]}"#, false),
        (r#"{"files": [{"url" "a.zip"}]}"#, false),
        ("[]", false),
        ("", false),
    ] {
        assert_eq!(found(page.as_bytes(), 9, 2).is_some(), is_usual, "{page}");
        assert_eq!(expected(page.as_bytes()).is_some(), is_usual, "{page}");
    }
}

#[test]
fn the_failures_of_the_source_come_through() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::InvalidData.into())
        }
    }
    let source = br#"{"files": ["#.chain(Broken);
    assert_eq!(scan(source, 5, &mut Told::default()).unwrap_err().kind(), io::ErrorKind::InvalidData);
}

/// Generates values that a page may hold, some of them malformed.
fn value() -> impl Strategy<Value = String> {
    let words = vec![
        "null",
        "true",
        "false",
        "nul",
        "0",
        "-0",
        "7",
        "18446744073709551615",
        "18446744073709551616",
        "-3",
        "1.5",
        "2e3",
        "01",
        "1.",
        "1e999",
        "-",
        "\"\"",
        "\"demo-1.0.zip\"",
        "\"https://files.example/a/demo-1.0-py3-none-any.whl#sha256=ab\"",
        "\">=3.8\"",
        "\"2024-01-01T00:00:00.5Z\"",
        "\"a\\\"b\\\\\"",
        "\"\\u00e9\\n\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud800\"",
        "\"\\x\"",
        "\"é€😀\"",
        "\"\u{1}\"",
        "\"\u{7f}\"",
        "\"open",
    ];
    let leaf = prop::sample::select(words).prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3).prop_map(|values| format!("[{}]", values.join(" ,")));
        prop_oneof![list, object(inner)]
    })
}

/// Generates objects of such values, with the keys of pages and entries.
fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let keys = vec![
        "\"filename\"",
        "\"url\"",
        "\"u\\u0072l\"",
        "\"hashes\"",
        "\"sha256\"",
        "\"md5\"",
        "\"requires-python\"",
        "\"yanked\"",
        "\"size\"",
        "\"core-metadata\"",
        "\"dist-info-metadata\"",
        "\"upload-time\"",
        "\"other\"",
        "\"api-version\"",
        "1",
    ];
    let member = (prop::sample::select(keys), value).prop_map(|(key, value)| format!("{key}: {value}"));
    prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",\n")))
}

/// Generates pages whose entries share a few shapes, as on most pages.
fn page_of_shapes() -> impl Strategy<Value = String> {
    let keys = ["hashes", "core-metadata", "dist-info-metadata", "requires-python", "size", "other"];
    let members = prop::collection::vec(prop::sample::select(keys.to_vec()), 1..6);
    let shapes = prop::collection::vec((members, prop::sample::select(vec!["", " ", "\n\t"])), 1..4);
    let words = [
        "{\"sha256\":\"ab\"}",
        "{\"sha256\": 7, \"md5\":\"c\\n\"}",
        "{}",
        "{\"new\":\"x\"}",
        "\"demo-1.zip\"",
        "7",
        "null",
    ];
    let value = prop_oneof![9 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => value()];
    let entries = prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(value, 6)), 1..12);
    (shapes, entries).prop_map(|(shapes, entries)| {
        let entry = |(shape, values): &(prop::sample::Index, Vec<String>)| {
            let (keys, space) = shape.get(&shapes);
            let members: Vec<_> =
                keys.iter().zip(values).map(|(key, value)| format!("\"{key}\":{space}{value}")).collect();
            format!("{{\"url\":\"demo-1.zip\",{space}{}}}", members.join(&format!(",{space}")))
        };
        let entries: Vec<_> = entries.iter().map(entry).collect();
        format!("{{\"files\": [{}]}}", entries.join(", "))
    })
}

fn page() -> impl Strategy<Value = String> {
    let files = prop::collection::vec(prop_oneof![4 => object(value()), 1 => value()], 0..4);
    let files = files.prop_map(|files| format!("\"files\": [{}]", files.join(", ")));
    let other = (prop::sample::select(vec!["meta", "name", "versions", "files"]), value());
    let other = other.prop_map(|(key, value)| format!("\"{key}\":{value}"));
    prop::collection::vec(prop_oneof![2 => files, 1 => other], 0..4)
        .prop_map(|members| format!("{{{}}}", members.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_is_taken_that_serde_json_would_take_otherwise(page in page(), window in 1..200_usize, piece in 1..50_usize) {
        if let Some(found) = found(page.as_bytes(), window, piece) {
            prop_assert_eq!(Some(found), expected(page.as_bytes()));
        }
    }

    #[test]
    fn entries_of_a_known_shape_say_what_they_would_say_alone(page in page_of_shapes(), window in 1..400_usize) {
        if let Some(found) = found(page.as_bytes(), window, 1000) {
            prop_assert_eq!(Some(found), expected(page.as_bytes()));
        }
    }

    #[test]
    fn no_damage_is_overlooked(
        name in prop::sample::select(vec!["warehouse.json", "mixed.json"]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"\"\\{}[]:, \n0-e\x00\x1fa\xff".to_vec())), 1..4),
        window in 1..3000_usize,
    ) {
        let mut page = recorded(name);
        for (position, byte) in damage {
            let position = position.index(page.len());
            page[position] = byte;
        }
        if let Some(found) = found(&page, window, 1000) {
            prop_assert_eq!(Some(found), expected(&page));
        }
    }
}
