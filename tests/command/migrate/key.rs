//! What has moved, at work.

use cryptoki_sys::*;
use der::Encode;
use der::asn1::UintRef;
use keystead::crypto::InOut;
use keystead::handle::Handle;
use keystead::key::Login;
use keystead::mechanism::{Oaep, Parameter};
use keystead::module::Module;
use keystead::object::{Given, Search};
use keystead::session::{Direction, Length, Output, SignPurpose};

use crate::home::{Home, PIN};

/// The token that keys have come to, its user logged in.
pub struct New {
    module: Module,
    session: Handle,
}

impl New {
    pub fn of(home: &Home) -> Self {
        let module = home.module();
        let session = module.open_session(0, true).unwrap();
        module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
        Self { module, session }
    }

    /// `CKM_AES_CBC_PAD`
    pub fn decrypt(&self, iv: &[u8], label: &str, sealed: &[u8]) -> Vec<u8> {
        self.open(CKM_AES_CBC_PAD, &Parameter::Bytes(iv), self.find(CKO_SECRET_KEY, label), sealed)
    }

    /// `CKM_RSA_PKCS_OAEP` with SHA-1, as OpenSSL has it unless told otherwise.
    pub fn decrypt_oaep(&self, label: &str, sealed: &[u8]) -> Vec<u8> {
        let oaep = Oaep { hash: CKM_SHA_1, mgf: CKG_MGF1_SHA1, source: CKZ_DATA_SPECIFIED, label: &[] };
        self.open(CKM_RSA_PKCS_OAEP, &Parameter::Oaep(oaep), self.find(CKO_PRIVATE_KEY, label), sealed)
    }

    fn open(&self, mechanism: u64, parameter: &Parameter<'_>, key: Handle, sealed: &[u8]) -> Vec<u8> {
        let (sessions, mechanism) = (self.module.sessions(), self.module.mechanisms().find(mechanism).unwrap());
        let direction = Direction::Decrypt;
        sessions.crypt_init(self.session, direction, mechanism, parameter, key).unwrap();
        written(sealed, |output| sessions.crypt_whole(self.session, direction, output).unwrap())
    }

    /// A signature or a MAC.
    pub fn sign(&self, mechanism: u64, label: &str, message: &[u8]) -> Vec<u8> {
        let class = if mechanism == CKM_SHA256_HMAC { CKO_SECRET_KEY } else { CKO_PRIVATE_KEY };
        let (sessions, key) = (self.module.sessions(), self.find(class, label));
        let mechanism = self.module.mechanisms().find(mechanism).unwrap();
        sessions.sign_init(self.session, SignPurpose::Sign, mechanism, &Parameter::None, key).unwrap();
        written(message, |output| sessions.sign_whole(self.session, output).unwrap())
    }

    /// `CKA_VALUE`
    pub fn value(&self, class: u64, label: &str) -> Vec<u8> {
        let object = self.find(class, label);
        self.module.sessions().view(self.session, object).unwrap().attribute(CKA_VALUE).unwrap().to_vec()
    }

    fn find(&self, class: u64, label: &str) -> Handle {
        let class = class.to_ne_bytes();
        let wanted = [Given::new(CKA_CLASS, &class), Given::new(CKA_LABEL, label.as_bytes())];
        let sessions = self.module.sessions();
        sessions.find_init(self.session, Search::new(&wanted)).unwrap();
        let found = sessions.find_next(self.session, 2).unwrap();
        sessions.find_final(self.session).unwrap();
        assert_eq!(found.len(), 1, "{label}");
        found[0]
    }
}

fn written(data: &[u8], call: impl FnOnce(&mut Output<'_>) -> Length) -> Vec<u8> {
    let mut room = vec![0; 1024];
    let Length::Written(length) = call(&mut Output::Buffer(InOut::from_slices(data, &mut room))) else {
        panic!("1024 bytes are too few");
    };
    room.truncate(length);
    room
}

/// A signature of ECDSA in the form of OpenSSL.
pub fn der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    let half = |bytes| UintRef::new(bytes).unwrap().to_der().unwrap();
    let both = [half(r), half(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], &both[..]].concat()
}
