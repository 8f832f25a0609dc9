//! Certificates for one test: an authority, a server on loopback, and a client, as files.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

use crate::error::ServerError;

/// Where the certificates and their keys are, in PEM. They go with their server.
#[derive(Debug, Clone)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Makes them in the folder.
    pub(super) fn make(folder: &Path) -> Result<Self, ServerError> {
        let certificates = Self { folder: folder.to_owned() };
        let authority_key = KeyPair::generate().map_err(ServerError::Certificates)?;
        let authority = CertifiedIssuer::self_signed(authority(), authority_key).map_err(ServerError::Certificates)?;
        write(certificates.authority(), &authority.pem())?;
        for (certificate, key, params) in [
            (certificates.server(), certificates.server_key(), server()?),
            (certificates.client(), certificates.client_key(), client()?),
        ] {
            let pair = KeyPair::generate().map_err(ServerError::Certificates)?;
            let signed = params.signed_by(&pair, &authority).map_err(ServerError::Certificates)?;
            write(certificate, &signed.pem())?;
            write(key, &pair.serialize_pem())?;
        }
        Ok(certificates)
    }

    /// The authority's certificate, which both sides trust.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// A client's certificate.
    #[must_use]
    pub fn client(&self) -> PathBuf {
        self.folder.join("client.pem")
    }

    /// The key of the client's certificate.
    #[must_use]
    pub fn client_key(&self) -> PathBuf {
        self.folder.join("client-key.pem")
    }

    pub(super) fn server(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    pub(super) fn server_key(&self) -> PathBuf {
        self.folder.join("server-key.pem")
    }
}

fn named(name: &str, mut params: CertificateParams) -> CertificateParams {
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority() -> CertificateParams {
    let mut params = named("lastro test authority", CertificateParams::default());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server() -> Result<CertificateParams, ServerError> {
    let names = ["127.0.0.1", "localhost"].map(str::to_owned);
    let mut params = named("lastro test server", CertificateParams::new(names).map_err(ServerError::Certificates)?);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn client() -> Result<CertificateParams, ServerError> {
    let names = ["client.test".to_owned()];
    let mut params = named("lastro test client", CertificateParams::new(names).map_err(ServerError::Certificates)?);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn write(path: PathBuf, text: &str) -> Result<(), ServerError> {
    fs::write(&path, text).map_err(|source| ServerError::Io { action: "write", path, source })
}
