//! Renders Markdown for a terminal: wraps paragraphs, aligns tables, and leaves the markup out.

use std::mem;

use console::{measure_text_width, style};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The indentation of code, and of a last cell that does not fit beside the others of its row.
const INDENT: &str = "    ";
/// The space between the columns of a table.
const GAP: &str = "  ";

/// Renders a page into lines of at most `width` columns, unless a word or a line of code is wider.
pub fn render(page: &str, width: usize) -> Vec<String> {
    let mut renderer = Renderer { width, ..Renderer::default() };
    for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
        renderer.take(event);
    }
    renderer.lines
}

#[derive(Default)]
struct Renderer {
    width: usize,
    lines: Vec<String>,
    /// The text of the current block.
    text: String,
    /// The number of the next item of a numbered list.
    number: Option<u64>,
    /// The marker of the current list item, until its first line is written.
    marker: String,
    /// The rows of the current table.
    rows: Vec<Vec<String>>,
}

impl Renderer {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(end) => self.end(end),
            Event::Code(code) => self.text.extend(["`", &code, "`"]),
            Event::Text(text) => self.text.push_str(&text),
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { .. } | Tag::Paragraph | Tag::CodeBlock(_) | Tag::Table(_) => self.separate(),
            Tag::List(first) => {
                self.separate();
                self.number = *first;
            }
            Tag::Item => self.begin_item(),
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, end: TagEnd) {
        match end {
            TagEnd::Heading(_) => {
                let heading = style(mem::take(&mut self.text)).bold().to_string();
                self.lines.push(heading);
            }
            TagEnd::Paragraph | TagEnd::Item => self.end_paragraph(),
            TagEnd::CodeBlock => {
                let code = mem::take(&mut self.text);
                self.lines.extend(code.lines().map(|line| format!("{INDENT}{line}").trim_end().to_owned()));
            }
            TagEnd::TableCell => {
                let cell = mem::take(&mut self.text);
                self.rows.last_mut().into_iter().for_each(|row| row.push(cell.clone()));
            }
            TagEnd::Table => {
                let rows = mem::take(&mut self.rows);
                self.lines.extend(table(&rows, self.width));
            }
            _ => {}
        }
    }

    /// Writes an empty line between blocks, but none after the marker of a list item.
    fn separate(&mut self) {
        if !self.lines.is_empty() && self.marker.is_empty() {
            self.lines.push(String::new());
        }
    }

    fn begin_item(&mut self) {
        self.marker = match &mut self.number {
            Some(number) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            None => "- ".to_owned(),
        };
    }

    fn end_paragraph(&mut self) {
        let text = mem::take(&mut self.text);
        let marker = mem::take(&mut self.marker);
        let rest = " ".repeat(marker.len());
        let wrapped = wrap(&text, self.width.saturating_sub(marker.len()));
        let starts = [marker].into_iter().chain(std::iter::repeat(rest));
        self.lines.extend(starts.zip(wrapped).map(|(start, line)| start + &line));
    }
}

/// Breaks `text` into lines of at most `width` columns.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if measure_text_width(line) + 1 + measure_text_width(word) <= width => {
                line.extend([" ", word]);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Renders a table. The last column gets the width that the others leave, and is wrapped; if they
/// leave less than half, it is written below them.
fn table(rows: &[Vec<String>], width: usize) -> Vec<String> {
    let columns = rows.iter().map(|row| row.len().saturating_sub(1)).max().unwrap_or(0);
    let column_width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| measure_text_width(cell)).max();
    let widths: Vec<_> = (0..columns).map(|at| column_width(at).unwrap_or(0)).collect();
    let taken: usize = widths.iter().map(|column| column + GAP.len()).sum();
    let rows = rows.iter().filter(|row| row.iter().any(|cell| !cell.is_empty()));
    rows.flat_map(|row| {
        let Some((last, first)) = row.split_last() else { return Vec::new() };
        let start: String = first.iter().zip(&widths).map(|(cell, width)| pad(cell, *width) + GAP).collect();
        if taken <= width / 2 { beside(&start, last, width) } else { below(&start, last, width) }
    })
    .collect()
}

fn pad(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(measure_text_width(cell))))
}

fn beside(start: &str, last: &str, width: usize) -> Vec<String> {
    let taken = measure_text_width(start);
    let mut lines = wrap(last, width - taken).into_iter();
    let first = format!("{start}{}", lines.next().unwrap_or_default()).trim_end().to_owned();
    [first].into_iter().chain(lines.map(|line| " ".repeat(taken) + &line)).collect()
}

fn below(start: &str, last: &str, width: usize) -> Vec<String> {
    let lines = wrap(last, width.saturating_sub(INDENT.len())).into_iter().map(|line| format!("{INDENT}{line}"));
    wrap(start, width).into_iter().chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(page: &str, width: usize) -> String {
        console::strip_ansi_codes(&render(page, width).join("\n")).into_owned()
    }

    #[test]
    fn paragraphs_items_and_code_are_set_apart() {
        let page = "# A page\n\n<!-- run -->\n```sh\nprefetch  six\n```\n\nSee [the other\npage](other.md) for `--dest`.\n\n- one\n  more\n- two\n\n1. first\n";
        let expected =
            "A page\n\n    prefetch  six\n\nSee the other\npage for\n`--dest`.\n\n- one more\n- two\n\n1. first";
        assert_eq!(rendered(page, 14), expected);
    }

    #[test]
    fn the_last_column_of_a_table_is_wrapped() {
        let page = "| code | meaning |\n|---|---|\n| 0 | all of it was done |\n";
        assert_eq!(rendered(page, 20), "code  meaning\n0     all of it was\n      done");
        assert_eq!(rendered(page, 9), "code\n    meaning\n0\n    all\n    of it\n    was\n    done");
    }

    /// No page may be cut at the side of a usual terminal.
    #[test]
    fn every_topic_fits_eighty_columns_but_for_its_code() {
        for topic in crate::cli::topics::TOPICS {
            for line in render(topic.page, 80) {
                assert!(line.starts_with(INDENT) || measure_text_width(&line) <= 80, "{}: {line}", topic.name);
            }
        }
    }
}
