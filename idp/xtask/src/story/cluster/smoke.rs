//! `cargo xtask cluster --check`: what must hold of two nodes, counted.

use super::parts::Cluster;
use crate::app::{App, Standing, Tokens};
use crate::browser::Browser;
use crate::mailbox::Mailbox;
use crate::person::Person;
use anyhow::{Context as _, ensure};
use std::cell::Cell;

const ADDRESS: &str = "127.0.0.1";
/// Sign-ins before anything is broken.
const CALM: usize = 4;

/// What was done, and what was seen to hold.
#[derive(Default)]
struct Counts {
    sign_ins: usize,
    introspections: usize,
    checks: usize,
}

/// Alice, and the app that she signs in to.
struct Visit {
    person: Person,
    app: App,
    /// The app at each node, past the balancer.
    direct: [App; 2],
    counts: Counts,
}

impl Visit {
    /// Signs in with a fresh browser, through the balancer.
    async fn sign_in(&mut self, issuer: &str) -> anyhow::Result<Tokens> {
        let mut browser = Browser::new(issuer, ADDRESS)?;
        let request = self.app.authorization_request(&[])?;
        let done = self.person.follow(&mut browser, request.url.clone()).await?;
        let tokens = self.app.redeem(&done.response, &request).await?;
        self.counts.sign_ins += 1;
        Ok(tokens)
    }

    /// Both nodes say the same of a token.
    async fn standing(&mut self, tokens: &Tokens, wanted: Standing) -> anyhow::Result<()> {
        for (node, app) in self.direct.iter().enumerate() {
            let found = app.introspect(&tokens.access).await?;
            ensure!(found == wanted, "node {}: the token is {found:?}, not {wanted:?}", node + 1);
            self.counts.introspections += 1;
        }
        Ok(())
    }

    fn holds(&mut self, what: &str) {
        self.counts.checks += 1;
        println!("  holds: {what}");
    }
}

/// Runs the sequence.
///
/// # Errors
/// Something doesn't hold; says what.
pub async fn run(cluster: &mut Cluster) -> anyhow::Result<()> {
    let issuer = cluster.issuer.clone();
    let app = App::with(&issuer, &cluster.app, cluster.clients.clone())?;
    let mut visit = Visit {
        person: Person::new(
            "alice",
            "walks-like-nobody-else",
            Mailbox::at_sink(cluster.mails.clone(), "alice@example.test"),
        ),
        direct: cluster.nodes.each_ref().map(|node| app.at(&node.url)),
        app,
        counts: Counts::default(),
    };
    spread(cluster, &mut visit, &issuer).await?;
    revoke(&mut visit, &issuer).await?;
    crash(cluster, &mut visit, &issuer).await?;
    roll(cluster, &mut visit, &issuer).await?;
    let counts = &visit.counts;
    println!(
        "{} sign-ins, {} introspections, {} checks, 0 violations",
        counts.sign_ins, counts.introspections, counts.checks
    );
    Ok(())
}

/// Sign-ins whose requests go to both nodes, and tokens that both know.
async fn spread(cluster: &Cluster, visit: &mut Visit, issuer: &str) -> anyhow::Result<()> {
    for _ in 0..CALM {
        let tokens = visit.sign_in(issuer).await?;
        visit.standing(&tokens, Standing::Active).await?;
    }
    let [one, other] = [cluster.nodes[0].answered()?, cluster.nodes[1].answered()?];
    ensure!(
        one > CALM && other > CALM,
        "the nodes have answered {one} and {other} requests"
    );
    visit.holds(&format!(
        "a sign-in's requests go to both nodes ({one} and {other}), and both know its tokens"
    ));
    Ok(())
}

/// A revocation at one node is seen by the other at once, and a refresh works on either.
async fn revoke(visit: &mut Visit, issuer: &str) -> anyhow::Result<()> {
    let tokens = visit.sign_in(issuer).await?;
    let (status, answer) = visit.direct[1].refresh(&tokens.refresh).await?;
    ensure!(status == 200, "refresh at node 2: {status} {answer}");
    let (status, answer) = visit.direct[0].refresh(&tokens.refresh).await?;
    ensure!(status == 400, "the spent refresh token at node 1: {status} {answer}");
    visit.standing(&tokens, Standing::Inactive).await?;
    visit.holds("a refresh token that was spent at one node is a replay at the other, and revokes its family on both");
    let tokens = visit.sign_in(issuer).await?;
    visit.direct[0].revoke(&tokens.refresh).await?;
    visit.standing(&tokens, Standing::Inactive).await?;
    visit.holds("a revocation at one node is the other's answer at once");
    Ok(())
}

/// A node is killed; the other goes on with what both had begun.
async fn crash(cluster: &mut Cluster, visit: &mut Visit, issuer: &str) -> anyhow::Result<()> {
    let tokens = visit.sign_in(issuer).await?;
    cluster.nodes[0].kill().await?;
    for _ in 0..CALM {
        visit.sign_in(issuer).await.context("with one node killed")?;
    }
    let found = visit.direct[1].introspect(&tokens.access).await?;
    ensure!(found == Standing::Active, "after the crash the token is {found:?}");
    visit.holds("with one node killed people sign in, and what was signed in stays so");
    cluster.nodes[0].start()?;
    cluster.nodes[0].ready().await?;
    visit.standing(&tokens, Standing::Active).await?;
    visit.holds("the killed node comes back, and knows what happened meanwhile");
    Ok(())
}

async fn restart_each(cluster: &mut Cluster) -> anyhow::Result<()> {
    for node in &mut cluster.nodes {
        node.stop().await?;
        node.start()?;
        node.ready().await?;
    }
    Ok(())
}

/// Each node is restarted in its turn while Alice signs in again and again.
async fn roll(cluster: &mut Cluster, visit: &mut Visit, issuer: &str) -> anyhow::Result<()> {
    let before = visit.counts.sign_ins;
    let rolled = Cell::new(false);
    let restarts = async {
        let outcome = restart_each(cluster).await;
        rolled.set(true);
        outcome
    };
    let signing_in = async {
        while !rolled.get() {
            visit.sign_in(issuer).await.context("during the rolling restart")?;
        }
        anyhow::Ok(())
    };
    let (restarted, signed_in) = tokio::join!(restarts, signing_in);
    restarted?;
    signed_in?;
    let tokens = visit.sign_in(issuer).await?;
    visit.standing(&tokens, Standing::Active).await?;
    let during = visit.counts.sign_ins - before;
    visit.holds(&format!(
        "both nodes are restarted in turn, and none of {during} sign-ins fails"
    ));
    Ok(())
}
