//! The certificate of one listener: made for it, for the addresses that it is offered at, and gone with it. Nobody vouches for
//! it, so browsers warn; whoever compares its fingerprint with the one that the host shows knows whom they talk to.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, crypto};

/// What a listener encrypts with.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// As browsers show it: `AB:CD:…`, 32 pairs.
    pub(crate) fingerprint: String,
}

impl Tls {
    /// A certificate for these addresses, with a key that is nowhere else.
    pub(crate) fn for_addresses(addresses: &[IpAddr]) -> io::Result<Self> {
        let names: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Parlor");
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.self_signed(&key).map_err(io::Error::other)?;
        let fingerprint = shown(&Sha256::digest(certificate.der()));
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key))
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), fingerprint })
    }
}

fn shown(digest: &[u8]) -> String {
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}
