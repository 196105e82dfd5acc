//! Journeys over HTTP, each told in one test.

/// Tells stories of the form `async fn(Provider)` on each database.
macro_rules! on_both {
    ($($story:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $story() {
                    super::$story($crate::harness::Provider::on_sqlite("").await).await;
                }
            )*
        }
        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $story() {
                    super::$story($crate::harness::Provider::on_postgres("").await).await;
                }
            )*
        }
    };
}

mod account_page;
mod addresses;
mod attacks;
mod authorization;
mod bad_input;
mod client_authentication;
mod codes;
mod crash;
mod disabled;
mod forgery;
mod library;
mod limits;
mod logout;
mod mail;
mod mail_tls;
mod metrics;
mod nodes;
mod nul;
mod one_time_codes;
mod outbox;
mod readiness;
mod recovery;
mod redirect_uris;
mod redis_away;
mod refresh;
mod restart;
mod rhythm;
mod search;
pub use search::mapped;
mod secrets;
mod sign_in;
mod signals;
mod single_sign_on;
mod strangers;
mod surface;
mod tokens;
#[cfg(feature = "otlp")]
mod traces;
mod watch;
