//! `prefetch serve` as a running process, and plain requests to it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::{Bucket, Sandbox, ServedIndex};

/// A server over something in a sandbox, until dropped.
pub struct Served {
    process: Child,
    errors: BufReader<std::process::ChildStderr>,
    pub address: String,
}

/// Returns the address in the first line that states one.
fn address_told(errors: &mut impl BufRead) -> String {
    let mut told = String::new();
    loop {
        let mut line = String::new();
        assert!(errors.read_line(&mut line).unwrap() > 0, "it ended: {told}");
        if let Some(rest) = line.split("http://").nth(1).filter(|_| line.starts_with("Serving")) {
            return rest.split('/').next().unwrap().to_owned();
        }
        told += &line;
    }
}

impl Served {
    pub fn over(sandbox: &Sandbox, path: &str) -> Self {
        Self::with(sandbox, &[path])
    }

    /// A pull-through index over `index`.
    pub fn through(sandbox: &Sandbox, index: &ServedIndex, arguments: &[&str]) -> Self {
        let url = index.url();
        Self::with(sandbox, &[&["--through", "--index-url", &url, "--retries", "0"], arguments].concat())
    }

    /// A pull-through index over `index`, with a bucket as its shared store.
    pub fn through_store(sandbox: &Sandbox, index: &ServedIndex, bucket: &Bucket) -> Self {
        let (index, store) = (index.url(), bucket.url());
        let arguments = ["serve", "--port", "0", "--through", "--index-url", &index, "--store", &store];
        let mut command = sandbox.process(arguments);
        command.envs(bucket.variables());
        Self::start(command)
    }

    pub fn with(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        Self::start(sandbox.process([&["serve", "--port", "0"], arguments].concat()))
    }

    fn start(mut command: Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(process.stderr.take().unwrap());
        let address = address_told(&mut errors);
        Self { process, errors, address }
    }

    pub fn index(&self) -> String {
        format!("http://{}/simple/", self.address)
    }

    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.ask("GET", path, headers)
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client =
                reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
            let url = format!("http://{}{path}", self.address);
            let mut request = client.request(method.parse().unwrap(), url);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let response = request.send().await.unwrap();
            let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap().to_owned();
            Reply {
                status: response.status().as_u16(),
                headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
                body: response.bytes().await.unwrap().to_vec(),
            }
        })
    }

    /// Sends a request, and returns the connection.
    pub fn open(&self, path: &str) -> std::net::TcpStream {
        let mut socket = std::net::TcpStream::connect(&self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        std::io::Write::write_all(&mut socket, request.as_bytes()).unwrap();
        socket
    }

    /// Returns the statuses of the responses to these bytes, until the server closes the connection.
    pub fn raw(&self, bytes: &str) -> Vec<u16> {
        let mut socket = std::net::TcpStream::connect(&self.address).unwrap();
        // It may close the connection before it has read all.
        let _ = std::io::Write::write_all(&mut socket, bytes.as_bytes());
        let mut received = Vec::new();
        let _ = std::io::Read::read_to_end(&mut socket, &mut received);
        let text = String::from_utf8_lossy(&received);
        let statuses = text.split("HTTP/1.").skip(1).filter_map(|rest| rest.get(2..5)?.parse().ok());
        statuses.collect()
    }

    /// Waits until it says `words`.
    pub fn wait_for(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.errors.read_line(&mut line).unwrap() > 0, "it ended and did not say {words}");
        }
    }

    /// Ends it as a service manager would; returns its exit code, and all that it said since.
    #[cfg(unix)]
    pub fn terminate(mut self) -> (Option<i32>, String) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.errors, &mut said).unwrap();
        (self.process.wait().unwrap().code(), said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A response that was read as a whole.
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}
