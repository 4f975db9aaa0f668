//! Objects: to row bytes and back.

use super::binding::{Part, Place};
use super::digest::RowHash;
use super::row::Row;
use super::{Seal, Visibility};
use crate::crypto::gcm::{GcmKey, TAG};
use crate::crypto::hash::sha256;
use crate::crypto::{InOut, equal, random};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::store::{ObjectId, Terms};
use zeroize::Zeroizing;

/// An object to be sealed.
pub struct Plain<'a> {
    /// Its id.
    pub id: ObjectId,
    /// Its version: the seal holds for this one only.
    pub version: u64,
    /// Who may see it.
    pub visibility: Visibility,
    /// Everything about it but the value of a key.
    pub body: &'a [u8],
    /// The value of a key.
    pub material: Option<&'a Secret>,
    /// The index terms that will be stored beside the row.
    pub terms: &'a Terms,
}

/// Makes the row of an object. Without a login only a public object without material can be sealed, and it will be
/// unverified.
///
/// Errors: [`Error::UserNotLoggedIn`] where a login is needed.
pub fn seal(seal: Option<&Seal>, plain: &Plain) -> Result<Vec<u8>> {
    let Some(seal) = seal else {
        if plain.visibility == Visibility::Private || plain.material.is_some() {
            return Err(Error::UserNotLoggedIn);
        }
        let row = Row { visibility: Visibility::Public, body: plain.body, material: None, mac: Some(&[]) };
        return Ok(row.encode());
    };
    let place = Place { id: plain.id, version: plain.version, visibility: plain.visibility, terms: *plain.terms };
    let token = &seal.token;
    let key = match (plain.visibility, plain.material) {
        (Visibility::Public, None) => None,
        _ => Some(seal.object_key(plain.id)?),
    };

    let sealed_body = match (plain.visibility, &key) {
        (Visibility::Private, Some(key)) => {
            let bound = place.bind(token, &Part::Body { has_material: plain.material.is_some() });
            Some(encrypt(key, &bound, plain.body)?)
        }
        _ => None,
    };
    let body = sealed_body.as_deref().unwrap_or(plain.body);
    let material = match (plain.material, &key) {
        (Some(material), Some(key)) => {
            let bound = place.bind(token, &Part::Material { body: &sha256(&[body]) });
            Some(encrypt(key, &bound, material.expose())?)
        }
        _ => None,
    };
    let material = material.as_deref();
    let mac = (plain.visibility == Visibility::Public).then(|| mac(seal, &place, body, material));
    let row = Row { visibility: plain.visibility, body, material, mac: mac.as_ref().map(AsRef::as_ref) };
    Ok(row.encode())
}

/// An object that was opened.
pub struct Opened {
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether a login stands behind it.
    pub verified: Verified,
    /// What the digest counts of it, if so.
    pub counted: Option<RowHash>,
    /// Everything about it but the value of a key.
    pub body: Zeroizing<Vec<u8>>,
    /// The value of a key, still sealed.
    pub material: Option<SealedMaterial>,
}

/// Whether a login of this token wrote an object, exactly as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// A login wrote it.
    Yes,
    /// It was written without a login, or claims so: whoever can write to the store can have made it.
    No,
    /// It claims to be written by a login, and nobody is logged in to tell.
    Unknown,
}

/// Opens a row that the store gave with this id, version and these terms. `None`: it is private and nobody is logged in.
///
/// Errors: [`Error::ObjectDamaged`], naming the object, when anything is not as it was sealed.
pub fn open(seal: Option<&Seal>, id: ObjectId, version: u64, terms: &Terms, record: &[u8]) -> Result<Option<Opened>> {
    let row = Row::parse(record).map_err(|why| damaged(id, &why))?;
    let place = Place { id, version, visibility: row.visibility, terms: *terms };
    let (body, verified) = match (row.visibility, seal) {
        (Visibility::Private, None) => return Ok(None),
        (Visibility::Private, Some(seal)) => {
            let bound = place.bind(&seal.token, &Part::Body { has_material: row.material.is_some() });
            let body = decrypt(&seal.object_key(id)?, &bound, row.body).ok_or_else(|| forged(id))?;
            (body, Verified::Yes)
        }
        (Visibility::Public, seal) => (Zeroizing::new(row.body.to_vec()), verify(seal, &place, &row)?),
    };
    let material =
        row.material.map(|sealed| SealedMaterial { place, body: sha256(&[row.body]), sealed: sealed.to_vec() });
    let counted = (verified == Verified::Yes).then(|| RowHash::of(record));
    Ok(Some(Opened { visibility: row.visibility, verified, counted, body, material }))
}

/// Key material as it lies in the store, bound to the row it was read from.
#[derive(Clone)]
pub struct SealedMaterial {
    place: Place,
    body: [u8; 32],
    sealed: Vec<u8>,
}

impl SealedMaterial {
    /// The length of the value in bytes.
    pub fn length(&self) -> usize {
        self.sealed.len().saturating_sub(NONCE + TAG)
    }

    /// Whether the value would open. Errors: those of [`unseal`](Self::unseal).
    pub fn check(&self, seal: &Seal) -> Result<()> {
        self.unseal(seal).map(drop)
    }

    /// The value of the key. Errors: [`Error::ObjectDamaged`], naming the object, when it was sealed for another place or
    /// another body, or is damaged.
    pub fn unseal(&self, seal: &Seal) -> Result<Secret> {
        let bound = self.place.bind(&seal.token, &Part::Material { body: &self.body });
        let key = seal.object_key(self.place.id)?;
        let material = decrypt(&key, &bound, &self.sealed).ok_or_else(|| forged(self.place.id))?;
        Ok(Secret::from_slice(&material))
    }
}

/// Who may see the object in a row; tells nothing of whether the row is genuine.
///
/// Errors: [`Error::ObjectDamaged`], naming the object, when it is no row.
pub fn visibility(id: ObjectId, row: &[u8]) -> Result<Visibility> {
    Row::parse(row).map(|row| row.visibility).map_err(|why| damaged(id, &why))
}

fn verify(seal: Option<&Seal>, place: &Place, row: &Row) -> Result<Verified> {
    let found = row.mac.unwrap_or_default();
    let Some(seal) = seal.filter(|_| !found.is_empty()) else {
        return Ok(if found.is_empty() { Verified::No } else { Verified::Unknown });
    };
    let expected = mac(seal, place, row.body, row.material);
    if equal(expected.as_ref(), found) { Ok(Verified::Yes) } else { Err(forged(place.id)) }
}

fn mac(seal: &Seal, place: &Place, body: &[u8], material: Option<&[u8]>) -> impl AsRef<[u8]> + use<> {
    let mut mac = seal.mac.begin();
    mac.update(&place.bind(&seal.token, &Part::Mac { body, material }));
    mac.finish()
}

/// Random 96-bit nonce, ciphertext, tag. A random nonce and not the version: a restored backup repeats versions.
pub(super) fn encrypt(key: &GcmKey, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let nonce = random::bytes::<NONCE>()?;
    let mut sealed = vec![0; plain.len().saturating_add(NONCE + TAG)];
    let (head, rest) = sealed.split_at_mut_checked(NONCE).ok_or(Error::BufferTooSmall)?;
    head.copy_from_slice(&nonce);
    key.seal(&nonce, bound, TAG, &mut InOut::from_slices(plain, rest))?;
    Ok(sealed)
}

pub(super) fn decrypt(key: &GcmKey, bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_at_checked(NONCE)?;
    let mut plain = Zeroizing::new(vec![0; rest.len().checked_sub(TAG)?]);
    key.open(nonce, bound, TAG, &mut InOut::from_slices(rest, &mut plain)).ok()?;
    Some(plain)
}

const NONCE: usize = 12;

fn damaged(id: ObjectId, why: &str) -> Error {
    Error::ObjectDamaged(format!("object {id} is damaged: {why}").into())
}

fn forged(id: ObjectId) -> Error {
    damaged(id, "it is not as it was sealed")
}
