//! `cargo xtask cluster`: what docker-compose.yml describes, as processes on this machine: Postgres, Redis, two nodes behind nginx, a mail
//! sink, and the example app. The configuration files are those of `examples/compose`, with other addresses.

mod balancer;
mod files;
mod node;
mod parts;
mod smoke;
mod smtp;

pub use files::prepare;
pub use node::{Node, Stores, Surroundings};
use parts::Cluster;
pub use smtp::Sink;

/// Starts everything, and either looks whether it holds (`check`) or waits for Ctrl-C.
///
/// # Errors
/// Something doesn't start, or doesn't hold.
pub async fn run(check: bool) -> anyhow::Result<()> {
    let mut cluster = Cluster::start(!check).await?;
    if check {
        let outcome = smoke::run(&mut cluster).await;
        if outcome.is_err() {
            cluster.print_logs();
        }
        return outcome;
    }
    cluster.print_tour();
    tokio::signal::ctrl_c().await?;
    Ok(())
}
