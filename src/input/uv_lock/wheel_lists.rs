//! The lists of wheels in a uv.lock, read line by line.
//!
//! They are four fifths of a lock, and uv writes each wheel on a line of its own, so a parser of
//! such lines is many times faster than one of TOML. What is written otherwise is left to the
//! latter.

use super::schema::{Document, File};

/// The wheels of each package whose list has the form that uv writes.
pub struct WheelLists {
    /// The lists with their offsets, rising.
    lists: Vec<(usize, Vec<File>)>,
    /// The text of the lock without the wheels of these lists, every other byte at its offset.
    pub rest: String,
}

const LIST: &str = "\nwheels = [\n";
const PACKAGE: &str = "\n[[package]]\n";

impl WheelLists {
    /// Reads the lists in the text of a lock.
    pub fn read(text: &str) -> Self {
        let mut found = Self { lists: Vec::new(), rest: String::with_capacity(text.len()) };
        let mut copied = 0;
        // Inside a string of several lines a list would be no list.
        let has_long_strings = memchr::memmem::find(text.as_bytes(), b"'''").is_some()
            || memchr::memmem::find(text.as_bytes(), b"\"\"\"").is_some();
        let places = memchr::memmem::find_iter(text.as_bytes(), LIST).filter(|_| !has_long_strings);
        for start in places.map(|at| at + LIST.len()) {
            let Some((wheels, length)) = list(&text[start..]).filter(|_| is_of_package(&text[..start])) else {
                continue;
            };
            found.rest.push_str(&text[copied..start]);
            found.rest.extend(std::iter::repeat_n(' ', length));
            copied = start + length;
            found.lists.push((start, wheels));
        }
        found.rest.push_str(&text[copied..]);
        found
    }

    /// Adds the wheels to the packages of the `document` that [`WheelLists::rest`] is.
    pub fn add_to(self, document: &mut Document) {
        let mut packages = document.package.iter_mut().peekable();
        for (place, wheels) in self.lists {
            let is_before = |package: &&mut toml::Spanned<_>| package.span().start < place;
            let mut last = None;
            while let Some(package) = packages.next_if(is_before) {
                last = Some(package);
            }
            if let Some(package) = last {
                package.get_mut().wheels = wheels;
            }
        }
    }
}

/// Whether the table at the end of `text` is a package, and not a table inside of one.
fn is_of_package(text: &str) -> bool {
    let header = memchr::memmem::rfind(text.as_bytes(), b"\n[");
    header.is_some_and(|at| text[at..].starts_with(PACKAGE))
}

/// Reads the lines of a list, and returns it with the length of these lines; `None` if any has
/// another form than uv's.
fn list(text: &str) -> Option<(Vec<File>, usize)> {
    let (mut wheels, mut length) = (Vec::new(), 0);
    loop {
        let line = &text[length..];
        if line.starts_with("]\n") {
            return Some((wheels, length));
        }
        let end = memchr::memchr(b'\n', line.as_bytes())?;
        wheels.push(wheel(&line[..end])?);
        length += end + 1;
    }
}

/// Reads a line such as `    { url = "…", hash = "sha256:…", size = 1 },`.
fn wheel(line: &str) -> Option<File> {
    let mut rest = line.strip_prefix("    { ")?;
    let mut file = File::default();
    loop {
        let (key, value) = rest.split_once(" = ")?;
        let text = |known: &mut Option<String>| {
            let (text, rest) = string(value)?;
            known.replace(text.to_owned()).is_none().then_some(rest)
        };
        rest = match key {
            "url" => text(&mut file.url)?,
            "path" => text(&mut file.path)?,
            "filename" => text(&mut file.filename)?,
            "hash" => text(&mut file.hash)?,
            "upload-time" => text(&mut file.upload_time)?,
            "size" => {
                let end = value.bytes().position(|byte| !byte.is_ascii_digit())?;
                let is_decimal = end > 0 && (end == 1 || !value.starts_with('0'));
                let size = value[..end].parse().ok().filter(|_| is_decimal)?;
                file.size.replace(size).is_none().then_some(&value[end..])?
            }
            _ => return None,
        };
        match rest.strip_prefix(", ") {
            Some(next) => rest = next,
            None => return (rest == " },").then_some(file),
        }
    }
}

/// Returns the content of the string that `text` begins with, and what follows; `None` if it has
/// an escape or a control character.
fn string(text: &str) -> Option<(&str, &str)> {
    let (content, rest) = text.strip_prefix('"')?.split_once('"')?;
    let is_plain = !content.bytes().any(|byte| byte == b'\\' || byte < b' ' || byte == 0x7f);
    is_plain.then_some((content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "    { url = \"https://files.example/a-1-py3-none-any.whl\", hash = \"sha256:00\", size = 7 },\n";

    fn package(name: &str, wheels: &str) -> String {
        format!("\n[[package]]\nname = \"{name}\"\nversion = \"1\"\nsource = {{ registry = \"r\" }}\n{wheels}")
    }

    fn document(text: &str) -> (Document, usize) {
        let lists = WheelLists::read(text);
        assert_eq!(lists.rest.len(), text.len());
        let read = lists.lists.len();
        let mut document: Document = toml::from_str(&lists.rest).unwrap();
        lists.add_to(&mut document);
        (document, read)
    }

    /// The wheels of all packages as TOML has them, and the number of lists that were read by line.
    fn check(text: &str) -> usize {
        let (ours, read) = document(text);
        let theirs: Document = toml::from_str(text).unwrap();
        assert_eq!(ours.package.len(), theirs.package.len());
        for (ours, theirs) in ours.package.iter().zip(&theirs.package) {
            assert_eq!(ours.span(), theirs.span());
            assert_eq!(ours.get_ref().wheels, theirs.get_ref().wheels, "{text}");
        }
        read
    }

    #[test]
    fn lists_of_wheels_are_what_toml_says() {
        let list = |lines: &str| format!("wheels = [\n{lines}]\n");
        let all = |wheels: &[String]| {
            let packages = wheels.iter().zip(["a", "b", "c"]).map(|(wheels, name)| package(name, wheels));
            format!("version = 1\n{}", packages.collect::<String>())
        };
        let two = list(&LINE.repeat(2));
        let timed = list(&LINE.replace(" },", ", upload-time = \"2025-01-01T00:00:00Z\" },"));
        assert_eq!(check(&all(&[two.clone(), String::new(), timed])), 2);
        assert_eq!(check(&all(&[list(""), two.clone()])), 2);
        for other in [
            LINE.replace(" },", ", zstd = { size = 1 } },"),
            LINE.replace(" },", " }, # built here"),
            LINE.replace("size = 7", "size = 0x7"),
            LINE.replace("a-1", "\\u0061-1"),
            LINE.replace("    {", "  {"),
            LINE.replace("},", "}"),
            format!("\n{LINE}"),
        ] {
            assert_eq!(check(&all(&[list(&other), two.clone()])), 1, "{other}");
        }
        assert_eq!(check(&all(&[format!("{two}[package.metadata]\n{two}"), two.clone()])), 2);
        assert_eq!(check(&all(&[format!("note = '''{two}'''\n"), two.clone()])), 0);
        assert_eq!(check(&all(&[two]).replace('\n', "\r\n")), 0);
    }

    #[test]
    fn a_line_that_is_no_wheel_is_still_told_with_its_line() {
        let text = format!("version = 1\n{}", package("a", &format!("wheels = [\n{LINE}    {{ url = 1 }},\n]\n")));
        let lists = WheelLists::read(&text);
        assert!(lists.lists.is_empty() && lists.rest == text);
    }
}
