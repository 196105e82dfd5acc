//! A headless Chromium with a profile of its own, driven by WebDriver.

use crate::harness::{Person, Provider, code_in, label_of};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use futures_util::FutureExt as _;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

/// Where Debian puts it; `CHROMEDRIVER` names another.
const DRIVER: &str = "/usr/bin/chromedriver";
const PATIENCE: Duration = Duration::from_secs(30);
/// Stories that run at once: a browser wants memory.
static SLOTS: Semaphore = Semaphore::const_new(2);

/// A browser.
pub struct Chrome {
    pub page: Client,
    http: reqwest::Client,
    driver_url: String,
    _driver: Child,
    _profile: TempDir,
}

/// Tells a story in a browser of its own, and closes it however the story ends.
pub async fn story(provider: &Provider, tell: impl AsyncFnOnce(&Chrome)) {
    run(provider, true, tell).await;
}

/// The same without JavaScript.
pub async fn story_without_scripts(provider: &Provider, tell: impl AsyncFnOnce(&Chrome)) {
    run(provider, false, tell).await;
}

async fn run(provider: &Provider, scripts: bool, tell: impl AsyncFnOnce(&Chrome)) {
    let _slot = SLOTS.acquire().await.expect("never closed");
    within(provider, scripts, tell).await;
}

/// Another browser beside the story's own.
pub async fn beside(provider: &Provider, tell: impl AsyncFnOnce(&Chrome)) {
    within(provider, true, tell).await;
}

async fn within(provider: &Provider, scripts: bool, tell: impl AsyncFnOnce(&Chrome)) {
    let chrome = Chrome::open(provider, scripts).await;
    let told = AssertUnwindSafe(tell(&chrome)).catch_unwind().await;
    let troubles = if told.is_ok() { chrome.troubles().await } else { Vec::new() };
    if told.is_err() {
        let url = chrome
            .page
            .current_url()
            .await
            .map_or_else(|error| error.to_string(), |url| url.to_string());
        let text = chrome.page.execute("return document.body.innerText", Vec::new()).await;
        eprintln!("the browser was at {url}: {text:?}");
    }
    let closed = chrome.page.clone().close().await;
    if let Err(panic) = told {
        resume_unwind(panic);
    }
    closed.expect("the browser closes");
    assert!(troubles.is_empty(), "the browser complained: {troubles:#?}");
}

impl Chrome {
    async fn open(provider: &Provider, scripts: bool) -> Self {
        let (driver, driver_url) = start_driver().await;
        let profile = tempfile::tempdir().expect("a folder");
        let folder = format!("--user-data-dir={}", profile.path().display());
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--lang=en",
            "--window-size=1000,900",
            &folder,
        ];
        let allowed = if scripts { 1 } else { 2 };
        let capabilities = json!({
            "goog:chromeOptions": {
                "args": args,
                "prefs": { "profile.managed_default_content_settings.javascript": allowed, "intl.accept_languages": "en" },
            },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let capabilities = capabilities.as_object().expect("an object").clone();
        let builder = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver_url)
            .await;
        let page = builder.unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        Self {
            page,
            http: provider.http.clone(),
            driver_url,
            _driver: driver,
            _profile: profile,
        }
    }

    pub async fn goto(&self, url: &str) {
        self.page.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Waits for an element.
    pub async fn find(&self, css: &str) -> Element {
        let found = self.page.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        found.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    pub async fn has(&self, css: &str) -> bool {
        !self.page.find_all(Locator::Css(css)).await.expect("an answer").is_empty()
    }

    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("a field");
        field.send_keys(text).await.expect("a field");
    }

    pub async fn click(&self, css: &str) {
        self.find(css)
            .await
            .click()
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Types where the focus is.
    pub async fn type_keys(&self, keys: &str) {
        let focused = self.page.active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.expect("keys");
    }

    pub async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.expect("a text")
    }

    pub async fn path(&self) -> String {
        self.page.current_url().await.expect("an address").path().to_owned()
    }

    /// Waits until the address begins so.
    pub async fn arrive(&self, url: &str) {
        for _ in 0..300 {
            if self.page.current_url().await.expect("an address").as_str().starts_with(url) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "never came to {url}, but to {}",
            self.page.current_url().await.expect("an address")
        );
    }

    /// Fills in name and password.
    pub async fn give_password(&self, person: Person) {
        self.fill("input[name=identifier]", person.username).await;
        self.fill("input[name=password]", person.password).await;
        self.click("form button.primary").await;
    }

    /// Reads the code that was mailed for the page.
    pub async fn mailed_code(&self, provider: &Provider, person: Person) -> String {
        let label = label_of(&self.text("label[for=f-code]").await);
        let mail = provider.mail(person.email, |mail| mail.subject.contains(&label)).await;
        code_in(&mail.text)
    }

    /// Signs in with password and code.
    pub async fn sign_in(&self, provider: &Provider, person: Person) {
        self.give_password(person).await;
        let code = self.mailed_code(provider, person).await;
        self.fill("input[name=code]", &code).await;
        self.click("form button.primary").await;
    }

    /// Makes the page as wide as that, whatever the window; `None` undoes it.
    pub async fn set_width(&self, width: Option<u32>) {
        let command = match width {
            Some(width) => json!({
                "cmd": "Emulation.setDeviceMetricsOverride",
                "params": { "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false },
            }),
            None => json!({ "cmd": "Emulation.clearDeviceMetricsOverride", "params": {} }),
        };
        self.cdp(&command).await;
        let inner = self
            .page
            .execute("return window.innerWidth", Vec::new())
            .await
            .expect("a script");
        assert!(width.is_none_or(|width| inner == json!(width)), "{inner}");
    }

    /// Sends a command of the DevTools protocol: `{"cmd": …, "params": …}`.
    pub async fn cdp(&self, command: &Value) -> Value {
        let answer = self.ask_driver("goog/cdp/execute", command).await;
        assert!(answer["value"].get("error").is_none(), "{answer}");
        answer["value"].clone()
    }

    /// Runs a script in each page before its own.
    pub async fn run_first(&self, script: &str) {
        let command = json!({ "cmd": "Page.addScriptToEvaluateOnNewDocument", "params": { "source": script } });
        self.cdp(&command).await;
    }

    /// What a script in the page returns.
    pub async fn ask(&self, script: &str) -> Value {
        self.page
            .execute(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// What fantoccini has no word for.
    async fn ask_driver(&self, path: &str, body: &Value) -> Value {
        let session = self.page.session_id().await.expect("an answer").expect("a session");
        let url = format!("{}/session/{session}/{path}", self.driver_url);
        let answer = self.http.post(url).json(body).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    /// What a screen reader would stumble over on this page.
    pub async fn barriers(&self) -> Vec<String> {
        let found = self.page.execute(BARRIERS, Vec::new()).await.expect("a script");
        serde_json::from_value(found).expect("a list")
    }

    /// Violations of the content security policy and uncaught errors that the browser noted.
    async fn troubles(&self) -> Vec<String> {
        let log = self.ask_driver("se/log", &json!({ "type": "browser" })).await;
        let entries = log["value"].as_array().unwrap_or_else(|| panic!("{log}")).iter();
        let messages = entries.filter_map(|entry| entry["message"].as_str());
        let bad = ["Content Security Policy", "Refused to", "Uncaught", "violates"];
        messages
            .filter(|message| bad.iter().any(|bad| message.contains(bad)))
            .map(str::to_owned)
            .collect()
    }
}

const BARRIERS: &str = r#"
const found = [];
const say = (what, node) => found.push(`${what}: ${node.outerHTML.slice(0, 120)}`);
if (!document.documentElement.lang) found.push("no language");
if (!document.title.trim()) found.push("no title");
if (document.querySelectorAll("h1").length !== 1) found.push(`${document.querySelectorAll("h1").length} h1`);
if (!document.querySelector("main")) found.push("no main");
if (!document.querySelector("meta[name=viewport]")) found.push("no viewport");
const named = (node) => node.labels?.length || node.getAttribute("aria-label") || node.getAttribute("aria-labelledby");
for (const node of document.querySelectorAll("input:not([type=hidden]):not([aria-hidden=true]), select, textarea"))
  if (!named(node)) say("no label", node);
for (const node of document.querySelectorAll("button, a[href]"))
  if (!node.textContent.trim() && !node.getAttribute("aria-label")) say("no name", node);
for (const node of document.querySelectorAll("img:not([alt])")) say("no alt", node);
for (const node of document.querySelectorAll("[aria-labelledby], [aria-describedby]"))
  for (const id of `${node.getAttribute("aria-labelledby") ?? ""} ${node.getAttribute("aria-describedby") ?? ""}`.split(" ").filter(Boolean))
    if (!document.getElementById(id)) say(`no element ${id}`, node);
for (const node of document.querySelectorAll("[tabindex]")) if (node.tabIndex > 0) say("tabindex", node);
const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) found.push(`twice: ${id}`);
for (const node of document.querySelectorAll("button, input:not([type=hidden]):not(.away):not([aria-hidden=true])")) {
  const box = node.getBoundingClientRect();
  if (box.width && box.height && (box.height < 24 || box.width < 24) && node.type !== "checkbox") say(`small (${box.width}×${box.height})`, node);
}
if (document.documentElement.scrollWidth > document.documentElement.clientWidth) found.push("scrolls sideways");
return found;
"#;

/// Starts chromedriver on a free port; returns its address.
async fn start_driver() -> (Child, String) {
    let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| DRIVER.to_owned());
    let mut command = Command::new(&program);
    command
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let started = command.spawn();
    let mut driver = started.unwrap_or_else(|error| {
        panic!("{program}: {error}. These tests need Chromium and its driver: apt install chromium chromium-driver, or name one in CHROMEDRIVER")
    });
    let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
    let port = tokio::time::timeout(PATIENCE, async {
        while let Some(line) = lines.next_line().await.expect("its output") {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                return port.trim_end_matches('.').parse::<u16>().expect("a port");
            }
        }
        panic!("{program} ended without a word");
    });
    let port = port.await.unwrap_or_else(|_| panic!("{program} does not start"));
    // Its output must go on being read, or it would stand still one day.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (driver, format!("http://127.0.0.1:{port}"))
}
