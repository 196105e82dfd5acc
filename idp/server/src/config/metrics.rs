//! `[metrics]`: where Prometheus asks.

use serde::Deserialize;
use std::net::SocketAddr;

/// `[metrics]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Address and port of `/metrics`, never the public one: it tells how much is going on.
    pub listen: SocketAddr,
}
