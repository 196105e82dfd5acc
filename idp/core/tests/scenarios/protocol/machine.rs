//! Whatever is done to a code and its tokens, in whatever order: never two winners, and what was replayed stays dead.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Redeem,
    RedeemWithoutVerifier,
    RedeemAsAnother,
    Refresh(usize),
    RefreshAsAnother(usize),
    RevokeRefresh(usize),
    RevokeAccess(usize),
    RevokeAsAnother(usize),
    Restart,
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let any = 0..8usize;
    prop_oneof![
        3 => Just(Step::Redeem),
        1 => Just(Step::RedeemWithoutVerifier),
        1 => Just(Step::RedeemAsAnother),
        6 => any.clone().prop_map(Step::Refresh),
        1 => any.clone().prop_map(Step::RefreshAsAnother),
        1 => any.clone().prop_map(Step::RevokeRefresh),
        1 => any.clone().prop_map(Step::RevokeAccess),
        1 => any.prop_map(Step::RevokeAsAnother),
        1 => Just(Step::Restart),
        1 => (0..20i64).prop_map(Step::Wait),
    ]
}

/// What must be true of the family, kept beside it in the plainest way.
#[derive(Default)]
struct Model {
    redeemed: bool,
    dead: bool,
    /// Whether the code's meaning was lost in a restart, so that it is unknown from then on.
    forgotten: bool,
    refresh: Vec<(String, bool)>,
    access: Vec<(String, bool)>,
}

impl Model {
    fn won(&mut self, tokens: &Value) {
        self.refresh.push((text(tokens, "refresh_token").to_owned(), false));
        self.access.push((text(tokens, "access_token").to_owned(), false));
    }

    /// The token that a step means, if there is any yet.
    fn pick(tokens: &[(String, bool)], number: usize) -> Option<usize> {
        (!tokens.is_empty()).then(|| number % tokens.len())
    }
}

struct Machine {
    world: World,
    code: String,
    issued_at: i64,
    model: Model,
}

impl Machine {
    async fn new() -> Self {
        let world = World::new().await;
        let code = world.code("app", &[("scope", "openid offline_access")]).await;
        Self {
            issued_at: world.ports.clock.now().0,
            world,
            code,
            model: Model::default(),
        }
    }

    async fn take(&mut self, step: &Step) {
        let (callback_app, code) = (callback("app"), self.code.clone());
        match step {
            Step::Redeem => self.redeem().await,
            Step::RedeemWithoutVerifier => {
                let mut form = redemption(&code, &callback_app);
                form.pop();
                assert_eq!(error(self.world.token("app", &form).await), "invalid_grant");
            }
            Step::RedeemAsAnother => {
                let form = redemption(&code, &callback_app);
                assert_eq!(error(self.world.token("other", &form).await), "invalid_grant");
            }
            Step::Refresh(number) => self.refresh(*number).await,
            Step::RefreshAsAnother(number) => {
                if let Some(picked) = Model::pick(&self.model.refresh, *number) {
                    let token = &self.model.refresh[picked].0;
                    assert_eq!(error(self.world.refresh("other", token).await), "invalid_grant");
                }
            }
            Step::RevokeRefresh(number) => {
                if let Some(picked) = Model::pick(&self.model.refresh, *number) {
                    self.revoke("app", &self.model.refresh[picked].0).await;
                    self.model.dead = true;
                }
            }
            Step::RevokeAccess(number) => {
                if let Some(picked) = Model::pick(&self.model.access, *number) {
                    self.revoke("app", &self.model.access[picked].0).await;
                    self.model.access[picked].1 = true;
                }
            }
            Step::RevokeAsAnother(number) => {
                if let Some(picked) = Model::pick(&self.model.refresh, *number) {
                    self.revoke("other", &self.model.refresh[picked].0).await;
                    self.revoke("other", &self.model.access[picked].0).await;
                }
            }
            Step::Restart => {
                self.world.restart().await;
                self.model.forgotten = true;
            }
            Step::Wait(seconds) => self.world.advance(*seconds),
        }
    }

    async fn redeem(&mut self) {
        let answer = self.world.redeem("app", &self.code).await;
        let late = self.world.ports.clock.now().0 >= self.issued_at + 60;
        if !self.model.redeemed && !late && !self.model.forgotten {
            self.model.redeemed = true;
            self.model.won(&answer.expect("the first in time wins"));
        } else {
            assert_eq!(error(answer), "invalid_grant");
            self.model.dead |= self.model.redeemed && !self.model.forgotten;
        }
    }

    async fn refresh(&mut self, number: usize) {
        let Some(picked) = Model::pick(&self.model.refresh, number) else {
            return;
        };
        let (token, spent) = self.model.refresh[picked].clone();
        let answer = self.world.refresh("app", &token).await;
        if spent || self.model.dead {
            assert_eq!(error(answer), "invalid_grant");
            self.model.dead = true;
        } else {
            self.model.refresh[picked].1 = true;
            self.model.won(&answer.expect("unspent and alive"));
        }
    }

    async fn revoke(&self, client: &str, token: &str) {
        self.world
            .idp
            .revoke(&basic(client, SECRET, &[("token", token)]))
            .await
            .unwrap();
    }

    async fn check(&self) {
        let unspent = self.model.refresh.iter().filter(|(_, spent)| !spent).count();
        assert!(unspent <= 1, "one living refresh token in a family at most");
        for (token, revoked) in &self.model.access {
            assert_eq!(self.world.is_active(token).await, !revoked && !self.model.dead);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_family_has_one_line_of_descent_and_dies_whole(steps in proptest::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut machine = Machine::new().await;
            for step in &steps {
                machine.take(step).await;
                machine.check().await;
            }
        });
    }
}
