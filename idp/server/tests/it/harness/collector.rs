//! What `gait.js` does, with a rhythm instead of a person.

use super::app::{Answer, read};
use super::provider::client;
use super::{App, Provider, TestClock, Tokens};
use gait::dev::rhythm::{Rhythm, normals};
use serde_json::{Value, json};

/// The watched app's origin.
pub const ORIGIN: &str = "https://work.example";

/// A page that is watched.
pub struct Collector {
    pub token: String,
    pub seq: u64,
    issuer: String,
    http: reqwest::Client,
    clock: TestClock,
    normal: Box<dyn FnMut() -> f64 + Send>,
}

/// Asks for a watch token.
pub async fn watch_token(provider: &Provider, access: &str, origin: &str) -> Answer {
    let request = provider
        .http
        .post(provider.url("/continuous/token"))
        .bearer_auth(access)
        .json(&json!({ "origin": origin }));
    read(request.send().await.expect("an answer")).await
}

impl Collector {
    /// Begins to watch the session of these tokens.
    pub async fn start(provider: &Provider, tokens: &Tokens) -> Self {
        let answer = watch_token(provider, &tokens.access, ORIGIN).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.body["expires_in"].as_u64().expect("a number") <= 600);
        Self {
            token: answer.body["watch_token"].as_str().expect("a token").to_owned(),
            seq: 0,
            issuer: provider.issuer.clone(),
            http: client(),
            clock: provider.clock.clone(),
            normal: Box::new(normals(7)),
        }
    }

    /// The same page, which asks the node with this address.
    pub fn on(self, url: &str) -> Self {
        Self {
            issuer: url.to_owned(),
            ..self
        }
    }

    /// The next batch of a rhythm.
    pub fn batch(&mut self, rhythm: &Rhythm) -> Value {
        self.seq += 1;
        rhythm.sample(&mut self.normal).wire(self.seq)
    }

    /// Posts a body as a batch.
    pub async fn post(&self, body: String, origin: &str) -> Answer {
        let request = self
            .http
            .post(format!("{}/continuous/samples", self.issuer))
            .bearer_auth(&self.token);
        let request = request.header("content-type", "application/json").header("origin", origin);
        read(request.body(body).send().await.expect("an answer")).await
    }

    /// Plays a batch of a rhythm, a second after the one before; returns what is answered.
    pub async fn play(&mut self, rhythm: &Rhythm) -> Answer {
        self.clock.advance(1);
        let batch = self.batch(rhythm);
        self.tell(&batch).await
    }

    /// Tells that nobody typed or pointed.
    pub async fn idle(&mut self) -> Answer {
        self.seq += 1;
        let batch = json!({ "v": 1, "seq": self.seq, "span_ms": 5000.0, "clock_ms": 0.1, "pointer": "none", "metrics": {} });
        self.tell(&batch).await
    }

    async fn tell(&mut self, batch: &Value) -> Answer {
        let answer = self.post(batch.to_string(), ORIGIN).await;
        if let Some(renewed) = answer.body["watch_token"].as_str() {
            self.token = renewed.to_owned();
        }
        answer
    }

    /// Plays batches until the state is `wanted`; returns how many it took.
    pub async fn play_until(&mut self, rhythm: &Rhythm, wanted: &str, most: usize) -> usize {
        for played in 1..=most {
            let answer = self.play(rhythm).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            if answer.body["state"] == wanted {
                return played;
            }
        }
        panic!("{most} batches did not lead to {wanted}");
    }
}

/// The account's own rhythm and another's.
pub fn rhythm(name: &str) -> Rhythm {
    Rhythm::named(name).expect("a rhythm")
}

/// Signs in to the watched app with consent, has the rhythm learned through the endpoint, and switches to mode `auth`.
pub async fn enrolled(provider: &Provider, visitor: &mut super::Visitor, person: super::Person) -> (Tokens, Collector) {
    visitor.agrees = true;
    let tokens = App::watched(provider).sign_in(visitor, person).await;
    let mut collector = Collector::start(provider, &tokens).await;
    let own = rhythm("alice");
    for _ in 0..160 {
        let answer = collector.play(&own).await;
        assert_eq!(answer.body["state"], "ok", "{}", answer.text);
    }
    assert!(provider.idp.learn_due().await.expect("learning") >= 1);
    let mode: Value = visitor.get("/mode").await.json();
    assert_eq!(mode["enrolled"], true, "{mode}");
    let csrf = mode["csrf"].as_str().expect("csrf");
    let answer = visitor.post("/mode", &[("mode", "auth"), ("csrf", csrf)]).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
    (tokens, collector)
}
