//! TLS against real servers on loopback, with certificates made here: each thing that does not fit says what to do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

use super::http::{HttpTransport, HttpTransportError};
use super::{RpcTransport as _, TransportError};
use crate::access::{ClientCertificateFiles, NodeAccess, NodeAccessError, NodeAccessFiles};
use crate::new_heads::hostile::{head, shaken, taken};
use crate::new_heads::{Connection, NewHeads};

/// What every node here answers.
const ANSWER: &str = "{\"result\":42}";

/// An authority, and what it signs, as files.
struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate of a server.
#[derive(Clone, Copy)]
enum Fit {
    Right,
    OtherName,
    Expired,
}

impl Authority {
    fn new() -> Self {
        Self::named("Authority of the tests")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { folder: tempfile::tempdir().unwrap(), issuer };
        std::fs::write(authority.path("authority.pem"), authority.issuer.pem()).unwrap();
        authority
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The files of a certificate and its key.
    fn sign(&self, name: &str, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> [PathBuf; 2] {
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let files = [self.path(&format!("{name}.pem")), self.path(&format!("{name}-key.pem"))];
        std::fs::write(&files[0], signed.pem()).unwrap();
        std::fs::write(&files[1], key.serialize_pem()).unwrap();
        files
    }

    fn server(&self, fit: Fit, asks_for_client: bool) -> TlsAcceptor {
        let name = if let Fit::OtherName = fit { "other.test" } else { "127.0.0.1" };
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        if let Fit::Expired = fit {
            (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        }
        let [certificate, key] = self.sign("server", params, ExtendedKeyUsagePurpose::ServerAuth);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = if asks_for_client {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(self.path("authority.pem")).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
        let config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    fn files(&self) -> NodeAccessFiles {
        NodeAccessFiles { authority: Some(self.path("authority.pem")), client: None, token: None }
    }

    fn access(&self) -> NodeAccess {
        NodeAccess::read(&self.files()).unwrap()
    }

    fn client(&self) -> ClientCertificateFiles {
        let params = CertificateParams::new(["client.test".to_owned()]).unwrap();
        let [certificate, key] = self.sign("client", params, ExtendedKeyUsagePurpose::ClientAuth);
        ClientCertificateFiles { certificate, key }
    }
}

/// A node over HTTPS that answers each request, and where it is.
struct Node {
    address: String,
    _serving: JoinSet<()>,
}

impl Node {
    async fn start(acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut serving = JoinSet::new();
        let _ = serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                let _ = connections.spawn(async move {
                    let Ok(mut stream) = acceptor.accept(socket).await else { return };
                    let mut request = [0; 4096];
                    let Ok(length) = stream.read(&mut request).await else { return };
                    let asked = String::from_utf8_lossy(&request[..length]).into_owned();
                    let shown = asked.lines().find(|line| line.starts_with("authorization: ")).unwrap_or_default();
                    let body = if shown.is_empty() { ANSWER.to_owned() } else { format!("{{\"{shown}\"}}") };
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                    let _ = stream.write_all(head.as_bytes()).await;
                });
            }
        });
        Self { address, _serving: serving }
    }

    async fn ask(&self, access: &NodeAccess) -> Result<String, TransportError> {
        let transport = HttpTransport::with(&format!("https://{}", self.address), access).unwrap();
        transport.send("{}".to_owned()).await
    }
}

fn reason(answer: Result<String, TransportError>) -> String {
    match answer.unwrap_err() {
        TransportError::NotSent { reason } => format!("not sent: {reason}"),
        TransportError::OutcomeUnknown { reason } => format!("unknown: {reason}"),
    }
}

#[tokio::test]
async fn a_node_of_the_given_authority_is_reached_and_any_other_is_told_apart() {
    let authority = Authority::new();
    let node = Node::start(authority.server(Fit::Right, false)).await;
    assert_eq!(node.ask(&authority.access()).await.unwrap(), ANSWER);
    for other in [Authority::named("another"), Authority::new()] {
        let untrusted = reason(node.ask(&other.access()).await);
        let expected = "not sent: the node's certificate comes from an authority that is not trusted";
        assert!(untrusted.starts_with(expected), "{untrusted}");
    }
    let node = Node::start(authority.server(Fit::Expired, false)).await;
    let expired = reason(node.ask(&authority.access()).await);
    assert!(expired.starts_with("not sent: the node's certificate has expired: "), "{expired}");
    let node = Node::start(authority.server(Fit::OtherName, false)).await;
    let named = reason(node.ask(&authority.access()).await);
    assert!(named.starts_with("not sent: the node's certificate is not for `127.0.0.1`: "), "{named}");
    assert!(named.contains("other.test"), "{named}");
}

#[tokio::test]
async fn without_a_file_only_authorities_of_the_system_count() {
    let node = Node::start(Authority::new().server(Fit::Right, false)).await;
    match HttpTransport::new(&format!("https://{}", node.address)) {
        Ok(transport) => {
            let untrusted = reason(transport.send("{}".to_owned()).await);
            assert!(untrusted.starts_with("not sent: the node's certificate comes from an authority"), "{untrusted}");
        }
        Err(error) => assert!(
            matches!(error, HttpTransportError::Access { source: NodeAccessError::NoSystemAuthorities { .. }, .. }),
            "{error:?}"
        ),
    }
}

#[tokio::test]
async fn a_node_without_tls_is_told_from_one_that_is_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let plain = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await.unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    };
    let transport = HttpTransport::with(&url, &Authority::new().access()).unwrap();
    let answer = tokio::select! {
        answer = transport.send("{}".to_owned()) => reason(answer),
        () = plain => unreachable!("it waits for ever"),
    };
    assert!(answer.starts_with("not sent: what answers there does not speak TLS"), "{answer}");
}

#[tokio::test]
async fn a_node_that_asks_who_we_are_is_told_by_our_certificate() {
    let authority = Authority::new();
    let node = Node::start(authority.server(Fit::Right, true)).await;
    let known = NodeAccessFiles { client: Some(authority.client()), ..authority.files() };
    assert_eq!(node.ask(&NodeAccess::read(&known).unwrap()).await.unwrap(), ANSWER);
    let others = [Authority::named("another"), Authority::new()];
    for client in [None, Some(others[0].client()), Some(others[1].client())] {
        let files = NodeAccessFiles { client, ..authority.files() };
        let refused = reason(node.ask(&NodeAccess::read(&files).unwrap()).await);
        assert!(refused.contains("the node does not take our certificate"), "{refused}");
    }
}

#[tokio::test]
async fn heads_are_told_in_tls() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{}", listener.local_addr().unwrap());
    let acceptor = authority.server(Fit::Right, false);
    let node = async {
        let (socket, _) = listener.accept().await.unwrap();
        let mut node = shaken(acceptor.accept(socket).await.unwrap()).await.unwrap();
        node.write_all(&[taken(), head(7)].concat()).await.unwrap();
        node.shutdown().await.unwrap();
    };
    let listening = async {
        let connection = Connection::open(&NewHeads::with(&url, &authority.access()).unwrap()).await.unwrap();
        let mut told = Vec::new();
        let _ = connection.listen(|number| told.push(number)).await;
        told
    };
    let ((), told) = tokio::join!(node, listening);
    assert_eq!(told, [7]);
}

#[tokio::test]
async fn heads_are_not_heard_of_from_a_node_of_another_authority() {
    let node = Node::start(Authority::new().server(Fit::Right, false)).await;
    let new_heads = NewHeads::with(&format!("wss://{}", node.address), &Authority::named("another").access()).unwrap();
    let fault = Connection::open(&new_heads).await.map(|_| ()).unwrap_err().to_string();
    let expected = "no connection to the node: the node's certificate comes from an authority that is not trusted";
    assert!(fault.starts_with(expected), "{fault}");
}

#[tokio::test]
async fn a_token_is_shown_when_heads_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let access = access_with(folder.path(), "eyJ.secret.token").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let new_heads = NewHeads::with(&format!("ws://{}", listener.local_addr().unwrap()), &access).unwrap();
    let node = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let length = socket.read(&mut asked).await.unwrap();
        String::from_utf8_lossy(&asked[..length]).into_owned()
    };
    let (opened, asked) = tokio::join!(Connection::open(&new_heads), node);
    assert!(asked.contains("Authorization: Bearer eyJ.secret.token\r\n"), "{asked}");
    let fault = opened.map(|_| ()).unwrap_err();
    assert!(!format!("{new_heads:?} {fault} {fault:?}").contains("secret"), "{fault:?}");
}

/// A file with this text, read as a token.
fn access_with(folder: &Path, token: &str) -> Result<NodeAccess, NodeAccessError> {
    let path = folder.join("token");
    std::fs::write(&path, token).unwrap();
    NodeAccess::read(&NodeAccessFiles { authority: None, client: None, token: Some(path) })
}

#[tokio::test]
async fn a_token_is_shown_to_the_node_and_to_nobody_else() {
    let authority = Authority::new();
    let node = Node::start(authority.server(Fit::Right, false)).await;
    std::fs::write(authority.path("token"), "eyJ.secret.token\n").unwrap();
    let files = NodeAccessFiles { token: Some(authority.path("token")), ..authority.files() };
    let access = NodeAccess::read(&files).unwrap();
    assert_eq!(node.ask(&access).await.unwrap(), "{\"authorization: Bearer eyJ.secret.token\"}");
    let transport = HttpTransport::with(&format!("https://{}", node.address), &access).unwrap();
    assert!(!format!("{access:?} {transport:?}").contains("secret"), "{access:?} {transport:?}");
    let two = HttpTransport::with("https://user:secret@node", &access).unwrap_err();
    assert!(matches!(&two, HttpTransportError::TwoCredentials { url } if url == "https://***@node"), "{two:?}");
}

#[test]
fn files_that_cannot_be_used_are_named_without_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("", "holds no token: it is empty"),
        ("two secret\n", "holds no token: a token is one line of ASCII without spaces"),
        ("secret\nsecret\n", "holds no token: a token is one line"),
        (&"secret".repeat(2_000), "holds no token: it is longer than 8 KiB"),
    ];
    for (text, expected) in cases {
        let refused = access_with(folder.path(), text).unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
        assert!(!format!("{refused:?}").contains("secret"), "{refused:?}");
    }
    let authority = Authority::new();
    let absent = NodeAccessFiles { authority: Some(folder.path().join("absent")), client: None, token: None };
    assert!(matches!(NodeAccess::read(&absent), Err(NodeAccessError::File { .. })));
    let damaged = folder.path().join("damaged.pem");
    std::fs::write(&damaged, "-----BEGIN CERTIFICATE-----\nsecret\n-----END CERTIFICATE-----\n").unwrap();
    let damaged =
        NodeAccess::read(&NodeAccessFiles { authority: Some(damaged), client: None, token: None }).unwrap_err();
    assert!(!damaged.to_string().contains("secret") && !format!("{damaged:?}").contains("secret"), "{damaged:?}");
    // A key of another certificate.
    let (one, other) = (authority.client(), Authority::new());
    let files = ClientCertificateFiles { key: other.client().key, ..one };
    let unfit = NodeAccess::read(&NodeAccessFiles { client: Some(files), ..authority.files() }).unwrap_err();
    assert!(matches!(unfit, NodeAccessError::ClientKey { .. }), "{unfit}");
}
