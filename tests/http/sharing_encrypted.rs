//! A room that is shared to browsers with encryption (design A10): nobody vouches for the certificate, so what makes it the
//! right one is the fingerprint that the host shows.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::fixture::{PATIENCE, Peer};

/// Takes the one certificate whose fingerprint was compared.
#[derive(Debug)]
struct Compared {
    fingerprint: String,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Compared {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let pairs: Vec<String> = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
        match pairs.join(":") == self.fingerprint {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Error::General("another certificate".into())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What comes back over an encrypted connection, if the certificate is that of the fingerprint.
async fn ask(addr: SocketAddr, fingerprint: &str, request: &str) -> Result<String, std::io::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let compared = Compared { fingerprint: fingerprint.to_owned(), provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(compared))
        .with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(addr).await?;
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let talk = async {
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut said = Vec::new();
        // Not all servers say goodbye.
        let _ = stream.read_to_end(&mut said).await;
        Ok(String::from_utf8_lossy(&said).into_owned())
    };
    timeout(PATIENCE, talk).await.expect("in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_encrypted_is_so_by_the_certificate_that_is_shown() {
    let peer = Peer::start().await;
    let share = peer.post("/rooms/r/share", json!({"on": true, "port": 0, "tls": true})).await.ok();
    let link = share["link"].as_str().expect("a link");
    let (address, token) = link.strip_prefix("https://").and_then(|rest| rest.split_once("/#")).expect("a link");
    let addr: SocketAddr = address.parse().expect("an address");
    let fingerprint = share["fingerprint"].as_str().expect("a fingerprint");
    assert_eq!((share["encrypted"].as_bool(), fingerprint.len()), (Some(true), 32 * 3 - 1));

    let body = json!({"token": token}).to_string();
    let enter = |scheme: &str| {
        format!(
            "POST /enter HTTP/1.1\r\nHost: {address}\r\nOrigin: {scheme}://{address}\r\nContent-Type: \
             application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let said = ask(addr, fingerprint, &enter("https")).await.expect("an answer");
    assert!(said.starts_with("HTTP/1.1 200 OK"), "{said}");
    let cookie = said.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    assert!(cookie.starts_with(&format!("__Host-parlor-guest-{}=", addr.port())), "{cookie}");
    assert!(cookie.contains("; Path=/;") && cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let welcome: Value = serde_json::from_str(said.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    assert_eq!(welcome["encrypted"], true);

    // A page that came without encryption is another site, and so is one that says so.
    let said = ask(addr, fingerprint, &enter("http")).await.expect("an answer");
    assert!(said.contains("FORBIDDEN_ORIGIN"), "{said}");
    let other = format!("{}00", &fingerprint[..fingerprint.len() - 2]);
    if other != fingerprint {
        ask(addr, &other, &enter("https")).await.expect_err("another certificate");
    }

    // Nothing is said to who does not encrypt.
    let mut plain = TcpStream::connect(addr).expect("a connection");
    plain.set_read_timeout(Some(PATIENCE)).expect("a deadline");
    plain.write_all(enter("https").as_bytes()).expect("sent");
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    assert!(!String::from_utf8_lossy(&said).contains("HTTP/1.1"), "{said:?}");

    // Whoever asks for it without is given a link of its own.
    let again = peer.post("/rooms/r/share", json!({"on": true})).await.ok();
    assert_eq!(again["link"], link, "what is shared already stays as it is");
    let without = peer.post("/rooms/r/share", json!({"on": true, "tls": false, "port": 0})).await.ok();
    assert!(without["link"].as_str().is_some_and(|link| link.starts_with("http://")), "{without}");
    assert_eq!(without["fingerprint"], Value::Null);
}
