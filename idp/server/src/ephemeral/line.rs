//! The line to Redis: one connection, watched, and made anew whenever it is lost. While there is none, who calls is told so at once.

use super::target::{Connection, Target};
use redis::{Cmd, FromRedisValue, RedisError, RedisResult};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Pause between two tries to connect.
const BREATH: Duration = Duration::from_millis(200);
/// A connection that nobody uses is looked after this often, so that the next one who needs it finds a good one.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// A connection and which one of all that there were.
#[derive(Clone)]
struct Open {
    nth: u64,
    connection: Connection,
}

type State = Result<Open, RedisError>;

/// The line.
pub(super) struct Line {
    state: Arc<watch::Sender<State>>,
    /// Ends with the line.
    _keeper: JoinSet<()>,
}

impl Line {
    /// Calls for the first time, and keeps the line from then on.
    pub(super) async fn open(target: Target) -> Self {
        let first = target.connect().await.map(|connection| Open { nth: 0, connection });
        if let Err(error) = &first {
            tracing::error!(%error, "Redis is away; who signs in is told to come back until it answers");
        }
        let state = Arc::new(watch::Sender::new(first));
        let mut keeper = JoinSet::new();
        keeper.spawn(keep(target, state.clone()));
        Self { state, _keeper: keeper }
    }

    /// Has a command carried out, at most once.
    ///
    /// # Errors
    /// What Redis says; that it doesn't answer; or, at once, why there is no connection now.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let open = self.state.borrow().clone()?;
        let answer = open.connection.ask(command).await;
        if let Err(error) = &answer {
            hang_up_after(&self.state, &open, error);
        }
        answer
    }
}

/// Gives a connection up that an error has shown to be of no use, unless there is a newer one already.
fn hang_up_after(state: &watch::Sender<State>, open: &Open, error: &RedisError) {
    if !open.connection.is_broken_by(error) {
        return;
    }
    let hung_up = state.send_if_modified(|state| {
        let is_it = state.as_ref().is_ok_and(|now| now.nth == open.nth);
        if is_it {
            *state = Err(error.clone());
        }
        is_it
    });
    if hung_up {
        tracing::warn!(%error, "Redis is away");
    }
}

async fn keep(target: Target, state: Arc<watch::Sender<State>>) {
    let mut changes = state.subscribe();
    let mut nth = 0;
    loop {
        let now = state.borrow().clone();
        match now {
            Ok(open) => {
                let lost = changes.wait_for(Result::is_err);
                let is_lost = tokio::time::timeout(LOOK_AFTER, lost).await.is_ok();
                if !is_lost && let Err(error) = open.connection.ping().await {
                    hang_up_after(&state, &open, &error);
                }
            }
            Err(_) => match target.connect().await {
                Ok(connection) => {
                    nth += 1;
                    state.send_modify(|state| *state = Ok(Open { nth, connection }));
                    tracing::info!("Redis is back");
                }
                Err(error) => {
                    state.send_modify(|state| *state = Err(error));
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
}
