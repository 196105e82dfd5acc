#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A receiver that says, byte for byte, what a test wants it to say; `endless` is said again and again after it.
struct Told {
    port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

async fn receiver(answer: &'static [u8], endless: &'static [u8], every: Duration) -> Told {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let told = Told {
        port: listener.local_addr().unwrap().port(),
        connections: Arc::default(),
        requests: Arc::default(),
    };
    let (connections, requests) = (told.connections.clone(), told.requests.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(answer_all(stream, requests.clone(), answer, endless, every));
        }
    });
    told
}

/// Requests here are short, and end with `}`.
async fn answer_all(
    mut stream: TcpStream,
    requests: Arc<AtomicUsize>,
    answer: &[u8],
    endless: &[u8],
    every: Duration,
) -> std::io::Result<()> {
    let mut read = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        read.extend_from_slice(&buffer[..count]);
        if count == 0 {
            return Ok(());
        }
        if !read.ends_with(b"}") {
            continue;
        }
        read.clear();
        requests.fetch_add(1, Ordering::SeqCst);
        stream.write_all(answer).await?;
        while !endless.is_empty() {
            stream.write_all(endless).await?;
            tokio::time::sleep(every).await;
        }
    }
}

const NOTHING: &[u8] = b"";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A resolver that says one thing first and another one later.
struct Script {
    answers: Mutex<VecDeque<&'static str>>,
    asked: AtomicUsize,
}

impl Script {
    fn new(answers: &[&'static str]) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.iter().copied().collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

#[async_trait::async_trait]
impl LookUp for Script {
    async fn look_up(&self, _host: &str) -> std::io::Result<Vec<SocketAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or("127.0.0.1");
        Ok(answer.split(' ').map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect())
    }
}

fn install_tls() {
    let _first = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

fn guarded(allowed: &[&str], look_up: Arc<dyn LookUp>) -> Outbound {
    install_tls();
    let guard = Guard {
        allow_private: false,
        allowed: allowed.iter().map(|&name| name.to_owned()).collect(),
    };
    Outbound::with(guard, look_up)
}

fn open() -> Outbound {
    install_tls();
    Outbound::new(Guard {
        allow_private: true,
        allowed: Vec::new(),
    })
}

async fn post(outbound: &Outbound, url: &str) -> Result<reqwest::Response, CallError> {
    outbound
        .post(&url.parse().unwrap(), "application/json", "{}".to_owned())
        .await
}

async fn refused(outbound: &Outbound, url: &str) -> String {
    match post(outbound, url).await {
        Err(CallError::Away(why)) => why,
        other => panic!("{url} was called: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_not_public_is_not_called_however_it_is_written() {
    let told = receiver(OK, NOTHING, Duration::ZERO).await;
    let outbound = guarded(&[], Script::new(&[]));
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0x7f.1",
        "127.0.0.1.",
        "①②⑦.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "10.0.0.1",
        "localhost",
        "LOCALHOST.",
        "looks-public.example",
    ] {
        let why = refused(&outbound, &format!("https://{host}:{}/", told.port)).await;
        assert_eq!(why, "its address is not public", "{host}");
    }
    assert_eq!(told.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn only_https_is_called() {
    let told = receiver(OK, NOTHING, Duration::ZERO).await;
    let outbound = guarded(&["hooks.internal"], Script::new(&[]));
    for url in [
        "http://hooks.internal",
        "http://1.1.1.1",
        "ftp://hooks.internal",
        "file:///etc/passwd",
    ] {
        let url = url.parse::<Url>().unwrap();
        let error = outbound.post(&url, "text/plain", String::new()).await.unwrap_err();
        assert_eq!(error.to_string(), "it must be https", "{url}");
    }
    assert_eq!(told.connections.load(Ordering::SeqCst), 0);
    for scheme in ["ftp", "file", "gopher"] {
        let error = post(&open(), &format!("{scheme}://localhost/")).await.unwrap_err();
        assert_eq!(error.to_string(), "it must be https", "not even in the dev mode");
    }
}

/// A name that rebinds is public when it is looked up for the check, and loopback when it is looked up for the connection. There is no
/// second look-up: the connection goes to what the one look-up gave, and the next call is checked anew.
#[tokio::test]
async fn a_name_that_rebinds_is_looked_up_once_for_check_and_connection() {
    let told = receiver(OK, NOTHING, Duration::ZERO).await;
    let look_up = Script::new(&["127.0.0.1", "127.0.0.2"]);
    let outbound = guarded(&["hooks.internal"], look_up.clone());
    refused(&outbound, &format!("https://hooks.internal:{}/", told.port)).await;
    assert_eq!(look_up.asked.load(Ordering::SeqCst), 1);
    assert_eq!(told.connections.load(Ordering::SeqCst), 1, "at the first address");

    let resolver = GuardedResolver {
        guard: Guard::default(),
        look_up: Script::new(&["1.1.1.1", "127.0.0.1"]),
    };
    let name = || "rebinds.example".parse::<Name>().unwrap();
    let first: Vec<_> = resolver.resolve(name()).await.unwrap().collect();
    assert_eq!(first, ["1.1.1.1:0".parse().unwrap()]);
    assert!(resolver.resolve(name()).await.is_err(), "the second answer isn't handed on");
}

#[tokio::test]
async fn of_several_addresses_only_the_public_ones_are_handed_on() {
    let resolver = GuardedResolver {
        guard: Guard::default(),
        look_up: Script::new(&["127.0.0.1 1.1.1.1 10.0.0.1 2606:4700::1111 ::1"]),
    };
    let found: Vec<_> = resolver.resolve("mixed.example".parse().unwrap()).await.unwrap().collect();
    let ips: Vec<_> = found.iter().map(|address| address.ip().to_string()).collect();
    assert_eq!(ips, ["1.1.1.1", "2606:4700::1111"]);
}

#[tokio::test]
async fn a_host_that_the_operator_names_may_be_private_and_still_speaks_tls() {
    // It doesn't: what it is sent is a handshake, and it is not believed.
    let told = receiver(OK, NOTHING, Duration::ZERO).await;
    let outbound = guarded(&["hooks.internal", "127.0.0.1"], Script::new(&[]));
    for host in ["hooks.internal", "HOOKS.internal", "hooks.internal.", "127.0.0.1"] {
        let before = told.connections.load(Ordering::SeqCst);
        let url = format!("https://{host}:{}/", told.port);
        assert!(!refused(&outbound, &url).await.contains("public"), "{host}");
        assert_eq!(told.connections.load(Ordering::SeqCst), before + 1, "{host}");
    }
    for host in [
        "internal",
        "evil-hooks.internal",
        "hooks.internal.evil.example",
        "localhost",
        "127.0.0.2",
    ] {
        let url = format!("https://{host}:{}/", told.port);
        assert_eq!(refused(&outbound, &url).await, "its address is not public", "{host}");
    }
    assert_eq!(told.requests.load(Ordering::SeqCst), 0, "no request in the clear");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let inside = receiver(OK, NOTHING, Duration::ZERO).await;
    let location = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{}/\r\ncontent-length: 0\r\n\r\n",
        inside.port
    );
    let told = receiver(location.leak().as_bytes(), NOTHING, Duration::ZERO).await;
    let answer = post(&open(), &format!("http://127.0.0.1:{}/", told.port)).await.unwrap();
    assert_eq!(answer.status().as_u16(), 307);
    assert_eq!(inside.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn of_an_endless_body_only_the_beginning_is_read() {
    let start = b"HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("400\r\n{}\r\n", ".".repeat(0x400));
    let told = receiver(start, chunk.leak().as_bytes(), Duration::ZERO).await;
    let answer = post(&open(), &format!("http://127.0.0.1:{}/", told.port)).await.unwrap();
    let body = read_some(answer, 4096).await;
    assert!(body.len() <= 4096, "{}", body.len());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_is_given_up_with_the_whole_call() {
    let start = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 1000\r\n\r\n";
    let told = receiver(start, b"x", Duration::from_secs(1)).await;
    let answer = post(&open(), &format!("http://127.0.0.1:{}/", told.port)).await.unwrap();
    let body = read_some(answer, 4096).await;
    assert!((1..1000).contains(&body.len()), "{}", body.len());
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_is_given_up() {
    let told = receiver(NOTHING, NOTHING, Duration::ZERO).await;
    let error = post(&open(), &format!("http://127.0.0.1:{}/", told.port)).await.unwrap_err();
    assert!(matches!(error, CallError::Broken(_)), "it was reached");
    assert_eq!(error.to_string(), "no answer in time");
}

#[tokio::test]
async fn headers_without_end_are_no_answer() {
    let told = receiver(
        b"HTTP/1.1 200 OK\r\n",
        b"x-more: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
        Duration::ZERO,
    )
    .await;
    let error = post(&open(), &format!("http://127.0.0.1:{}/", told.port)).await.unwrap_err();
    assert!(matches!(error, CallError::Broken(_)), "{error}");
}

#[tokio::test]
async fn nobody_there_is_away_and_who_hangs_up_is_not() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = post(&open(), &format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(matches!(error, CallError::Away(_)), "{error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _some = stream.read(&mut [0; 16]).await;
        }
    });
    let error = post(&open(), &format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(matches!(error, CallError::Broken(_)), "{error}");
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let told = receiver(OK, NOTHING, Duration::ZERO).await;
    let outbound = open();
    for _ in 0..20 {
        let answer = post(&outbound, &format!("http://127.0.0.1:{}/", told.port)).await.unwrap();
        assert_eq!(read_some(answer, 4096).await, b"ok");
    }
    assert_eq!(told.requests.load(Ordering::SeqCst), 20);
    assert_eq!(told.connections.load(Ordering::SeqCst), 1);
}
