//! Chromium without a window, driven over WebDriver: what a person sees of a page.
//!
//! `scripts/setup` tells where it is, or that there is none.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The programs that show a page.
#[derive(serde::Deserialize)]
pub struct Browser {
    chromium: PathBuf,
    chromedriver: PathBuf,
}

impl Browser {
    /// `file` is what `scripts/setup` wrote.
    pub(super) fn told_by(file: &Path) -> Self {
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }

    /// A new browser that shows `url`, with an empty profile, light colours, 1280 by 800 pixels.
    pub fn open(&self, url: &str) -> Tab {
        let mut tab = self.start();
        tab.visit(url);
        tab
    }

    fn start(&self) -> Tab {
        let profile = TempDir::new().unwrap();
        let mut command = Command::new(&self.chromedriver);
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().unwrap();
        let port = port_told(BufReader::new(driver.stdout.take().unwrap()));
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let address = format!("http://127.0.0.1:{port}/session");
        let mut tab = Tab { driver, address, runtime, client, _profile: profile };
        let session = tab.ask("POST", "", Some(&self.capabilities(tab._profile.path())));
        tab.address = format!("{}/{}", tab.address, session["sessionId"].as_str().unwrap());
        tab.resize(1280, 800);
        tab
    }

    fn capabilities(&self, profile: &Path) -> Value {
        let mut arguments = vec![format!("--user-data-dir={}", profile.display())];
        let always = [
            "--headless",
            "--no-sandbox", // where the tests run as root it does not start otherwise
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        arguments.extend(always.map(String::from));
        json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": self.chromium, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}})
    }
}

/// What the driver says once it listens.
fn port_told(output: impl BufRead) -> u16 {
    let told = output.lines().map(Result::unwrap).find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    told.expect("the driver of the browser did not start")
}

/// A page in a browser, until dropped.
pub struct Tab {
    driver: Child,
    address: String,
    runtime: Runtime,
    client: reqwest::Client,
    _profile: TempDir,
}

impl Tab {
    /// Shows another page, once it is loaded.
    pub fn visit(&mut self, url: &str) {
        self.ask("POST", "/url", Some(&json!({"url": url})));
    }

    /// The size of the page's window; below 600 pixels it is a phone.
    pub fn resize(&mut self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// The person prefers dark colours, say: `prefers-color-scheme` is `dark`.
    pub fn prefer(&mut self, feature: &str, value: &str) {
        self.devtools("Emulation.setEmulatedMedia", &json!({"features": [{"name": feature, "value": value}]}));
    }

    /// The value of a JavaScript expression.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let script = format!("return ({expression})");
        self.ask("POST", "/execute/sync", Some(&json!({"script": script, "args": []})))
    }

    /// Looks at each frame until a JavaScript expression is true.
    pub fn wait_for(&mut self, expression: &str) {
        let script = format!(
            "const done = arguments[0]; \
             const look = () => ({expression}) ? done(true) : requestAnimationFrame(look); look();"
        );
        self.ask("POST", "/execute/async", Some(&json!({"script": script, "args": []})));
    }

    /// The texts of the elements that a CSS selector finds and a person can see.
    pub fn texts(&mut self, selector: &str) -> Vec<String> {
        let found = self.evaluate(&format!(
            "[...document.querySelectorAll({})].filter(e => e.checkVisibility()).map(e => e.innerText.trim())",
            json!(selector)
        ));
        serde_json::from_value(found).unwrap()
    }

    /// Types on the keyboard, into the first element that a CSS selector finds.
    pub fn type_into(&mut self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.ask("POST", &format!("/element/{element}/value"), Some(&json!({"text": text})));
    }

    /// Clicks at the first element that a CSS selector finds.
    pub fn click(&mut self, selector: &str) {
        let element = self.find(selector);
        self.ask("POST", &format!("/element/{element}/click"), Some(&json!({})));
    }

    /// What the page complained of on the console: errors of scripts, refused or failed loads.
    pub fn complaints(&mut self) -> Vec<String> {
        let log = self.ask("POST", "/se/log", Some(&json!({"type": "browser"})));
        log.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// The id of an element, which the protocol gives under a name of its own.
    fn find(&mut self, selector: &str) -> String {
        let found = self.ask("POST", "/element", Some(&json!({"using": "css selector", "value": selector})));
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    fn devtools(&mut self, command: &str, parameters: &Value) {
        self.ask("POST", "/goog/cdp/execute", Some(&json!({"cmd": command, "params": parameters})));
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.address));
        let request = body.map(|body| request.try_clone().unwrap().body(body.to_string())).unwrap_or(request);
        let answer = self.runtime.block_on(async { request.send().await.unwrap().bytes().await.unwrap() });
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        let value = answer["value"].take();
        assert!(value["error"].is_null(), "{method} {path}: {value:#}");
        value
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        let end = self.client.delete(&self.address);
        let _ = self.runtime.block_on(end.send());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
