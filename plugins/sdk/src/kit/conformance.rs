//! The checks that every authenticator passes.

use super::calls::{asked, effect_kinds, guarded, kind, memo, names, passes, proves, told};
use super::{NOW, TestHost, context, hostile, run, shape, unknown_context};
use crate::{Answer, Authenticator, Context, Credential, Memo, Purpose, Reply, Step, Timestamp};
use std::sync::Arc;

type Make = Box<dyn Fn() -> Arc<dyn Authenticator>>;
type Solve = Box<dyn Fn(&Context, &Reply) -> Answer>;

const PURPOSES: [Purpose; 4] = [Purpose::SignIn, Purpose::StepUp, Purpose::Enrol, Purpose::Approval];

/// One authenticator before the kit. [`Conformance::check`] panics with the name of the first check that fails.
///
/// Every call is made on an authenticator of its own, as on another node: nothing may live in it between two calls.
pub struct Conformance {
    pub(super) make: Make,
    pub(super) credentials: Vec<Credential>,
    pub(super) solve: Option<Solve>,
    expires_s: Option<i64>,
}

impl Conformance {
    /// Of the authenticator that `make` makes.
    pub fn of(make: impl Fn() -> Arc<dyn Authenticator> + 'static) -> Self {
        Self {
            make: Box::new(make),
            credentials: Vec::new(),
            solve: None,
            expires_s: None,
        }
    }

    /// The credentials of an account that has set this authenticator up, for the subject and the visitor of
    /// [`context`](super::context).
    #[must_use]
    pub fn with_credentials(mut self, credentials: impl IntoIterator<Item = Credential>) -> Self {
        self.credentials = credentials.into_iter().collect();
        self
    }

    /// The right answer to the reply that the challenge gave.
    #[must_use]
    pub fn solved_by(mut self, solve: impl Fn(&Context, &Reply) -> Answer + 'static) -> Self {
        self.solve = Some(Box::new(solve));
        self
    }

    /// The right answer is refused from this many seconds after the challenge on.
    #[must_use]
    pub fn expiring_after(mut self, seconds: i64) -> Self {
        self.expires_s = Some(seconds);
        self
    }

    /// Runs every check.
    ///
    /// # Panics
    /// At the first check that fails, with its name and what was wrong.
    pub fn check(&self) {
        self.the_manifest_is_well_formed_and_constant();
        self.every_question_is_well_formed();
        self.an_unknown_subject_sees_what_a_known_one_sees();
        self.a_waiver_waives_nothing_but_a_sign_in();
        self.strange_clocks_are_survived();
        self.hostile_credentials_prove_nothing();
        self.hostile_memos_prove_nothing();
        self.hostile_answers_prove_nothing();
        self.the_right_answer_passes_a_known_subject_only();
        self.an_expired_challenge_stays_dead();
        self.only_a_satisfied_flow_earns_something();
        self.the_score_of_an_address_is_a_fraction();
    }

    fn the_manifest_is_well_formed_and_constant(&self) {
        let check = "the manifest is well formed and constant";
        let plugin = (self.make)();
        let before = plugin.manifest().clone();
        shape::manifest(check, &before);
        let _ = run(plugin.challenge(&context(), &TestHost::default()));
        assert_eq!(plugin.manifest(), &before, "{check}: a call changed it");
        assert_eq!((self.make)().manifest(), &before, "{check}: two of a kind differ");
    }

    fn every_question_is_well_formed(&self) {
        let check = "every question is well formed";
        let silent = (self.make)().manifest().silent;
        for cx in PURPOSES.into_iter().flat_map(|purpose| self.contexts(purpose)) {
            let reply = self
                .challenge(check, &cx)
                .unwrap_or_else(|error| panic!("{check}: {:?}, {:?}: {error}", cx.purpose, cx.subject));
            assert!(
                !matches!(reply.step, Step::Claim { .. }),
                "{check}: a challenge can't know who it is"
            );
            assert!(
                !silent || !matches!(reply.step, Step::Ask { .. }),
                "{check}: a silent authenticator asks"
            );
        }
    }

    fn an_unknown_subject_sees_what_a_known_one_sees(&self) {
        let check = "an unknown subject sees what a known one sees";
        if (self.make)().manifest().silent {
            return;
        }
        for purpose in [Purpose::SignIn, Purpose::StepUp] {
            let known_cx = self.set_up(purpose);
            let known = self
                .challenge(check, &known_cx)
                .unwrap_or_else(|error| panic!("{check}: {error}"));
            for identifier in hostile::identifiers() {
                let cx = Context {
                    purpose,
                    ..unknown_context(&identifier)
                };
                let unknown = self.challenge(check, &cx).unwrap_or_else(|error| panic!("{check}: {error}"));
                assert_eq!(kind(&unknown), kind(&known), "{check}: {purpose:?} of {identifier:.40?}");
                assert_eq!(
                    effect_kinds(&unknown),
                    effect_kinds(&known),
                    "{check}: other effects at {purpose:?}"
                );
                assert_eq!(
                    asked(&unknown).map(shape::bare),
                    asked(&known).map(shape::bare),
                    "{check}: another form at {purpose:?}"
                );
                self.wrong_answers_look_alike(check, (&known_cx, &known), (&cx, &unknown));
            }
        }
    }

    fn wrong_answers_look_alike(&self, check: &str, known: (&Context, &Reply), unknown: (&Context, &Reply)) {
        let (Some(known_memo), Some(unknown_memo)) = (memo(known.1), memo(unknown.1)) else {
            return;
        };
        for answer in hostile::short_answers(&names(known.1)) {
            let to_known = self.verify(check, known.0, &known_memo, &answer);
            let to_unknown = self.verify(check, unknown.0, &unknown_memo, &answer);
            match (to_known, to_unknown) {
                (Ok(a), Ok(b)) => assert_eq!(told(&a), told(&b), "{check}: another word at a wrong answer"),
                (a, b) => assert_eq!(a.is_err(), b.is_err(), "{check}: an error for one of them only"),
            }
        }
    }

    fn a_waiver_waives_nothing_but_a_sign_in(&self) {
        let check = "a waiver waives nothing but a sign-in";
        if !(self.make)().manifest().waiver {
            return;
        }
        for purpose in [Purpose::StepUp, Purpose::Enrol, Purpose::Approval] {
            for cx in self.contexts(purpose) {
                let passed = self.challenge(check, &cx).is_ok_and(|reply| passes(&reply));
                assert!(!passed, "{check}: it passes {purpose:?}");
            }
        }
    }

    fn strange_clocks_are_survived(&self) {
        let check = "strange clocks are survived";
        for now in [i64::MIN, -1, 0, 1, i64::MAX - 1, i64::MAX].map(Timestamp) {
            for purpose in PURPOSES {
                let cx = Context {
                    now,
                    ..self.set_up(purpose)
                };
                let Ok(reply) = self.challenge(check, &cx) else { continue };
                for answer in hostile::short_answers(&names(&reply)) {
                    let _ = self.verify(check, &cx, &memo(&reply).unwrap_or_default(), &answer);
                }
                let _ = self.settled(check, &cx, true);
            }
        }
    }

    fn hostile_credentials_prove_nothing(&self) {
        let check = "hostile credentials prove nothing";
        for purpose in PURPOSES {
            for payload in hostile::values() {
                let cx = self.holding(purpose, vec![payload; 3]);
                self.nothing_is_proven(check, &cx);
            }
            // A payload with one strange member may still be in order, so here it's enough to survive.
            for mutation in self
                .credentials
                .iter()
                .flat_map(|credential| hostile::mutations(&credential.payload))
            {
                let cx = self.holding(purpose, vec![mutation]);
                let _ = self.challenge(check, &cx);
                let _ = self.verify(check, &cx, &Memo::default(), &Answer::default());
                let _ = self.settled(check, &cx, true);
            }
        }
    }

    fn nothing_is_proven(&self, check: &str, cx: &Context) {
        if let Ok(reply) = self.challenge(check, cx) {
            assert!(!passes(&reply), "{check}: passed at the challenge, {:?}", cx.purpose);
            for answer in hostile::short_answers(&names(&reply)) {
                let verified = self.verify(check, cx, &memo(&reply).unwrap_or_default(), &answer);
                assert!(
                    !verified.is_ok_and(|reply| proves(cx, &reply)),
                    "{check}: passed at {answer:?}"
                );
            }
        }
        let _ = self.settled(check, cx, true);
    }

    fn hostile_memos_prove_nothing(&self) {
        let check = "hostile memos prove nothing";
        for purpose in PURPOSES {
            for cx in [
                self.set_up(purpose),
                Context {
                    purpose,
                    ..unknown_context("nobody")
                },
            ] {
                let reply = self.challenge(check, &cx).ok();
                let given = reply.as_ref().and_then(memo).unwrap_or_default();
                let fields = reply.as_ref().map(names).unwrap_or_default();
                for value in hostile::values().into_iter().chain(hostile::mutations(&given.0)) {
                    for answer in hostile::short_answers(&fields) {
                        let verified = self.verify(check, &cx, &Memo(value.clone()), &answer);
                        assert!(
                            !verified.is_ok_and(|reply| proves(&cx, &reply)),
                            "{check}: passed at {answer:?}"
                        );
                    }
                }
            }
        }
    }

    fn hostile_answers_prove_nothing(&self) {
        let check = "hostile answers prove nothing";
        for purpose in PURPOSES {
            for cx in [
                self.set_up(purpose),
                Context {
                    purpose,
                    ..unknown_context("nobody")
                },
            ] {
                let reply = self.challenge(check, &cx).ok();
                let given = reply.as_ref().and_then(memo).unwrap_or_default();
                let fields = reply.as_ref().map(names).unwrap_or_default();
                for answer in hostile::answers(&fields) {
                    let verified = self.verify(check, &cx, &given, &answer);
                    assert!(
                        !verified.is_ok_and(|reply| proves(&cx, &reply)),
                        "{check}: passed at {answer:?}"
                    );
                }
            }
        }
    }

    fn the_right_answer_passes_a_known_subject_only(&self) {
        let check = "the right answer passes a known subject only";
        let Some((cx, reply, answer)) = self.solved(check) else {
            return;
        };
        let given = memo(&reply).unwrap_or_default();
        let passed = self.verify(check, &cx, &given, &answer).is_ok_and(|reply| passes(&reply));
        assert!(passed, "{check}: the right answer was refused");

        let nobody = unknown_context("nobody");
        let given = self.challenge(check, &nobody).ok().as_ref().and_then(memo).unwrap_or(given);
        let reply = self.verify(check, &nobody, &given, &answer).ok();
        assert!(!reply.as_ref().is_some_and(passes), "{check}: passed an unknown subject");
    }

    fn an_expired_challenge_stays_dead(&self) {
        let check = "an expired challenge stays dead";
        let (Some(expires_s), Some((cx, reply, answer))) = (self.expires_s, self.solved(check)) else {
            return;
        };
        let given = memo(&reply).unwrap_or_default();
        let at = |seconds: i64, memo: &Memo| {
            let cx = Context {
                now: NOW.plus(seconds),
                ..cx.clone()
            };
            self.verify(check, &cx, memo, &answer)
        };
        let passed = at(expires_s - 1, &given).is_ok_and(|reply| passes(&reply));
        assert!(passed, "{check}: refused a second before its end");
        for seconds in [expires_s, expires_s + 1, 10 * expires_s, i64::MAX, -86_400, i64::MIN] {
            let passed = at(seconds, &given).is_ok_and(|reply| passes(&reply));
            assert!(!passed, "{check}: passed {seconds} s after the challenge");
        }
        if let Ok(Reply {
            step: Step::Fail { memo: Some(dead), .. },
            ..
        }) = at(expires_s, &given)
        {
            let passed = at(1, &dead).is_ok_and(|reply| passes(&reply));
            assert!(!passed, "{check}: passed when the clock was set back");
        }
    }

    fn only_a_satisfied_flow_earns_something(&self) {
        let check = "only a satisfied flow earns something";
        for cx in PURPOSES.into_iter().flat_map(|purpose| self.contexts(purpose)) {
            let earned = self.settled(check, &cx, false);
            let earned = earned.unwrap_or_else(|error| panic!("{check}: {error}"));
            assert!(earned.is_empty(), "{check}: a flow that wasn't satisfied had effects");
            if cx.known().is_some() {
                let settled = self.settled(check, &cx, true);
                assert!(settled.is_ok(), "{check}: {settled:?}");
            }
        }
    }

    fn the_score_of_an_address_is_a_fraction(&self) {
        let check = "the score of an address is a fraction";
        let strange = hostile::values()
            .into_iter()
            .map(|payload| self.holding(Purpose::SignIn, vec![payload]));
        for cx in self.contexts(Purpose::SignIn).into_iter().chain(strange) {
            let score = guarded(check, || (self.make)().ip_score(&cx));
            assert!(score.is_none_or(|score| (0.0..=1.0).contains(&score)), "{check}: {score:?}");
        }
    }
}
