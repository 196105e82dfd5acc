//! The story that Gait is for, with the default model: the owner works for a minute, then another hand takes over.

use super::chrome;
use super::hand::{Hand, open_note};
use super::relying_party::{enrol_alice, sign_in, start_with};
use crate::harness::ALICE;
use std::time::Duration;

/// How long the owner works, and how long the other one is given for each of the two ends.
const OWNER: Duration = Duration::from_secs(60);
const OTHER: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_is_left_alone_and_whoever_takes_over_is_stepped_up_and_then_out() {
    let (provider, notebook) = start_with("\n[plugins.behavior]\nmodel = \"default\"\n").await;
    enrol_alice(&provider).await;
    chrome::story(&provider, async |chrome| {
        sign_in(&provider, &notebook, chrome, ALICE).await;
        open_note(chrome).await;
        let mut owner = Hand::of(chrome, "alice", 21);
        let asked = owner.works_until("dialog.gait[open]", OWNER).await;
        println!("owner: {} keys and {} actions", owner.played.keys, owner.played.actions);
        assert!(!asked, "the owner was asked");

        let mut other = Hand::of(chrome, "attacker", 22);
        assert!(other.works_until("dialog.gait[data-kind=step_up][open]", OTHER).await);
        println!(
            "other: {} keys and {} actions until the step-up",
            other.played.keys, other.played.actions
        );
        chrome.click("dialog.gait .gait-leave").await;
        open_note(chrome).await;
        assert!(other.works_until("#app[data-status=ended]", OTHER).await);
        println!(
            "other: {} keys and {} actions until the end",
            other.played.keys, other.played.actions
        );
    })
    .await;
}
