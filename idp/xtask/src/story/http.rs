//! The HTTP client of everybody here.

use reqwest::Client;
use reqwest::redirect::Policy;
use std::time::Duration;

/// Longest wait for an answer; Gait has given up long before.
const PATIENCE: Duration = Duration::from_secs(30);

/// Follows no redirect by itself, and makes a connection for each request, so that a balancer may send each to another node.
///
/// # Errors
/// There is no TLS.
pub fn client() -> anyhow::Result<Client> {
    let client = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
        .timeout(PATIENCE);
    Ok(client.build()?)
}
