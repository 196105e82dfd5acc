//! What `gait doctor` says of Redis.

use super::target::Target;
use crate::config::RedisConfig;
use anyhow::{Context as _, bail, ensure};
use redis::cmd;

/// What a Redis must be able to do came with this version (`GETDEL`).
const OLDEST: (u32, u32) = (6, 2);

/// What is well, and what had better be changed.
pub struct Finding {
    /// The version.
    pub version: String,
    /// What may lose something one day.
    pub warnings: Vec<Warning>,
}

/// What may be lost, and what to do about it.
#[derive(Debug)]
pub struct Warning {
    /// What may be lost, and why.
    pub detail: String,
    /// What to do.
    pub hint: &'static str,
}

/// Calls Redis and looks at how it is set up.
///
/// # Errors
/// It can't be used; says why.
pub async fn check(config: &RedisConfig) -> anyhow::Result<Finding> {
    let one = RedisConfig {
        cluster: false,
        ..config.clone()
    };
    let connection = Target::new(&one)?.connect().await.context("Redis doesn't answer")?;
    let info: String = connection.ask(cmd("INFO").arg("all")).await.context("INFO")?;
    let is = |name: &str| said(&info, name).unwrap_or_default();
    let version = is("redis_version").to_owned();
    ensure!(
        number(&version) >= OLDEST,
        "Redis {version} is too old: it must be 6.2 or newer, which knows GETDEL"
    );
    match (is("redis_mode"), config.cluster) {
        ("cluster", false) => bail!("this Redis is a cluster: set cluster = true in [redis]"),
        ("standalone" | "sentinel", true) => bail!("this Redis is no cluster: remove cluster = true from [redis]"),
        _ => {}
    }
    if config.cluster {
        Target::new(config)?.connect().await.context("the cluster doesn't answer")?;
    }
    let mut warnings = Vec::new();
    if is("maxmemory_policy") != "noeviction" {
        warnings.push(Warning {
            detail: format!(
                "maxmemory-policy is {}: when memory runs out it forgets codes and counters",
                is("maxmemory_policy")
            ),
            hint: "set maxmemory-policy noeviction",
        });
    }
    if is("aof_enabled") != "1" {
        warnings.push(Warning {
            detail: "its restart ends every sign-in that is under way, and assertions from before it are refused".to_owned(),
            hint: "set appendonly yes",
        });
    }
    Ok(Finding { version, warnings })
}

fn said<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

fn number(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(number("6.2.14") >= OLDEST);
        assert!(number("10.0.1") >= OLDEST);
        assert!(number("6.0.16") < OLDEST);
        assert!(number("nonsense") < OLDEST);
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let info = "# Server\r\nredis_version:7.0.15\r\nredis_version_of_another:1\r\naof_enabled:1\r\n";
        assert_eq!(said(info, "redis_version"), Some("7.0.15"));
        assert_eq!(said(info, "aof_enabled"), Some("1"));
        assert_eq!(said(info, "aof"), None);
    }
}
