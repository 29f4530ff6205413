//! A real browser for tests, driven over WebDriver, which is JSON over HTTP
//! (<https://www.w3.org/TR/webdriver2/>). Knows no page.

use std::process::Command;
use std::thread;
use std::time::Duration;

use larder_rig::{Process, Stopwatch, free_port};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long the browser may take to start.
const START_MAX: Duration = Duration::from_secs(60);

/// How often it is asked whether it has.
const ASKED_EVERY: Duration = Duration::from_millis(20);

/// What WebDriver calls the name of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// CI has neither a sandbox, being root, nor a screen, nor much shared memory; and nothing is to be
/// asked of the network.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
];

/// A window of Chromium. Dropping it ends the browser.
pub struct Browser {
    agent: ureq::Agent,
    session: String,
    _driver: Process,
    _directory: TempDir,
}

impl Browser {
    /// Opens a window in which whatever is looked for is waited for, `patience` long.
    ///
    /// # Panics
    /// chromium-driver is not installed, or does not open a window within a minute.
    pub fn start(patience: Duration) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let port = free_port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).env("TMPDIR", directory.path());
        let driver = Process::start(&mut command, &directory.path().join("log"));
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(START_MAX)).build().new_agent();
        let origin = format!("http://127.0.0.1:{port}");
        answering(&agent, &origin);
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": ARGUMENTS },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "implicit": patience.as_millis() as u64 },
        } } });
        let mut browser = Browser { agent, session: origin, _driver: driver, _directory: directory };
        let opened = browser.told("/session", &capabilities);
        let id = opened["sessionId"].as_str().unwrap_or_else(|| panic!("no window: {opened}"));
        browser.session = format!("{}/session/{id}", browser.session);
        browser
    }

    /// Goes to an address.
    pub fn open(&self, url: &str) {
        self.must("/url", &json!({ "url": url }));
    }

    /// Waits until this XPath finds an element.
    ///
    /// # Panics
    /// It does not in time; shows the text of the page.
    pub fn sees(&self, path: &str) {
        self.element(path);
    }

    /// The text of an element as it is on the page.
    pub fn text(&self, path: &str) -> String {
        let element = self.element(path);
        let text = self.asked(&format!("/element/{element}/text"));
        text.as_str().unwrap_or_else(|| panic!("no text of {path}: {text}")).to_owned()
    }

    /// Types into an element, as a person at the keyboard.
    pub fn types(&self, path: &str, text: &str) {
        let element = self.element(path);
        self.must(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// What an expression of JavaScript is worth on the page.
    pub fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        self.must("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Makes the window so wide, as on another device.
    pub fn widen(&self, width: u32) {
        let device =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": device });
        self.must("/goog/cdp/execute", &command);
    }

    /// What the browser has complained of since it was last asked: errors of scripts, and what a policy
    /// forbade. That a server was not there, or refused, is none.
    pub fn complaints(&self) -> Vec<String> {
        let entries = self.must("/se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().into_iter().flatten();
        let own = entries.filter(|entry| entry["source"] != "network");
        own.map(|entry| entry["message"].to_string()).collect()
    }

    fn element(&self, path: &str) -> String {
        let found = self.told("/element", &json!({ "using": "xpath", "value": path }));
        match found[ELEMENT].as_str() {
            Some(element) => element.to_owned(),
            None => panic!("no {path} on\n{}", self.value("document.body.innerText")),
        }
    }

    fn must(&self, path: &str, body: &Value) -> Value {
        let answer = self.told(path, body);
        assert!(answer["error"].is_null(), "{path} with {body}: {answer}");
        answer
    }

    /// Gives the value of the answer, also of a refusal.
    fn told(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.session));
        value_of(request.header("content-type", "application/json").send(body.to_string()))
    }

    fn asked(&self, path: &str) -> Value {
        value_of(self.agent.get(format!("{}{path}", self.session)).call())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser; killed alone, it would leave it behind.
        drop(self.agent.delete(&self.session).call());
    }
}

fn value_of(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
    let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
    let text = text.expect("the driver answers");
    let mut answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    answer["value"].take()
}

#[expect(clippy::disallowed_methods, reason = "a process has no event that could be waited for")]
fn answering(agent: &ureq::Agent, origin: &str) {
    let waiting = Stopwatch::started();
    while agent.get(format!("{origin}/status")).call().is_err() {
        assert!(waiting.elapsed() < START_MAX, "the driver does not answer");
        thread::sleep(ASKED_EVERY);
    }
}
