//! A Redis that tests share, each with keys of its own.

use gait::config::RedisConfig;
use gait::ephemeral::Redis;
use gait_backends::Redis as Server;
use gait_core::token::secret::Secret;
use redis::{AsyncCommands as _, Client};
use std::path::PathBuf;
use std::sync::LazyLock;

/// Started by the first test that needs it, and ended with the tests.
static SHARED: LazyLock<Server> = LazyLock::new(|| Server::start().expect("Redis"));

/// What a test holds of a Redis.
pub struct Keys {
    pub url: String,
    pub prefix: String,
}

impl Keys {
    /// Keys of nobody else, in the Redis that all share.
    pub fn new() -> Self {
        Self::at(&SHARED.url())
    }

    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            prefix: format!("{}:", super::unique("keys")),
        }
    }

    pub fn config(&self) -> RedisConfig {
        // Whoever comes first installs it; it is the same for all.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        RedisConfig {
            url: Secret::wrap(self.url.clone()),
            prefix: self.prefix.clone(),
            cluster: false,
            ca_file: None::<PathBuf>,
        }
    }

    /// The section of a configuration that leads to them.
    pub fn section(&self) -> String {
        format!("[redis]\nurl = \"{}\"\nprefix = \"{}\"\n", self.url, self.prefix)
    }

    /// As one node of several sees them.
    pub async fn node(&self) -> Redis {
        Redis::open(&self.config()).await.expect("a good configuration")
    }

    async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = Client::open(self.url.as_str()).expect("a URL");
        client.get_multiplexed_async_connection().await.expect("Redis")
    }

    /// All keys that begin with the prefix.
    pub async fn all(&self) -> Vec<String> {
        let pattern = format!("{}*", self.prefix);
        self.connection().await.keys(pattern).await.expect("keys")
    }

    /// The sum of the numbers under the keys of a kind.
    pub async fn sum_of(&self, kind: &str) -> u64 {
        let mut sum = 0;
        let start = format!("{}{kind}", self.prefix);
        let mut connection = self.connection().await;
        for key in self.all().await.iter().filter(|key| key.starts_with(&start)) {
            sum += connection.get::<_, Option<u64>>(key).await.expect("a number").unwrap_or(0);
        }
        sum
    }

    /// Lets everything age, as if so many seconds went by: what Redis measures is how long a key still lives.
    pub async fn age(&self, seconds: i64) {
        let mut connection = self.connection().await;
        for key in self.all().await {
            let left: i64 = connection.pttl(&key).await.expect("a life");
            match left - seconds * 1000 {
                ..=0 => connection.del::<_, ()>(&key).await.expect("it dies"),
                left => connection.pexpire::<_, ()>(&key, left).await.expect("it ages"),
            }
        }
    }
}
