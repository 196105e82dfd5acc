//! A browser: its cookies, and a person who answers pages.

use super::stage::Stage;
use gait_core::authorization::{AuthorizationResponse, Authorized};
use gait_core::flow::{Ask, FlowError, Progress, Prompt};
use gait_core::ids::FlowId;
use gait_core::token::secret::Secret;
use gait_core::visit::{Caller, Cookie};
use gait_sdk::{Form, Node, PluginId, Visitor};
use std::collections::{BTreeMap, HashMap};

/// RFC 7636, Appendix B.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[derive(Clone)]
pub struct Browser {
    pub address: String,
    pub session: Option<Secret>,
    pub flows: HashMap<FlowId, Secret>,
    pub device: Option<Secret>,
    pub marker: bool,
    pub password_marker: bool,
}

/// Where an answer led.
#[derive(Debug)]
pub enum Where {
    Again,
    Client(AuthorizationResponse),
    Page(String),
}

impl Where {
    pub fn param(&self, name: &str) -> Option<String> {
        match self {
            Self::Client(response) => param(response, name),
            other => panic!("not back at the client: {other:?}"),
        }
    }
    pub fn is_code(&self) -> bool {
        matches!(self, Self::Client(response) if param(response, "code").is_some())
    }
    pub fn is_error(&self, error: &str) -> bool {
        matches!(self, Self::Client(response) if param(response, "error").as_deref() == Some(error))
    }
}

pub fn param(response: &AuthorizationResponse, name: &str) -> Option<String> {
    let found = response.params.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.clone())
}

pub fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// An authorization request of `client`; `extra` replaces or adds parameters.
pub fn request(client: &str, extra: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut params = BTreeMap::from([
        ("client_id", client.to_owned()),
        ("redirect_uri", format!("https://{client}.example/cb")),
        ("response_type", "code".to_owned()),
        ("scope", "openid".to_owned()),
        ("state", "s".to_owned()),
        ("code_challenge", CHALLENGE.to_owned()),
        ("code_challenge_method", "S256".to_owned()),
    ]);
    params.extend(extra.iter().map(|&(name, value)| (name, value.to_owned())));
    params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Browser {
    pub fn new() -> Self {
        Self::at("203.0.113.7")
    }

    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            session: None,
            flows: HashMap::new(),
            device: None,
            marker: false,
            password_marker: false,
        }
    }

    pub fn caller(&self, flow: Option<&FlowId>) -> Caller {
        Caller {
            visitor: Visitor {
                address: self.address.parse().ok(),
                user_agent: "Test/1.0".to_owned(),
                device: self.device.as_ref().map(|device| device.hash().to_text()),
            },
            session: self.session.clone(),
            flow: flow.and_then(|flow| self.flows.get(flow)).cloned(),
            marker: self.marker,
            password_marker: self.password_marker,
            locale: "en".to_owned(),
            request_id: "r-1".to_owned(),
        }
    }

    pub fn take(&mut self, cookies: Vec<Cookie>) {
        for cookie in cookies {
            match cookie {
                Cookie::Session(secret) => self.session = secret,
                Cookie::Flow(id, Some(secret)) => {
                    self.flows.insert(id, secret);
                }
                Cookie::Flow(id, None) => {
                    self.flows.remove(&id);
                }
                Cookie::Device(secret) => self.device = Some(secret),
                Cookie::Marker(marker) => self.marker = marker,
                Cookie::PasswordMarker(marker) => self.password_marker = marker,
            }
        }
    }

    /// Comes from a client.
    pub async fn authorize(
        &mut self,
        stage: &Stage,
        client: &str,
        extra: &[(&str, &str)],
    ) -> Result<FlowId, AuthorizationResponse> {
        match stage
            .idp
            .authorize(&request(client, extra), &self.caller(None))
            .await
            .unwrap()
        {
            Authorized::Ask(id, cookies) => {
                self.take(cookies);
                Ok(id)
            }
            Authorized::Respond(response, cookies) => {
                self.take(cookies);
                Err(response)
            }
            Authorized::Refused(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    /// Comes from a client and is asked something.
    pub async fn asked(&mut self, stage: &Stage, client: &str, extra: &[(&str, &str)]) -> FlowId {
        let asked = self.authorize(stage, client, extra).await;
        asked.unwrap_or_else(|response| panic!("not asked: {response:?}"))
    }

    /// Comes from a client and goes back at once.
    pub async fn responded(&mut self, stage: &Stage, client: &str, extra: &[(&str, &str)]) -> Where {
        match self.authorize(stage, client, extra).await {
            Ok(id) => panic!("asked: {:?}", self.prompt(stage, &id).await),
            Err(response) => Where::Client(response),
        }
    }

    pub async fn page_flow(&mut self, stage: &Stage, fresh: bool, enrol: Option<&str>) -> FlowId {
        let enrol = enrol.map(PluginId::from);
        let caller = self.caller(None);
        let begun = stage.idp.begin_page_flow("/account", fresh, enrol.as_ref(), &caller);
        let begun = begun.await.unwrap();
        self.take(begun.cookies);
        begun.id
    }

    pub async fn prompt(&self, stage: &Stage, flow: &FlowId) -> Prompt {
        stage.idp.prompt(flow, &self.caller(Some(flow))).await.unwrap()
    }

    /// The factor that is asked for now, and its form.
    pub async fn factor(&self, stage: &Stage, flow: &FlowId) -> (String, Form) {
        match self.prompt(stage, flow).await.ask {
            Ask::Factor { plugin, form } => (plugin.to_string(), form),
            other => panic!("no factor is asked for: {other:?}"),
        }
    }

    /// How long the page says that is left until another mail may be asked for, in seconds.
    pub async fn wait_s(&self, stage: &Stage, flow: &FlowId) -> u32 {
        let (_, form) = self.factor(stage, flow).await;
        let waits = form.nodes.iter().filter_map(|node| match node {
            Node::Button { wait_s, .. } => Some(*wait_s),
            _ => None,
        });
        waits.sum()
    }

    /// Answers the page as it is now.
    pub async fn answer(&mut self, stage: &Stage, flow: &FlowId, pairs: &[(&str, &str)]) -> Where {
        self.try_answer(stage, flow, pairs).await.unwrap()
    }

    pub async fn try_answer(&mut self, stage: &Stage, flow: &FlowId, pairs: &[(&str, &str)]) -> Result<Where, FlowError> {
        let csrf = stage.idp.prompt(flow, &self.caller(Some(flow))).await?.csrf;
        let mut fields = fields(pairs);
        fields.entry("csrf".to_owned()).or_insert(csrf);
        self.post(stage, flow, &fields).await
    }

    pub async fn post(&mut self, stage: &Stage, flow: &FlowId, fields: &BTreeMap<String, String>) -> Result<Where, FlowError> {
        match stage.idp.answer(flow, fields, &self.caller(Some(flow))).await? {
            Progress::Again(cookies) => {
                self.take(cookies);
                Ok(Where::Again)
            }
            Progress::Respond(response, cookies) => {
                self.take(cookies);
                Ok(Where::Client(response))
            }
            Progress::Page(path, cookies) => {
                self.take(cookies);
                Ok(Where::Page(path))
            }
        }
    }

    /// The first page, answered by `name` with the password.
    pub async fn password(&mut self, stage: &Stage, flow: &FlowId, name: &str) -> Where {
        let password = format!("pw-{name}");
        self.answer(stage, flow, &[("identifier", name), ("password", &password)])
            .await
    }

    /// The code that was mailed to `name`.
    pub async fn otp(&mut self, stage: &Stage, flow: &FlowId, name: &str) -> Where {
        let code = stage.mailed_code(name);
        self.answer(stage, flow, &[("code", &code)]).await
    }

    /// Signs `name` in for `client` with both factors.
    pub async fn sign_in(&mut self, stage: &Stage, client: &str, name: &str) {
        let flow = self.asked(stage, client, &[]).await;
        self.password(stage, &flow, name).await;
        self.finish(stage, &flow, name).await;
    }

    /// Answers the mailed code, and goes on where the page shows an approval's code.
    pub async fn finish(&mut self, stage: &Stage, flow: &FlowId, name: &str) {
        let mut end = self.otp(stage, flow, name).await;
        if !end.is_code() && matches!(self.prompt(stage, flow).await.ask, Ask::ApprovalSent { .. }) {
            end = self.answer(stage, flow, &[("continue", "yes")]).await;
        }
        assert!(end.is_code(), "{end:?}");
    }
}

/// Sets up a key for `name` that signs with `sign`; returns the handle that the key keeps.
pub async fn enrol_key(stage: &Stage, name: &str, sign: &str) -> String {
    let mut browser = Browser::new();
    browser.sign_in(stage, "app", name).await;
    let flow = browser.page_flow(stage, false, Some("key")).await;
    let (plugin, form) = browser.factor(stage, &flow).await;
    assert_eq!(plugin, "key");
    let Node::Show { value, .. } = &form.nodes[0] else {
        panic!("{form:?}")
    };
    assert!(matches!(
        browser.answer(stage, &flow, &[("sign", sign)]).await,
        Where::Page(_)
    ));
    value.clone()
}
