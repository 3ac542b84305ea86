//! The pages of `docs/` that `prefetch help` shows.

/// A page of the documentation, compiled into the program.
pub struct Topic {
    /// The page's file name without its ending.
    pub name: &'static str,
    /// Its text, in Markdown.
    pub page: &'static str,
}

macro_rules! topics {
    ($($name:literal)*) => {
        /// All topics, sorted by name.
        pub const TOPICS: &[Topic] =
            &[$(Topic { name: $name, page: include_str!(concat!("../../docs/", $name, ".md")) }),*];
    };
}

topics! {
    "air-gap" "builds" "bundles" "ci" "company" "exit-codes" "inspecting" "layouts" "locks" "network" "pip" "pip-caches"
    "poetry" "report" "requirements" "settings" "store" "targets" "uv" "windows"
}

impl Topic {
    /// Finds the topic of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        TOPICS.iter().find(|topic| topic.name == name)
    }
}

/// Returns the exit codes and their meaning, read from the table in `docs/exit-codes.md`.
pub fn exit_codes() -> impl Iterator<Item = (&'static str, String)> {
    let page = Topic::find("exit-codes").map_or("", |topic| topic.page);
    page.lines().filter_map(|line| {
        let (code, meaning) = line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")?;
        code.bytes().all(|byte| byte.is_ascii_digit()).then(|| (code, meaning.replace('`', "")))
    })
}

/// Returns the text below the options in `prefetch --help`: exit codes and topics.
pub fn after_help() -> String {
    let codes = exit_codes().map(|(code, meaning)| format!("\n  {code:<4} {meaning}"));
    let names: Vec<_> = TOPICS.iter().map(|topic| topic.name).collect();
    format!("Exit codes:{}\n\nTopics, for prefetch help TOPIC:\n  {}", codes.collect::<String>(), names.join(", "))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::command_line::Cli;
    use crate::cli::error::Exit;

    #[test]
    fn no_topic_is_hidden_behind_a_command() {
        let cli = Cli::command();
        assert!(TOPICS.iter().all(|topic| cli.find_subcommand(topic.name).is_none()));
        assert!(TOPICS.is_sorted_by_key(|topic| topic.name));
    }

    #[test]
    fn the_page_on_exit_codes_lists_each_of_them() {
        let all = [
            Exit::Done,
            Exit::Damage,
            Exit::Usage,
            Exit::NoSolution,
            Exit::Unreachable,
            Exit::Digest,
            Exit::Disk,
            Exit::Interrupted,
        ];
        let codes: Vec<_> = exit_codes().map(|(code, _)| code.to_owned()).collect();
        assert_eq!(codes, all.map(|exit| (exit as u8).to_string()));
    }
}
