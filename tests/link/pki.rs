//! Certificates for one test: an authority, a broker, a client, and a foreign authority.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

use crate::rig::Folder;

pub struct Pki(Folder);

impl Pki {
    pub fn new() -> Pki {
        let pki = Pki(Folder::new());
        let issuer = pki.authority("ca");
        pki.authority("foreign");
        pki.signed("server", ExtendedKeyUsagePurpose::ServerAuth, &issuer);
        pki.signed("client", ExtendedKeyUsagePurpose::ClientAuth, &issuer);
        pki
    }

    pub fn ca(&self) -> PathBuf {
        self.file("ca.pem")
    }

    pub fn foreign_ca(&self) -> PathBuf {
        self.file("foreign.pem")
    }

    pub fn server_cert(&self) -> PathBuf {
        self.file("server.pem")
    }

    pub fn server_key(&self) -> PathBuf {
        self.file("server.key")
    }

    pub fn client_cert(&self) -> PathBuf {
        self.file("client.pem")
    }

    pub fn client_key(&self) -> PathBuf {
        self.file("client.key")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn authority(&self, name: &str) -> Issuer<'static, KeyPair> {
        let params = Pki::authority_params(name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(self.file(&format!("{name}.key")), key.serialize_pem()).unwrap();
        std::fs::write(self.file(&format!("{name}.pem")), certificate.pem()).unwrap();
        Issuer::new(params, key)
    }

    /// The broker's certificate ends with the beginning of this year; its key stays.
    pub fn server_until(&self, year: i32) {
        let key = KeyPair::from_pem(&std::fs::read_to_string(self.server_key()).unwrap()).unwrap();
        let ca = KeyPair::from_pem(&std::fs::read_to_string(self.file("ca.key")).unwrap()).unwrap();
        let issuer = Issuer::new(Pki::authority_params("ca"), ca);
        let mut params = Pki::params("server", ExtendedKeyUsagePurpose::ServerAuth);
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        std::fs::write(self.server_cert(), certificate.pem()).unwrap();
    }

    fn authority_params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params
    }

    fn params(name: &str, usage: ExtendedKeyUsagePurpose) -> CertificateParams {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        params
    }

    fn signed(&self, name: &str, usage: ExtendedKeyUsagePurpose, issuer: &Issuer<'static, KeyPair>) {
        use std::os::unix::fs::PermissionsExt;
        let params = Pki::params(name, usage);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        std::fs::write(self.file(&format!("{name}.pem")), certificate.pem()).unwrap();
        let path = self.file(&format!("{name}.key"));
        std::fs::write(&path, key.serialize_pem()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}
