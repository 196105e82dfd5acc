//! The log in a file.

use super::server::Server;
use crate::harness::client;
use serde_json::Value;
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const IN_A_FILE: &str = "log = \"json\"\nlog_file = \"logs/gait.log\"\n";

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

async fn serving(first_lines: &str) -> Server {
    let mut server = Server::configured(|base| format!("{first_lines}{base}"));
    std::fs::create_dir(server.path("logs")).unwrap();
    server.serve().await;
    server
}

async fn is_there(path: &Path) {
    for _ in 0..200 {
        if path.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{} is not there", path.display());
}

/// What logrotate does: renames, signals, and reads the old one when nobody writes to it any more.
#[tokio::test]
async fn a_renamed_log_goes_on_in_a_new_file_and_each_request_is_in_one_of_them() {
    let mut server = serving(IN_A_FILE).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn({
        let (is_over, url) = (is_over.clone(), format!("{}/jwks.json", server.issuer));
        async move {
            let client = client();
            let mut ids = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let answer = client.get(&url).send().await.unwrap();
                ids.push(answer.headers()["x-request-id"].to_str().unwrap().to_owned());
            }
            ids
        }
    });
    let log = server.path("logs/gait.log");
    for name in ["logs/gait.log.1", "logs/gait.log.2"] {
        tokio::time::sleep(Duration::from_millis(100)).await;
        std::fs::rename(&log, server.path(name)).unwrap();
        server.signal("HUP");
        is_there(&log).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    is_over.store(true, Ordering::Relaxed);
    let asked = asking.await.unwrap();
    // The last lines are written before the process ends.
    server.stop().await;

    let mut found: HashMap<String, u32> = HashMap::new();
    for name in ["logs/gait.log.1", "logs/gait.log.2", "logs/gait.log"] {
        let lines = lines(&server.path(name));
        let done = lines.iter().filter(|line| line["fields"]["message"] == "done");
        let ids: Vec<_> = done.map(|line| line["span"]["id"].as_str().unwrap().to_owned()).collect();
        assert!(!ids.is_empty(), "{name} has requests");
        ids.into_iter().for_each(|id| *found.entry(id).or_default() += 1);
    }
    assert!(asked.len() > 20, "{}", asked.len());
    for id in asked {
        assert_eq!(found.get(&id), Some(&1), "{id}");
    }
    let end = lines(&log).pop().unwrap();
    assert_eq!(end["level"], "INFO", "{end}");
    assert_eq!(server.log(), "", "nothing goes to standard error as well");
    let mode = std::fs::metadata(&log).unwrap().permissions().mode();
    assert_eq!(mode & 0o137, 0, "nobody else reads it: {mode:o}");
}

#[tokio::test]
async fn the_level_follows_the_file_and_a_wrong_configuration_does_not_stop_the_rotation() {
    let server = serving(IN_A_FILE).await;
    let log = server.path("logs/gait.log");
    let good = server.configuration();
    server.configure(&format!("nonsense = 1\n{good}"));
    std::fs::rename(&log, server.path("logs/old")).unwrap();
    server.signal("HUP");
    is_there(&log).await;

    server.configure(&format!("log_level = \"info,gait::http=warn\"\n{good}"));
    server.signal("HUP");
    let tells = |wanted: &str| {
        let lines = lines(&log);
        lines.iter().any(|line| {
            line["fields"]["message"]
                .as_str()
                .is_some_and(|text| text.starts_with(wanted))
        })
    };
    for _ in 0..200 {
        if tells("reloaded: ") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(tells("not reloaded") && tells("reloaded: "));
    let before = lines(&log).len();
    let asked = client().get(format!("{}/jwks.json", server.issuer)).send();
    assert!(asked.await.unwrap().status().is_success());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(lines(&log).len(), before, "requests aren't logged any more");
}

#[tokio::test]
async fn a_log_that_can_not_be_written_is_told_before_anything_begins() {
    let server = Server::configured(|base| format!("{IN_A_FILE}{base}"));
    let complaint = server.complaint(&["serve"]).await;
    assert!(
        complaint.contains("log_file: ") && complaint.contains("logs/gait.log: No such file"),
        "{complaint}"
    );
    assert!(!server.path("data").exists());
}
