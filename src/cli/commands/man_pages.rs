//! `prefetch man-pages`: a man page for each command.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory, ValueHint};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::archive;
use crate::cli::command_line::Cli;
use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::topics;

/// Arguments of `prefetch man-pages`.
#[derive(Debug, Args)]
pub struct ManPagesArgs {
    /// The folder of man pages, such as ~/.local/share/man; the pages go to its man1.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
}

/// Writes the pages.
///
/// # Errors
/// When a page cannot be written; the error names it.
pub fn run(args: &ManPagesArgs, environment: &Environment) -> Result<Exit, CliError> {
    let folder = environment.working_folder.join(&args.folder).join("man1");
    let fail = |path: &Path, error: io::Error| {
        CliError::new(Exit::Disk, format!("cannot write the man page {}: {error}", path.display()))
    };
    fs::create_dir_all(&folder).map_err(|error| fail(&folder, error))?;
    archive::sweep(&folder);
    for page in pages().map_err(|error| fail(&folder, error))? {
        let path = folder.join(&page.file_name);
        write(&folder, &path, &page.text).map_err(|error| fail(&path, error))?;
    }
    Ok(Exit::Done)
}

/// Writes a file, which gets its name only when it is complete.
fn write(folder: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = archive::temporary(folder)?;
    file.write_all(text)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// The date of a page. An empty argument would be dropped, and the next one taken for the date.
const NO_DATE: &str = " ";

struct ManPage {
    file_name: String,
    text: Vec<u8>,
}

/// Renders the pages of the program and its subcommands; they are the same on every platform.
fn pages() -> io::Result<Vec<ManPage>> {
    let mut cli = Cli::command().long_version(None).after_long_help(None);
    cli.build();
    let mut pages = Vec::new();
    add_pages(&cli, &mut pages)?;
    if let Some(main) = pages.first_mut() {
        exit_status().to_writer(&mut main.text)?;
    }
    Ok(pages)
}

/// Renders the page of a command and those of its subcommands.
fn add_pages(command: &Command, pages: &mut Vec<ManPage>) -> io::Result<()> {
    let source = concat!("prefetch ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(source).date(NO_DATE);
    let mut text = Vec::new();
    man.render(&mut text)?;
    pages.push(ManPage { file_name: man.get_filename(), text });
    command.get_subcommands().try_for_each(|below| add_pages(below, pages))
}

fn exit_status() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in topics::exit_codes() {
        roff.control("TP", []).text([bold(code)]).text([roman(meaning)]);
    }
    roff
}
