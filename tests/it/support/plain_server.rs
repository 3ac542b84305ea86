//! The plainest web server there is, Python's own, over a folder that prefetch wrote.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::judges::judges;

/// A server that stops when dropped.
pub struct PlainServer {
    process: Child,
    port: u16,
}

impl PlainServer {
    /// Serves what lies in `folder`.
    pub fn over(folder: &Path) -> Self {
        let mut command = Command::new(judges().python("current"));
        command.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"]).arg(folder);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut greeting = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let port = greeting.split("port ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        Self { process, port: port.unwrap_or_else(|| panic!("no port in `{greeting}`")) }
    }

    /// `http://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

impl Drop for PlainServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
