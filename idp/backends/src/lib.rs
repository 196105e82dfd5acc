//! Real Postgres and Redis servers on this machine, each in a folder and on a port of its own, for tests, benches and clusters.
//! They end with the process that started them, and can be killed and started again on what they left behind.

mod disk;
mod postgres;
mod program;
mod redis;

pub use disk::Disk;
pub use postgres::Postgres;
pub use program::{find, folder, free_port, is_root};
pub use redis::{KEEPS_ALL, Redis};
