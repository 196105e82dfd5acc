//! Where Redis is, and how a connection to it is made.

use crate::config::RedisConfig;
use anyhow::{Context as _, anyhow};
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, IntoConnectionInfo as _, RedisError, RedisResult, ServerErrorKind,
    TlsCertificates, cmd,
};
use std::time::Duration;

/// Time for a connection, and for an answer.
const WITHIN: Duration = Duration::from_secs(2);
/// Time for the whole of a call, whatever happens in it.
const IN_ALL: Duration = Duration::from_secs(3);

/// Where Redis is.
#[expect(clippy::large_enum_variant, reason = "there is one, made once")]
pub(super) enum Target {
    /// One server.
    One(Client),
    /// A cluster, of which some nodes are known.
    Cluster(ClusterClient),
}

/// A connection that any number of calls share.
#[derive(Clone)]
pub(super) enum Connection {
    /// To one server.
    One(MultiplexedConnection),
    /// To a cluster: it finds nodes that were moved or have come back by itself.
    Cluster(ClusterConnection),
}

impl Target {
    /// Reads the configuration.
    ///
    /// # Errors
    /// The URL is none of Redis, or the CA's certificate can't be read.
    pub(super) fn new(config: &RedisConfig) -> anyhow::Result<Self> {
        let certificates = match &config.ca_file {
            Some(file) => Some(TlsCertificates {
                client_tls: None,
                root_cert: Some(std::fs::read(file).with_context(|| file.display().to_string())?),
            }),
            None => None,
        };
        let url = config.url.expose().into_connection_info().map_err(why)?;
        if config.cluster {
            let mut builder = ClusterClient::builder([url])
                .connection_timeout(WITHIN)
                .response_timeout(WITHIN)
                .overall_response_timeout(Some(IN_ALL))
                .retries(2);
            if let Some(certificates) = certificates {
                builder = builder.certs(certificates);
            }
            return Ok(Self::Cluster(builder.build().map_err(why)?));
        }
        let client = match certificates {
            Some(certificates) => Client::build_with_tls(url, certificates),
            None => Client::open(url),
        };
        Ok(Self::One(client.map_err(why)?))
    }

    /// Connects, and has one answer.
    ///
    /// # Errors
    /// It doesn't answer, isn't done loading, or refuses the password.
    pub(super) async fn connect(&self) -> RedisResult<Connection> {
        let connecting = async {
            match self {
                Self::One(client) => {
                    let config = AsyncConnectionConfig::new()
                        .set_connection_timeout(Some(WITHIN))
                        .set_response_timeout(Some(WITHIN));
                    let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
                    let connection = Connection::One(connection);
                    connection.ping().await?;
                    Ok(connection)
                }
                Self::Cluster(client) => Ok(Connection::Cluster(client.get_async_connection().await?)),
            }
        };
        tokio::time::timeout(IN_ALL, connecting)
            .await
            .unwrap_or_else(|_| Err(too_late()))
    }
}

impl Connection {
    /// Has an answer within [`IN_ALL`].
    ///
    /// # Errors
    /// What Redis says, or that it says nothing.
    pub(super) async fn ask<T: redis::FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let answer = async {
            match self.clone() {
                Self::One(mut connection) => command.query_async(&mut connection).await,
                Self::Cluster(mut connection) => command.query_async(&mut connection).await,
            }
        };
        tokio::time::timeout(IN_ALL, answer).await.unwrap_or_else(|_| Err(too_late()))
    }

    /// Whether the server still answers. A cluster looks after its connections itself.
    pub(super) async fn ping(&self) -> RedisResult<()> {
        match self {
            Self::One(_) => self.ask(&cmd("PING")).await,
            Self::Cluster(_) => Ok(()),
        }
    }

    /// True if after this error a new connection is needed: it is no answer to the command, or the answer of a server that can't
    /// work now (it loads its file, or was made a replica).
    pub(super) fn is_broken_by(&self, error: &RedisError) -> bool {
        let kind = error.kind();
        match self {
            Self::Cluster(_) => kind == ErrorKind::ClusterConnectionNotFound,
            Self::One(_) => match kind {
                ErrorKind::Server(kind) => matches!(
                    kind,
                    ServerErrorKind::BusyLoading | ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown
                ),
                ErrorKind::Extension | ErrorKind::UnexpectedReturnType => false,
                _ => true,
            },
        }
    }
}

fn too_late() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}

/// The errors of a URL name no part of it, so they don't show its password.
fn why(error: RedisError) -> anyhow::Error {
    anyhow!("redis.url: {error}")
}
