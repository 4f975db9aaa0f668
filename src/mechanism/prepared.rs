//! A key made ready: parsed and expanded once per key, not once per Init.

use std::sync::atomic::{AtomicBool, Ordering};

use once_cell::sync::OnceCell;

use crate::crypto::aes::AesKey;
use crate::crypto::cmac::CmacKey;
use crate::crypto::ecb::EcbKey;
use crate::crypto::gcm::GcmKey;
use crate::crypto::hash::{Algorithm, Hash};
use crate::crypto::hmac::HmacKey;
use crate::crypto::kdf::hkdf_sha256;
use crate::crypto::keywrap::WrapKey;
use crate::crypto::{PrivateKey, PublicKey, Rejected};
use crate::error::{Error, Result};
use crate::key::{Facts, Grant, KeyMaterial};
use crate::secret::Secret;

/// A key with its material, and what mechanisms made of it so far.
pub struct PreparedKey {
    facts: Facts,
    material: KeyMaterial,
    /// Cleared when the key is destroyed, or when the login ends that it belongs to.
    alive: AtomicBool,
    /// Cleared when the key has changed: operations go on, new ones look it up again.
    current: AtomicBool,
    aes: OnceCell<AesKey>,
    ecb: OnceCell<EcbKey>,
    gcm: OnceCell<GcmKey>,
    cmac: OnceCell<CmacKey>,
    wrap: OnceCell<WrapKey>,
    /// For the first hash that was asked for: a key hardly ever serves two.
    hmac: OnceCell<(Algorithm, HmacKey)>,
    private: OnceCell<Box<PrivateKey>>,
    public: OnceCell<Box<PublicKey>>,
}

impl PreparedKey {
    /// A key of which nothing has been prepared yet.
    pub fn new(facts: Facts, material: KeyMaterial) -> Self {
        Self {
            facts,
            material,
            alive: AtomicBool::new(true),
            current: AtomicBool::new(true),
            aes: OnceCell::new(),
            ecb: OnceCell::new(),
            gcm: OnceCell::new(),
            cmac: OnceCell::new(),
            wrap: OnceCell::new(),
            hmac: OnceCell::new(),
            private: OnceCell::new(),
            public: OnceCell::new(),
        }
    }

    /// What the gate needs to know of the key.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The key's value.
    pub fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// Whether only the user may use the key: private ones are not seen by others, token keys are sealed.
    pub fn needs_login(&self) -> bool {
        self.facts.private || self.facts.is_sealed()
    }

    /// Whether operations with the key may go on.
    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Acquire)
    }

    /// Whether a new operation may take this for what the key is now.
    pub fn is_current(&self) -> bool {
        self.is_alive() && self.current.load(Ordering::Acquire)
    }

    /// Says that the key has changed since.
    pub fn supersede(&self) {
        self.current.store(false, Ordering::Release);
    }

    /// Ends every operation that holds the key.
    pub fn kill(&self) {
        self.alive.store(false, Ordering::Release);
    }
}

/// A prepared key and the leave to use it: what an operation works with.
pub struct Keyed<'k> {
    key: &'k PreparedKey,
    grant: &'k Grant,
}

impl<'k> Keyed<'k> {
    /// Binds the two; the key's doors compare them at every use.
    pub fn new(key: &'k PreparedKey, grant: &'k Grant) -> Self {
        Self { key, grant }
    }

    /// The key's size, as the gate has it: see [`Facts::size`].
    pub(super) fn size(&self) -> usize {
        self.key.facts.size
    }

    /// The value of the key to be wrapped, if the grant names it.
    pub fn release<'a>(&self, target: &'a PreparedKey) -> Result<&'a Secret> {
        target.material.for_wrapping(self.grant)
    }

    /// The value itself, if it is granted for giving it to a token that joins a domain, or for opening what was given.
    pub fn passed(&self) -> Result<&Secret> {
        self.key.material.for_passing(self.grant)
    }

    /// Adds the key's value to a hash.
    pub fn digest(&self, hash: &mut Hash) -> Result<()> {
        hash.update(self.key.material.for_use(self.grant)?.expose());
        Ok(())
    }

    /// A key of 32 bytes derived from the value by HKDF with SHA-256 (RFC 5869), for who makes a construction of its own of it.
    pub fn derived(&self, salt: &[u8], label: &[u8]) -> Result<Secret> {
        hkdf_sha256(self.key.material.for_use(self.grant)?, salt, &[label], 32)
    }

    pub(super) fn aes(&self) -> Result<&'k AesKey> {
        self.prepare(&self.key.aes, AesKey::new)
    }

    pub(super) fn ecb(&self) -> Result<&'k EcbKey> {
        self.prepare(&self.key.ecb, EcbKey::new)
    }

    pub(super) fn gcm(&self) -> Result<&'k GcmKey> {
        self.prepare(&self.key.gcm, GcmKey::new)
    }

    pub(super) fn cmac(&self) -> Result<&'k CmacKey> {
        self.prepare(&self.key.cmac, CmacKey::new)
    }

    pub(super) fn wrap(&self) -> Result<&'k WrapKey> {
        self.prepare(&self.key.wrap, WrapKey::new)
    }

    /// The HMAC that `work` makes, or begins.
    pub(super) fn hmac<T>(&self, algorithm: Algorithm, work: impl FnOnce(&HmacKey) -> T) -> Result<T> {
        let value = self.key.material.for_use(self.grant)?.expose();
        let (prepared_for, prepared) = self.key.hmac.get_or_init(|| (algorithm, HmacKey::new(algorithm, value)));
        if *prepared_for == algorithm { Ok(work(prepared)) } else { Ok(work(&HmacKey::new(algorithm, value))) }
    }

    pub(super) fn private(&self) -> Result<&'k PrivateKey> {
        self.parse(&self.key.private, PrivateKey::from_pkcs8)
    }

    pub(super) fn public(&self) -> Result<&'k PublicKey> {
        self.parse(&self.key.public, PublicKey::from_spki)
    }

    /// Parsed once per key. What was made here and no longer parses is damaged, and sealed values are not: it cannot be.
    fn parse<T>(&self, cell: &'k OnceCell<Box<T>>, parse: fn(&[u8]) -> Result<T, Rejected>) -> Result<&'k T> {
        let value = self.key.material.for_use(self.grant)?;
        let parsed = cell.get_or_try_init(|| parse(value.expose()).map(Box::new));
        parsed.map(Box::as_ref).map_err(|Rejected| Error::KeyTypeInconsistent)
    }

    fn prepare<T>(&self, cell: &'k OnceCell<T>, make: fn(&[u8]) -> Result<T, Rejected>) -> Result<&'k T> {
        let value = self.key.material.for_use(self.grant)?;
        // The gate has compared the length already.
        cell.get_or_try_init(|| make(value.expose())).map_err(|Rejected| Error::KeySizeRange)
    }
}
