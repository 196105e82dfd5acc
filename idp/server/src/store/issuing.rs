//! Tokens that are issued by themselves: whoever is about to write takes those along that wait for their turn. Each caller is told
//! once its own are stored, so many who ask at once share one commit, and nobody waits longer for it.

use super::{Database, token};
use gait_core::grant::Token;
use gait_core::store::{Result, StoreError};
use std::mem;
use std::sync::{Mutex as Lock, PoisonError};
use tokio::sync::{Mutex, oneshot};

struct Waiting {
    tokens: Vec<Token>,
    told: oneshot::Sender<Result<()>>,
}

/// Those that wait, and whose turn it is.
#[derive(Default)]
pub(super) struct Issuing {
    waiting: Lock<Vec<Waiting>>,
    turn: Mutex<()>,
}

impl std::fmt::Debug for Issuing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuing").finish_non_exhaustive()
    }
}

impl Issuing {
    /// Has `tokens` written, by whoever's turn it is.
    pub async fn add(&self, store: &Database, tokens: &[Token]) -> Result<()> {
        let (told, mut outcome) = oneshot::channel();
        let tokens = tokens.to_vec();
        self.queue().push(Waiting { tokens, told });
        loop {
            let _turn = self.turn.lock().await;
            match outcome.try_recv() {
                Ok(outcome) => return outcome,
                Err(oneshot::error::TryRecvError::Empty) => {
                    // Who is about to ask does it first, and is taken along.
                    tokio::task::yield_now().await;
                    write_all(store, self.first()).await;
                }
                // Who took them along was given up.
                Err(oneshot::error::TryRecvError::Closed) => return Err(StoreError::Away("the writer is gone".to_owned())),
            }
        }
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those who came first.
    fn first(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        let mut tokens = 0;
        let fits = |one: &&Waiting| {
            tokens += one.tokens.len();
            tokens <= token::ROWS
        };
        let many = queue.iter().take_while(fits).count().max(1).min(queue.len());
        let rest = queue.split_off(many);
        mem::replace(&mut queue, rest)
    }
}

/// Writes them together, in one statement; if that fails for what may be the fault of one, each by itself.
async fn write_all(store: &Database, waiting: Vec<Waiting>) {
    let all: Vec<Token> = waiting.iter().flat_map(|one| one.tokens.iter().cloned()).collect();
    let together = write(store, &all).await;
    for Waiting { tokens, told } in waiting {
        let outcome = match &together {
            Ok(()) => Ok(()),
            Err(StoreError::Away(why)) => Err(StoreError::Away(why.clone())),
            Err(_) => write(store, &tokens).await,
        };
        let _gone = told.send(outcome);
    }
}

async fn write(store: &Database, tokens: &[Token]) -> Result<()> {
    token::add(&mut store.write_loosely().await?.connection(), tokens).await
}
