//! How nodes are reached beyond their addresses: whose certificates are believed, by which certificate we are known, and which token
//! is shown.
//!
//! TLS is rustls with ring, of versions 1.2 and 1.3, and nothing switches the check of certificates off. Besu asks for a client's
//! certificate with `--rpc-http-tls-client-auth-enabled`, and for a token with `--rpc-http-authentication-enabled`
//! (`Authorization: Bearer`).

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::header::HeaderValue;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The longest file of a token, in bytes: servers take headers of 8 KiB by default.
pub const NODE_TOKEN_BYTES_MAX: usize = 8 * 1024;

/// What a token looks like.
const ONE_LINE: &str = "a token is one line of ASCII without spaces";

/// Files that say how nodes are reached. They are read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAccessFiles {
    /// Certificates, in PEM, that the nodes' certificates must come from. `None`: those that the system trusts.
    pub authority: Option<PathBuf>,
    /// By what nodes know us, where they ask for a client's certificate.
    pub client: Option<ClientCertificateFiles>,
    /// A token, such as a JWT, that nodes are shown with each request (RFC 6750). Over http and ws, whoever is on the way reads it.
    pub token: Option<PathBuf>,
}

/// A client's certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificateFiles {
    /// The certificate, and those between it and the authority, in PEM.
    pub certificate: PathBuf,
    /// The key of the certificate, in PEM.
    pub key: PathBuf,
}

/// How nodes are reached. Printed without anything that is secret.
#[derive(Clone)]
pub struct NodeAccess {
    authority: Option<Arc<RootCertStore>>,
    client: Option<Client>,
    authorization: Option<HeaderValue>,
}

#[derive(Clone)]
struct Client {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl fmt::Debug for NodeAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeAccess")
            .field("has_authority", &self.authority.is_some())
            .field("has_client", &self.client.is_some())
            .field("has_token", &self.authorization.is_some())
            .finish()
    }
}

/// A file of an access cannot be used. None of its content is told.
#[derive(Debug, thiserror::Error)]
pub enum NodeAccessError {
    /// The file cannot be read. Check its name and mode.
    #[error("cannot read `{}`, which is to hold a {what}", path.display())]
    File {
        /// What it was to hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is no PEM, or holds something else. It must have the lines `-----BEGIN …-----`.
    #[error("`{}` holds no {what} in PEM: {why}", path.display())]
    Pem {
        /// What it was to hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The key is of another certificate, or of a kind that TLS does not know.
    #[error("the key in `{}` cannot be used with the certificate in `{}`: {why}", key.display(), certificate.display())]
    ClientKey {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The file holds no token.
    #[error("`{}` holds no token: {why}", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// The system has no certificates. Install them (`ca-certificates`), or name the authority's.
    #[error("this system trusts no authority: install its certificates, or name the authority of the node's ({why})")]
    NoSystemAuthorities {
        /// What was found instead.
        why: String,
    },
    /// The library refuses what it is set up with.
    #[error("cannot set up TLS: {why}")]
    Setup {
        /// Why.
        why: String,
    },
}

impl NodeAccess {
    /// Nothing but what the system trusts, and nothing that is shown.
    pub fn plain() -> Self {
        Self { authority: None, client: None, authorization: None }
    }

    /// Reads the files.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or does not hold what it should.
    pub fn read(files: &NodeAccessFiles) -> Result<Self, NodeAccessError> {
        let access = Self {
            authority: files.authority.as_deref().map(read_authority).transpose()?,
            client: files.client.as_ref().map(read_client).transpose()?,
            authorization: files.token.as_deref().map(read_token).transpose()?,
        };
        if let (Some(client), Some(files)) = (&access.client, &files.client) {
            // Whether key and certificate go together is seen here, where the files can be named.
            let unfit = |error: rustls::Error| NodeAccessError::ClientKey {
                certificate: files.certificate.clone(),
                key: files.key.clone(),
                why: error.to_string(),
            };
            drop(configured(RootCertStore::empty(), Some(client))?.map_err(unfit)?);
        }
        Ok(access)
    }

    /// What is shown with each request.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// What a connection in TLS is begun with.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>, NodeAccessError> {
        let roots = match &self.authority {
            Some(authority) => RootCertStore::clone(authority),
            None => system_authorities()?,
        };
        let setup = |error: rustls::Error| NodeAccessError::Setup { why: error.to_string() };
        Ok(Arc::new(configured(roots, self.client.as_ref())?.map_err(setup)?))
    }
}

/// The inner error is of the client's certificate.
fn configured(
    roots: RootCertStore,
    client: Option<&Client>,
) -> Result<Result<ClientConfig, rustls::Error>, NodeAccessError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| NodeAccessError::Setup { why: error.to_string() })?;
    let builder = builder.with_root_certificates(roots);
    Ok(match client {
        Some(Client { chain, key }) => builder.with_client_auth_cert(chain.clone(), key.clone_key()),
        None => Ok(builder.with_no_client_auth()),
    })
}

fn system_authorities() -> Result<RootCertStore, NodeAccessError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A system may trust certificates of forms that are not read here: the others count.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = found.errors.first().map_or_else(|| "none was found".to_owned(), ToString::to_string);
        return Err(NodeAccessError::NoSystemAuthorities { why });
    }
    Ok(roots)
}

fn read_authority(path: &Path) -> Result<Arc<RootCertStore>, NodeAccessError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates("certificate of an authority", path)? {
        roots.add(certificate).map_err(|error| NodeAccessError::Pem {
            what: "certificate of an authority",
            path: path.to_owned(),
            why: error.to_string(),
        })?;
    }
    Ok(Arc::new(roots))
}

fn read_client(files: &ClientCertificateFiles) -> Result<Client, NodeAccessError> {
    let chain = read_certificates("certificate of a client", &files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| pem_error("key", &files.key, error))?;
    Ok(Client { chain, key: Arc::new(key) })
}

fn read_certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, NodeAccessError> {
    let failed = |error| pem_error(what, path, error);
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(failed)?.collect();
    let found = found.map_err(failed)?;
    if found.is_empty() {
        return Err(failed(pem::Error::NoItemsFound));
    }
    Ok(found)
}

fn pem_error(what: &'static str, path: &Path, error: pem::Error) -> NodeAccessError {
    let path = path.to_owned();
    match error {
        pem::Error::Io(source) => NodeAccessError::File { what, path, source },
        // Their texts may hold lines of the file, which may be of a key.
        pem::Error::NoItemsFound => NodeAccessError::Pem { what, path, why: "there is none".to_owned() },
        _ => NodeAccessError::Pem { what, path, why: "it is damaged".to_owned() },
    }
}

fn read_token(path: &Path) -> Result<HeaderValue, NodeAccessError> {
    let refused = |why| NodeAccessError::Token { path: path.to_owned(), why };
    let failed = |source| NodeAccessError::File { what: "token", path: path.to_owned(), source };
    let text = read_bounded(path).map_err(failed)?.ok_or_else(|| refused("it is longer than 8 KiB"))?;
    let text = String::from_utf8(text).map_err(|_| refused(ONE_LINE))?;
    let token = text.trim_end_matches(['\r', '\n']);
    if token.is_empty() {
        return Err(refused("it is empty"));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused(ONE_LINE));
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| refused(ONE_LINE))?;
    // Libraries print it as `Sensitive` then.
    header.set_sensitive(true);
    Ok(header)
}

/// `None`: it is longer than a token may be.
fn read_bounded(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(NODE_TOKEN_BYTES_MAX + 1).unwrap_or(u64::MAX);
    let length = File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok((length <= NODE_TOKEN_BYTES_MAX).then_some(bytes))
}
