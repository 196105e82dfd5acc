//! The ephemeral store of all nodes: Redis. Every method is one command or one short script on one key, so each is atomic, and a
//! cluster can hold the keys wherever it likes. Nothing is tried twice: a command whose answer got lost may have been carried out.

mod check;
mod line;
mod target;

pub use check::{Finding, Warning, check};

use crate::config::RedisConfig;
use async_trait::async_trait;
use gait_core::store::{Ephemeral, Result, StoreError};
use line::Line;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, cmd};
use std::sync::LazyLock;
use target::Target;

/// A script that works on one key.
struct Script {
    text: &'static str,
    hash: LazyLock<String>,
}

macro_rules! script {
    ($text:literal) => {
        Script {
            text: $text,
            hash: LazyLock::new(|| redis::Script::new($text).get_hash().to_owned()),
        }
    };
}

static SWAP: Script = script!(
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1"
);
/// The window closes when the first one opened it to: later ones must not move its end.
static ADD: Script = script!(
    "local count = redis.call('INCRBY', KEYS[1], ARGV[1]) \
     if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end \
     return count"
);
static UNCOUNT: Script = script!(
    "local count = redis.call('GET', KEYS[1]) \
     if count and count ~= '0' then redis.call('DECR', KEYS[1]) end return 0"
);

/// An [`Ephemeral`] in Redis. While it is away every call fails at once, or within three seconds; it is called again by itself.
pub struct Redis {
    line: Line,
    prefix: String,
}

impl Redis {
    /// Calls Redis. If it doesn't answer, that is logged, and it is called again until it does.
    ///
    /// # Errors
    /// What the configuration names is no Redis URL, or the CA's certificate can't be read.
    pub async fn open(config: &RedisConfig) -> anyhow::Result<Self> {
        Ok(Self {
            line: Line::open(Target::new(config)?).await,
            prefix: config.prefix.clone(),
        })
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        self.line.ask(command).await.map_err(store_error)
    }

    async fn run<T: FromRedisValue>(&self, script: &Script, key: &str, args: &[&[u8]]) -> Result<T> {
        let command = |name: &str, what: &str| {
            let mut command = cmd(name);
            command.arg(what).arg(1).arg(self.key(key)).arg(args);
            command
        };
        match self.line.ask(&command("EVALSHA", &script.hash)).await {
            // It doesn't know the script yet, or any more: nothing was done.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.ask(&command("EVAL", script.text)).await
            }
            answer => answer.map_err(store_error),
        }
    }
}

fn store_error(error: RedisError) -> StoreError {
    let not_a_number = error.detail().is_some_and(|detail| detail.contains("not an integer"));
    if not_a_number || error.code() == Some("WRONGTYPE") {
        return StoreError::Damaged("a counter holds no number".to_owned());
    }
    StoreError::Away(format!("Redis: {error}"))
}

fn milliseconds(ttl_s: u32) -> u64 {
    u64::from(ttl_s) * 1000
}

#[async_trait]
impl Ephemeral for Redis {
    async fn ping(&self) -> Result<()> {
        self.ask(&cmd("PING")).await
    }

    async fn put(&self, key: &str, value: &[u8], ttl_s: u32) -> Result<()> {
        if ttl_s == 0 {
            return self.ask(cmd("DEL").arg(self.key(key))).await;
        }
        self.ask(cmd("SET").arg(self.key(key)).arg(value).arg("EX").arg(ttl_s)).await
    }

    async fn put_new(&self, key: &str, value: &[u8], ttl_s: u32) -> Result<bool> {
        let life_ms = milliseconds(ttl_s).max(1);
        let mut command = cmd("SET");
        command.arg(self.key(key)).arg(value).arg("PX").arg(life_ms).arg("NX");
        Ok(self.ask::<Option<String>>(&command).await?.is_some())
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.ask(cmd("GET").arg(self.key(key))).await
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.ask(cmd("GETDEL").arg(self.key(key))).await
    }

    async fn swap(&self, key: &str, old: &[u8], new: &[u8], ttl_s: u32) -> Result<bool> {
        let life_ms = milliseconds(ttl_s).max(1).to_string();
        self.run(&SWAP, key, &[old, new, life_ms.as_bytes()]).await
    }

    async fn add(&self, key: &str, number: u64, window_s: u32) -> Result<u64> {
        let (number, window_ms) = (number.to_string(), milliseconds(window_s).max(1).to_string());
        self.run(&ADD, key, &[number.as_bytes(), window_ms.as_bytes()]).await
    }

    async fn uncount(&self, key: &str) -> Result<()> {
        self.run::<u8>(&UNCOUNT, key, &[]).await.map(|_| ())
    }
}
