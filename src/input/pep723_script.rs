//! Scripts with their requirements in a comment block (PEP 723).

use serde::Deserialize;

use super::project_dependencies::{UvTable, of_specifier};
use super::pyproject_toml::{note_indexes, note_requires_python, requirement};
use super::text_file::TextFile;
use super::{Location, RequirementsReader, Role};

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Block {
    dependencies: Vec<String>,
    requires_python: Option<String>,
    tool: Tool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tool {
    uv: UvTable,
}

/// Whether a file of this name is a script; `setup.py` is not.
pub fn recognizes(filename: &str) -> bool {
    filename.ends_with(".py") && filename != "setup.py"
}

/// Reads the block of the script at `location`.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    let block = TextFile::load(location, reader.input_source).and_then(|file| {
        let block = TextFile::new(location.clone(), block(&file.text).map_err(|why| file.problem(None, why))?);
        Ok((block.toml()?, block))
    });
    match block {
        Ok((block, file)) => read_block(reader, &file, &block, role),
        Err(problem) => reader.parsed.problems.push(problem),
    }
}

fn read_block(reader: &mut RequirementsReader<'_>, file: &TextFile, block: &Block, role: Role) {
    let mut all = Vec::new();
    for text in &block.dependencies {
        let asked = of_specifier(text, None, None).and_then(|asked| block.tool.uv.sources().with_source(asked));
        let read = asked.and_then(|asked| Ok((requirement((file, reader.input_source), &asked, role)?, asked)));
        match read {
            Ok((requirement, asked)) => {
                reader.parsed.requirements.push(requirement);
                all.push(asked);
            }
            Err(why) => reader.parsed.problems.push(file.problem(None, format!("{text}: {why}"))),
        }
    }
    note_indexes(reader, file, &block.tool.uv.indexes(), &all);
    note_requires_python(reader, file, block.requires_python.as_deref());
    let lock = format!("{}.lock", file.location.filename());
    if let Ok(Some(_)) = file.beside(&lock, reader.input_source) {
        reader
            .parsed
            .problems
            .push(file.warning(None, format!("its lock, {lock}, lies beside it, and is not read: name that")));
    }
}

/// Returns the text of the block called `script`, with blank lines for all lines before it.
///
/// # Errors
/// When there is none, or several, or it is never closed.
fn block(text: &str) -> Result<String, &'static str> {
    let lines: Vec<_> = text.lines().collect();
    let mut starts = (0..lines.len()).filter(|at| lines[*at].trim_end() == "# /// script");
    let start = starts.next().ok_or("it has no block `# /// script` (PEP 723), so it asks for nothing")?;
    let body: Vec<_> = lines[start + 1..].iter().take_while(|line| **line == "#" || line.starts_with("# ")).collect();
    let end =
        body.iter().rposition(|line| line.trim_end() == "# ///").ok_or("its block `# /// script` is never closed")?;
    if starts.next().is_some_and(|again| again > start + end) {
        return Err("it has two blocks `# /// script`");
    }
    let content = body[..end].iter().map(|line| line.strip_prefix("# ").unwrap_or_default());
    let before = std::iter::repeat_n("", start + 1);
    Ok(before.chain(content).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::super::fake_source::FakeSource;
    use super::super::read;
    use super::*;

    #[test]
    fn the_block_of_a_script_is_read_where_it_stands() {
        let text = "#!/usr/bin/env python\n# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#   \
                    \"demo<2\",\n#   \"other; os_name == 'nt'\",\n# ]\n# ///\nimport demo\n";
        let machine = FakeSource::new().file("/w/job.py", text).file("/w/job.py.lock", "");
        let read = read(&Location::parse("job.py"), Role::Requirements, &machine);
        let shown: Vec<_> = read.requirements.iter().map(|one| format!("{}: {one}", one.origin)).collect();
        assert_eq!(shown, ["job.py:5: demo<2", "job.py:6: other ; os_name == 'nt'"]);
        assert!(!read.requires_python[0].0.contains(&"3.10".parse().unwrap()));
        assert!(read.problems[0].message.contains("job.py.lock, lies beside it") && !read.has_errors());
    }

    #[test]
    fn a_script_without_a_block_is_told() {
        for (text, part) in [
            ("import demo\n", "no block"),
            ("# /// script\n# dependencies = []\nimport demo\n", "never closed"),
            ("# /// script\n# dependencies = [\n# ///\n", "damaged"),
            ("# /// script\n# dependencies = ['a b']\n# ///\n", "no requirement"),
            (
                "# /// script\n# dependencies = ['a']\n# [tool.uv.sources]\n# a = {index='x'}\n# ///\n",
                "there is no index `x`",
            ),
        ] {
            let machine = FakeSource::new().file("/w/job.py", text);
            let read = read(&Location::parse("job.py"), Role::Requirements, &machine);
            assert!(read.problems.iter().any(|problem| problem.message.contains(part)), "{text}: {:?}", read.problems);
        }
    }
}
