//! They start, keep what they were told through a kill, and start again.
#![allow(clippy::unwrap_used)]

use gait_backends::{Disk, Postgres, Redis};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

#[test]
fn postgres_keeps_what_was_committed_through_a_kill() {
    let mut postgres = Postgres::start().unwrap();
    postgres
        .run("gait", "CREATE TABLE t (x INT); INSERT INTO t VALUES (1)")
        .unwrap();
    postgres.kill().unwrap();
    assert!(postgres.run("gait", "SELECT 1").is_err());
    postgres.start_again().unwrap();
    postgres
        .run("gait", "DO $$ BEGIN ASSERT (SELECT x FROM t) = 1; END $$")
        .unwrap();
}

fn say(redis: &Redis, command: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    stream.write_all(command.as_bytes()).unwrap();
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[test]
fn redis_keeps_what_it_was_told_through_a_stop() {
    let mut redis = Redis::start().unwrap();
    assert_eq!(say(&redis, "SET a 1\r\n"), "+OK\r\n");
    redis.stop().unwrap();
    redis.start_again().unwrap();
    assert_eq!(say(&redis, "GET a\r\n"), "$1\r\n1\r\n");
}

#[test]
fn a_small_disk_is_full_and_has_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(folder.path(), 1) else {
        eprintln!("skipped: no disk can be mounted here (that takes root)");
        return;
    };
    let file = folder.path().join("file");
    disk.fill().unwrap();
    assert!(std::fs::write(&file, [1; 8192]).is_err());
    disk.make_room().unwrap();
    std::fs::write(&file, [1; 8192]).unwrap();
    drop(disk);
    assert!(!file.exists());
}
