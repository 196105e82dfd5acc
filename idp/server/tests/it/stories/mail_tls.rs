//! Mail over TLS: whom we believe, and to whom the password goes.

use crate::harness::mail_server::{Encryption, LOGIN, MailServer};
use crate::harness::{ALICE, App, Provider};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// For 127.0.0.1, self-signed: nobody vouches for it but who has the file. It expires in a hundred years.
const CERTIFICATE: &str = include_str!("../harness/mail_server.crt");
/// Known to everybody, so good for nothing but these tests.
const KEY: &str = include_str!("../harness/mail_server.key");

/// The server's end of TLS, and a folder with what its clients need.
fn acceptor() -> (TlsAcceptor, TempDir) {
    let _first = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ca.pem"), CERTIFICATE).expect("a file");
    std::fs::write(folder.path().join("password"), LOGIN.1).expect("a file");
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    (TlsAcceptor::from(Arc::new(config.expect("a key pair"))), folder)
}

fn config(server: &MailServer, tls: &str, folder: &TempDir, trusts: bool) -> String {
    let (port, folder) = (server.port, folder.path().display());
    let ca = if trusts {
        format!("ca_file = \"{folder}/ca.pem\"\n")
    } else {
        String::new()
    };
    format!(
        "[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"{tls}\"\nfrom = \"no-reply@id.example\"\nusername = \"{}\"\n\
         password_file = \"{folder}/password\"\n{ca}",
        LOGIN.0
    )
}

#[tokio::test]
async fn the_password_is_sent_encrypted_to_a_server_that_we_believe() {
    for tls in ["starttls", "tls"] {
        let (acceptor, folder) = acceptor();
        let encryption = match tls {
            "tls" => Encryption::Tls(acceptor),
            _ => Encryption::Starttls(acceptor),
        };
        let server = MailServer::with(encryption).await;
        let provider = Provider::mailing(&server, &config(&server, tls, &folder, true)).await;
        App::web(&provider).sign_in(&mut provider.visitor(), ALICE).await;
        let mail = server.arrived().remove(0);
        assert!(mail.encrypted, "{tls}");
        assert_eq!(mail.login.as_deref(), Some(LOGIN.0), "{tls}");
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_neither_password_nor_mail() {
    let (acceptor, folder) = acceptor();
    for server in [
        MailServer::with(Encryption::Tls(acceptor.clone())).await,
        MailServer::with(Encryption::Starttls(acceptor)).await,
        // It offers no encryption at all.
        MailServer::start().await,
    ] {
        let tls = if server.is_wrapped() { "tls" } else { "starttls" };
        let provider = Provider::mailing(&server, &config(&server, tls, &folder, false)).await;
        let mut visitor = provider.visitor();
        let page = visitor.get("/recovery").await;
        let page = visitor.submit(&page, &[("identifier", "alice")]).await.page();
        for _ in 0..200 {
            if visitor.get(page.url.as_str()).await.text().contains("couldn’t send") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert!(visitor.get(page.url.as_str()).await.text().contains("couldn’t send"));
        assert!(server.arrived().is_empty());
    }
}

#[tokio::test]
async fn a_wrong_password_is_no_persons_fault() {
    let (acceptor, folder) = acceptor();
    std::fs::write(folder.path().join("password"), "another").expect("a file");
    let server = MailServer::with(Encryption::Tls(acceptor)).await;
    let provider = Provider::mailing(&server, &config(&server, "tls", &folder, true)).await;
    let mut visitor = provider.visitor();
    let page = visitor.get("/recovery").await;
    let page = visitor.submit(&page, &[("identifier", "alice")]).await.page();
    for _ in 0..200 {
        if visitor.get(page.url.as_str()).await.text().contains("couldn’t send") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the page never says so");
}
