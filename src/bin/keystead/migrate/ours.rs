//! The token that keys come to.

use cryptoki_sys::*;
use keystead::crypto::InOut;
use keystead::error::{Error, Result};
use keystead::handle::Handle;
use keystead::mechanism::Parameter;
use keystead::object::{Given, Search};
use keystead::session::{Direction, Length, Output, Sessions, SignPurpose};
use keystead::token::TokenState;

use crate::store::Store;
use crate::token::label_of;
use crate::uri::{Named, of_object};

/// A session with its user logged in.
pub struct Ours<'a> {
    store: &'a Store,
    session: Handle,
    pub slot: u32,
    pub label: String,
    pub serial: Vec<u8>,
}

/// An attribute of a template.
pub type Attribute<'a> = (u64, &'a [u8]);

impl<'a> Ours<'a> {
    pub fn new(store: &'a Store, session: Handle, slot: u32, state: &TokenState) -> Self {
        Self { store, session, slot, label: label_of(state), serial: state.serial.to_vec() }
    }

    /// The URI of an object here.
    pub fn uri(&self, named: &Named<'_>) -> String {
        of_object(&self.label, &self.serial, named)
    }

    /// The name of a mechanism.
    pub fn name(&self, mechanism: CK_MECHANISM_TYPE) -> Result<&'static str> {
        Ok(self.store.module.mechanisms().find(mechanism)?.name)
    }

    /// `C_CreateObject`
    pub fn create(&self, given: &[Attribute<'_>]) -> Result<Handle> {
        self.sessions().create(self.session, &template(given))
    }

    /// `C_UnwrapKey`
    pub fn unwrap(
        &self,
        mechanism: CK_MECHANISM_TYPE,
        parameter: &Parameter<'_>,
        by: Handle,
        wrapped: &[u8],
        given: &[Attribute<'_>],
    ) -> Result<Handle> {
        let mechanism = self.store.module.mechanisms().find(mechanism)?;
        self.sessions().unwrap(self.session, mechanism, parameter, by, wrapped, &template(given))
    }

    /// `C_GenerateKeyPair` of an RSA pair of so many bits.
    pub fn generate_rsa(&self, bits: u64, public: &[Attribute<'_>], private: &[Attribute<'_>]) -> Result<[Handle; 2]> {
        let mechanism = self.store.module.mechanisms().find(CKM_RSA_PKCS_KEY_PAIR_GEN)?;
        let bits = bits.to_ne_bytes();
        let public: Vec<Attribute> = public.iter().copied().chain([(CKA_MODULUS_BITS, &bits[..])]).collect();
        self.sessions().generate_pair(self.session, mechanism, [&template(&public), &template(private)])
    }

    /// The objects that a template fits.
    pub fn find(&self, wanted: &[Attribute<'_>]) -> Result<Vec<Handle>> {
        const MANY: usize = 1024;
        self.sessions().find_init(self.session, Search::new(&template(wanted)))?;
        let found = self.sessions().find_next(self.session, MANY);
        self.sessions().find_final(self.session)?;
        found
    }

    /// The value of an attribute; none if the object does not have it, or does not show it.
    pub fn attribute(&self, object: Handle, number: u64) -> Result<Option<Vec<u8>>> {
        match self.sessions().view(self.session, object)?.attribute(number) {
            Ok(value) => Ok(Some(value.to_vec())),
            Err(Error::AttributeSensitive(_) | Error::AttributeTypeInvalid(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `C_DestroyObject`
    pub fn destroy(&self, object: Handle) -> Result<()> {
        self.sessions().destroy(self.session, object)
    }

    /// `C_Encrypt` or `C_Decrypt` of one piece, without a parameter.
    pub fn crypt(
        &self,
        direction: Direction,
        mechanism: CK_MECHANISM_TYPE,
        key: Handle,
        data: &[u8],
    ) -> Result<Vec<u8>> {
        let mechanism = self.store.module.mechanisms().find(mechanism)?;
        self.sessions().crypt_init(self.session, direction, mechanism, &Parameter::None, key)?;
        written(data, |output| self.sessions().crypt_whole(self.session, direction, output))
    }

    /// `C_Sign` of one piece.
    pub fn sign(&self, mechanism: CK_MECHANISM_TYPE, key: Handle, data: &[u8]) -> Result<Vec<u8>> {
        let mechanism = self.store.module.mechanisms().find(mechanism)?;
        self.sessions().sign_init(self.session, SignPurpose::Sign, mechanism, &Parameter::None, key)?;
        written(data, |output| self.sessions().sign_whole(self.session, output))
    }

    /// `C_Verify` of one piece.
    pub fn verifies(&self, mechanism: CK_MECHANISM_TYPE, key: Handle, data: &[u8], signature: &[u8]) -> Result<bool> {
        let mechanism = self.store.module.mechanisms().find(mechanism)?;
        self.sessions().sign_init(self.session, SignPurpose::Verify, mechanism, &Parameter::None, key)?;
        match self.sessions().verify(self.session, Some(data), signature) {
            Ok(()) => Ok(true),
            Err(Error::SignatureInvalid | Error::SignatureLenRange) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn sessions(&self) -> &Sessions {
        self.store.module.sessions()
    }
}

fn template<'a>(given: &[Attribute<'a>]) -> Vec<Given<'a>> {
    given.iter().map(|(number, value)| Given::new(*number, value)).collect()
}

/// What a call writes, which is never longer than this.
fn written(data: &[u8], call: impl FnOnce(&mut Output<'_>) -> Result<Length>) -> Result<Vec<u8>> {
    const ROOM: usize = 2048;
    let mut result = vec![0; ROOM];
    let Length::Written(length) = call(&mut Output::Buffer(InOut::from_slices(data, &mut result)))? else {
        return Err(Error::BufferTooSmall);
    };
    result.truncate(length);
    Ok(result)
}
