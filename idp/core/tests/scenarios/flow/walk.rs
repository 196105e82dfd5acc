//! Random walks: whatever two browsers do, with two people's secrets and an attacker's guesses, a code means that everything the plan
//! takes was proven by that person in that browser. `PROPTEST_CASES` sets how many walks are made.

use super::browser::{Browser, Where, fields, param};
use super::stage::{Stage, plan, policy, registry};
use gait_core::flow::Ask;
use gait_core::ids::{AccountId, FlowId};
use gait_core::policy::{Plan, Policy};
use gait_core::session::Session;
use gait_core::store::SessionStore;
use gait_core::token::ClientRequest;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};

#[derive(Clone, Debug)]
enum Step {
    Authorize(usize, &'static str, &'static str),
    /// Whatever is asked is answered as this person would.
    Right(usize, &'static str),
    Identify(usize, usize, &'static str),
    Password(usize, &'static str),
    Code(usize, &'static str),
    Backup(usize, &'static str),
    Other(usize, &'static str),
    Click(usize, &'static str, &'static str),
    Resend(usize),
    OldPage(usize),
    SwapFlow,
    Wait(i64),
    Doubt(&'static str),
    SignOut(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0usize..2;
    let name = || prop_oneof![Just("alice"), Just("bob")];
    prop_oneof![
        3 => (who(), prop_oneof![Just("app"), Just("third")], prop_oneof![Just(""), Just("none"), Just("login"), Just("select_account"), Just("consent")])
            .prop_map(|(b, client, prompt)| Step::Authorize(b, client, prompt)),
        4 => who().prop_map(|b| Step::Click(b, "account", "other")),
        20 => (prop_oneof![3 => Just(0usize), 1 => Just(1)], name()).prop_map(|(b, name)| Step::Right(b, name)),
        4 => (who(), 0usize..3, name()).prop_map(|(b, right, name)| Step::Identify(b, right, name)),
        2 => (who(), name()).prop_map(|(b, name)| Step::Password(b, name)),
        5 => (who(), name()).prop_map(|(b, name)| Step::Code(b, name)),
        2 => (who(), name()).prop_map(|(b, name)| Step::Backup(b, name)),
        2 => (who(), prop_oneof![Just("otp"), Just("backup"), Just("password"), Just("place"), Just("key")]).prop_map(|(b, way)| Step::Other(b, way)),
        3 => (who(), prop_oneof![Just(("consent", "allow")), Just(("consent", "deny")), Just(("account", "other")), Just(("account", "continue")),
                Just(("continue", "yes")), Just(("cancel", "yes")), Just(("report", "yes")), Just(("watch", "yes"))])
            .prop_map(|(b, (field, value))| Step::Click(b, field, value)),
        1 => who().prop_map(Step::Resend),
        2 => who().prop_map(Step::OldPage),
        1 => Just(Step::SwapFlow),
        1 => prop_oneof![Just(1i64), Just(400), Just(1000)].prop_map(Step::Wait),
        1 => name().prop_map(Step::Doubt),
        1 => who().prop_map(Step::SignOut),
    ]
}

/// Plans that all take a password and something else, in either order.
fn plans() -> impl Strategy<Value = Plan> {
    prop_oneof![
        Just(policy().plan),
        Just(plan(&[&["otp", "backup"], &["password"]])),
        Just(plan(&[&["password"], &["backup", "otp"]])),
    ]
}

/// What truly happened, kept apart from the provider.
#[derive(Default)]
struct Truth {
    /// What each browser has shown to know, of whom, in this walk.
    shown: HashMap<usize, HashSet<(&'static str, &'static str)>>,
    codes: HashSet<String>,
}

struct Walk {
    stage: Stage,
    browsers: [Browser; 2],
    flows: [Option<FlowId>; 2],
    pages: [Vec<(FlowId, std::collections::BTreeMap<String, String>)>; 2],
    truth: Truth,
    /// Both browsers are a thief's, who has bob's account and alice's password, but neither her mail nor her backup code.
    robs: bool,
}

impl Walk {
    async fn new(plan: Plan) -> Self {
        let policy = Policy { plan, ..policy() };
        Self {
            stage: Stage::with(policy, registry()).await,
            browsers: [Browser::at("192.0.2.1"), Browser::at("192.0.2.2")],
            flows: [None, None],
            pages: [Vec::new(), Vec::new()],
            truth: Truth::default(),
            robs: false,
        }
    }

    fn id(&self, name: &str) -> AccountId {
        if name == "alice" { self.stage.alice } else { self.stage.bob }
    }

    async fn take(&mut self, step: &Step) {
        match step.clone() {
            Step::Authorize(b, client, prompt) => self.authorize(b, client, prompt).await,
            Step::Right(b, name) => self.right(b, name).await,
            Step::Identify(b, right, name) => {
                let password = if right > 0 { format!("pw-{name}") } else { "guess".to_owned() };
                self.shows(b, right > 0, ("password", name));
                self.post(b, &[("identifier", name), ("password", &password)]).await;
            }
            Step::Password(b, name) => {
                self.shows(b, true, ("password", name));
                self.post(b, &[("password", &format!("pw-{name}"))]).await;
            }
            Step::Code(b, name) => self.code(b, name).await,
            Step::Backup(_, "alice") if self.robs => {}
            Step::Backup(b, name) => {
                self.shows(b, true, ("backup", name));
                self.post(b, &[("backup", &format!("bk-{name}"))]).await;
            }
            Step::Other(b, way) => self.post(b, &[("other", way)]).await,
            Step::Click(b, field, value) => self.post(b, &[(field, value)]).await,
            Step::Resend(b) => self.post(b, &[("action", "resend")]).await,
            Step::OldPage(b) => self.old_page(b).await,
            Step::SwapFlow => self.flows.swap(0, 1),
            Step::Wait(seconds) => self.stage.advance(seconds),
            Step::Doubt(name) => self.doubt(name).await,
            Step::SignOut(b) => self.browsers[b].session = None,
        }
    }

    fn shows(&mut self, browser: usize, really: bool, what: (&'static str, &'static str)) {
        if really {
            self.truth.shown.entry(browser).or_default().insert(what);
        }
    }

    async fn authorize(&mut self, b: usize, client: &str, prompt: &str) {
        let extra = [("prompt", prompt)];
        let extra = if prompt.is_empty() { &[][..] } else { &extra[..] };
        match self.browsers[b].authorize(&self.stage, client, extra).await {
            Ok(flow) => self.flows[b] = Some(flow),
            Err(response) => self.check(b, Where::Client(response)).await,
        }
    }

    async fn right(&mut self, b: usize, name: &'static str) {
        let Some(flow) = self.flows[b].clone() else { return };
        let caller = self.browsers[b].caller(Some(&flow));
        let Ok(prompt) = self.stage.idp.prompt(&flow, &caller).await else {
            return;
        };
        match prompt.ask {
            Ask::SignIn { form, .. } if form.nodes.is_empty() => self.post(b, &[("identifier", name)]).await,
            Ask::SignIn { .. } => Box::pin(self.take(&Step::Identify(b, 1, name))).await,
            Ask::Factor { plugin, .. } => match plugin.as_str() {
                "otp" => self.code(b, name).await,
                "backup" => Box::pin(self.take(&Step::Backup(b, name))).await,
                _ => Box::pin(self.take(&Step::Password(b, name))).await,
            },
            Ask::Consent { .. } => self.post(b, &[("consent", "allow")]).await,
            Ask::SelectAccount { .. } => self.post(b, &[("account", "continue")]).await,
            Ask::ApprovalSent { .. } => self.post(b, &[("continue", "yes")]).await,
            Ask::BehaviourConsent { .. } => self.post(b, &[]).await,
        }
    }

    async fn code(&mut self, b: usize, name: &'static str) {
        if self.robs && name == "alice" {
            return;
        }
        let Some(mail) = self.stage.ports.mailbox.last(&format!("{name}@example.com"), "otp") else {
            return;
        };
        self.shows(b, true, ("otp", name));
        self.post(b, &[("code", &mail.args["code"].clone())]).await;
    }

    async fn post(&mut self, b: usize, pairs: &[(&str, &str)]) {
        let Some(flow) = self.flows[b].clone() else { return };
        let caller = self.browsers[b].caller(Some(&flow));
        let Ok(prompt) = self.stage.idp.prompt(&flow, &caller).await else {
            return;
        };
        let mut sent = fields(pairs);
        sent.insert("csrf".to_owned(), prompt.csrf.clone());
        self.pages[b].push((flow.clone(), sent.clone()));
        if let Ok(end) = self.browsers[b].post(&self.stage, &flow, &sent).await {
            self.check(b, end).await;
        }
    }

    /// Sends a page again that was answered before.
    async fn old_page(&mut self, b: usize) {
        let Some((flow, sent)) = self.pages[b].first().cloned() else {
            return;
        };
        let end = self.browsers[b].post(&self.stage, &flow, &sent).await;
        assert!(!end.is_ok_and(|end| end.is_code()), "an old page led to a code");
    }

    async fn doubt(&mut self, name: &str) {
        for session in self.stage.sessions(self.id(name)).await {
            self.stage.demand_step_up(&session.id).await;
        }
    }

    /// The oracle: whatever led to a code, this browser has shown every secret that the session's proofs stand for, of this person.
    async fn check(&mut self, b: usize, end: Where) {
        let Where::Client(response) = end else { return };
        let Some(code) = param(&response, "code") else { return };
        assert!(self.truth.codes.insert(code.clone()), "one code was issued twice");
        let secret = self.browsers[b].session.as_ref().expect("a code without a session").hash();
        let session = self.stage.store.session_by_secret(&secret).await.unwrap().expect("a session");
        assert!(
            session.ended.is_none() && session.step_up.is_none(),
            "a code in spite of an end or a doubt"
        );
        let name = if session.account == self.stage.alice { "alice" } else { "bob" };
        self.check_proofs(b, &session, name);
        self.check_redeems(&response.redirect_uri, &code, &session).await;
    }

    fn check_proofs(&self, b: usize, session: &Session, name: &'static str) {
        let proven: BTreeSet<&str> = session.proofs.iter().map(|proof| proof.plugin.as_str()).collect();
        assert!(proven.contains("password"), "{proven:?}");
        assert!(proven.contains("otp") || proven.contains("backup"), "{proven:?}");
        let shown = self.truth.shown.get(&b).cloned().unwrap_or_default();
        for plugin in proven {
            let known = shown.iter().any(|(shown_plugin, of)| *shown_plugin == plugin && *of == name);
            assert!(known, "{plugin} of {name} was never shown in this browser");
        }
    }

    async fn check_redeems(&self, redirect_uri: &str, code: &str, session: &Session) {
        let client = redirect_uri.trim_start_matches("https://").split('.').next().unwrap();
        let params = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            ("client_id", client),
        ];
        let request = ClientRequest {
            params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            authorization: None,
            address: None,
            request_id: "walk".to_owned(),
        };
        let answer = self
            .stage
            .idp
            .token(&request)
            .await
            .expect("a code that was just issued is good");
        let token = answer["access_token"].as_str().unwrap();
        let claims = self.stage.idp.userinfo(token).await.expect("and so is its token");
        assert_eq!(claims["sub"], session.account.to_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_requests_reaches_a_code_without_a_satisfied_plan(plan in plans(), steps in proptest::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut walk = Walk::new(plan).await;
            for step in &steps {
                walk.take(step).await;
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_thief_with_an_account_and_anothers_password_never_becomes_the_other(plan in plans(), steps in proptest::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut walk = Walk { robs: true, ..Walk::new(plan).await };
            for step in &steps {
                walk.take(step).await;
                assert!(walk.stage.sessions(walk.stage.alice).await.is_empty());
            }
        });
    }
}

/// The walk does reach codes: an oracle that is never asked proves nothing.
#[tokio::test]
async fn the_walk_knows_the_way() {
    let mut walk = Walk::new(policy().plan).await;
    let way = [
        Step::Authorize(0, "app", ""),
        Step::Identify(0, 1, "alice"),
        Step::Code(0, "alice"),
        Step::Authorize(0, "app", "none"),
        Step::Authorize(0, "third", ""),
        Step::Click(0, "consent", "allow"),
        Step::Authorize(1, "app", ""),
        Step::Identify(1, 1, "bob"),
        Step::Other(1, "backup"),
        Step::Backup(1, "bob"),
        Step::Doubt("bob"),
        Step::Authorize(1, "app", ""),
        Step::Password(1, "bob"),
        Step::Code(1, "bob"),
    ];
    for step in &way {
        walk.take(step).await;
    }
    assert_eq!(walk.truth.codes.len(), 5);
}
