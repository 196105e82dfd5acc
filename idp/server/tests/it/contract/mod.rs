//! What every store must hold, written once and run on each. A test says what somebody relies on; what an implementation does to
//! hold it is its own business.
#![allow(clippy::unwrap_used, clippy::expect_used)]

/// Runs tests of the form `async fn(Arc<dyn Store>)` on every durable store.
macro_rules! contract {
    ($($test:ident),* $(,)?) => {
        mod on_memory {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    super::$test(std::sync::Arc::new(gait_core::testing::MemoryStore::new())).await;
                }
            )*
        }
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    let folder = tempfile::tempdir().unwrap();
                    let store = gait::store::Database::sqlite(folder.path().join("gait.db")).await.unwrap();
                    super::$test(std::sync::Arc::new(store.clone())).await;
                    store.close().await;
                }
            )*
        }
        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    let store = $crate::harness::postgres::store().await;
                    super::$test(std::sync::Arc::new(store.clone())).await;
                    store.close().await;
                }
            )*
        }
    };
}

mod account;
mod approval;
mod background;
mod behaviour;
mod client;
mod ephemeral;
mod given;
mod grant;
mod in_process;
mod mail;
mod operation;
mod outbox;
mod race;
mod redis;
mod revocation;
mod server;
mod session;
mod sqlite;
mod upgrade;
mod watched;
