//! Calls with NULL where a caller should have something, and a few calls that only one suite makes.

use std::ptr::null_mut;

use cryptoki_sys::*;

use super::{Mechanism, Result, Session};

impl Session {
    /// `C_Encrypt` of NULL with length 0.
    pub fn encrypt_nothing(&self, output: &mut [u8]) -> (Result, usize) {
        let mut room = output.len() as CK_ULONG;
        let outcome = call!(self.module.list, C_Encrypt(self.handle, null_mut(), 0, output.as_mut_ptr(), &mut room));
        (outcome, room as usize)
    }

    /// `C_Encrypt` of NULL with a length that is not 0.
    pub fn encrypt_null(&self, length: CK_ULONG, output: &mut [u8]) -> Result {
        let mut room = output.len() as CK_ULONG;
        call!(self.module.list, C_Encrypt(self.handle, null_mut(), length, output.as_mut_ptr(), &mut room))
    }

    /// `C_DecryptUpdate` of NULL with a length that is not 0.
    pub fn decrypt_update_null(&self, length: CK_ULONG, output: &mut [u8]) -> Result {
        let mut room = output.len() as CK_ULONG;
        call!(self.module.list, C_DecryptUpdate(self.handle, null_mut(), length, output.as_mut_ptr(), &mut room))
    }

    /// `C_Encrypt` without a place for the length.
    pub fn encrypt_lengthless(&self, output: &mut [u8]) -> Result {
        let input = output.as_ptr().cast_mut();
        let size = output.len() as CK_ULONG;
        call!(self.module.list, C_Encrypt(self.handle, input, size, output.as_mut_ptr(), null_mut()))
    }

    /// `C_EncryptInit` with a NULL mechanism.
    pub fn cancel_by_null(&self) -> Result {
        call!(self.module.list, C_EncryptInit(self.handle, null_mut(), 0))
    }

    /// `C_DigestKey`.
    pub fn digest_key(&self, key: CK_OBJECT_HANDLE) -> Result {
        call!(self.module.list, C_DigestKey(self.handle, key))
    }

    /// `C_CreateObject` with NULL for a template of so many rows.
    pub fn create_null(&self, count: CK_ULONG) -> Result<CK_OBJECT_HANDLE> {
        let mut object = 0;
        call!(self.module.list, C_CreateObject(self.handle, null_mut(), count, &mut object)).map(|()| object)
    }

    /// `C_CreateObject` of a data object with NULL for the value of an attribute.
    pub fn create_null_value(&self, attribute: CK_ATTRIBUTE_TYPE, length: CK_ULONG) -> Result<CK_OBJECT_HANDLE> {
        let class = template![CKA_CLASS => CKO_DATA];
        let mut rows = class.raw();
        rows.push(CK_ATTRIBUTE { type_: attribute, pValue: null_mut(), ulValueLen: length });
        let (count, mut object) = (rows.len() as CK_ULONG, 0);
        call!(self.module.list, C_CreateObject(self.handle, rows.as_mut_ptr(), count, &mut object)).map(|()| object)
    }

    /// `C_CreateObject` of a data object with an attribute that says it is longer than it is.
    pub fn create_lying(&self, attribute: CK_ATTRIBUTE_TYPE, length: CK_ULONG) -> Result<CK_OBJECT_HANDLE> {
        let class = template![CKA_CLASS => CKO_DATA];
        let (mut rows, mut value) = (class.raw(), [7_u8; 8]);
        rows.push(CK_ATTRIBUTE { type_: attribute, pValue: value.as_mut_ptr().cast(), ulValueLen: length });
        let (count, mut object) = (rows.len() as CK_ULONG, 0);
        call!(self.module.list, C_CreateObject(self.handle, rows.as_mut_ptr(), count, &mut object)).map(|()| object)
    }

    /// `C_CopyObject` with NULL for a template of so many rows.
    pub fn copy_null(&self, from: CK_OBJECT_HANDLE, count: CK_ULONG) -> Result<CK_OBJECT_HANDLE> {
        let mut object = 0;
        call!(self.module.list, C_CopyObject(self.handle, from, null_mut(), count, &mut object)).map(|()| object)
    }

    /// `C_SetAttributeValue` with NULL for a template of so many rows.
    pub fn set_null(&self, object: CK_OBJECT_HANDLE, count: CK_ULONG) -> Result {
        call!(self.module.list, C_SetAttributeValue(self.handle, object, null_mut(), count))
    }

    /// `C_GenerateKey` with NULL for a template of so many rows.
    pub fn generate_null(&self, mechanism: &Mechanism, count: CK_ULONG) -> Result<CK_OBJECT_HANDLE> {
        let (mut mechanism, mut key) = (mechanism.raw(), 0);
        call!(self.module.list, C_GenerateKey(self.handle, &mut mechanism, null_mut(), count, &mut key)).map(|()| key)
    }

    /// `C_FindObjectsInit` with NULL for a template of so many rows.
    pub fn find_init_null(&self, count: CK_ULONG) -> Result {
        call!(self.module.list, C_FindObjectsInit(self.handle, null_mut(), count))
    }

    /// `C_Digest` of NULL with a length.
    pub fn digest_null(&self) -> Result {
        let mut room = 64;
        call!(self.module.list, C_Digest(self.handle, null_mut(), 16, [0; 64].as_mut_ptr(), &mut room))
    }

    /// `C_Digest` without a place for the length.
    pub fn digest_lengthless(&self) -> Result {
        call!(self.module.list, C_Digest(self.handle, [0; 16].as_mut_ptr(), 16, [0; 64].as_mut_ptr(), null_mut()))
    }

    /// `C_DigestFinal` without a place for the length.
    pub fn digest_final_lengthless(&self) -> Result {
        call!(self.module.list, C_DigestFinal(self.handle, [0; 64].as_mut_ptr(), null_mut()))
    }

    /// `C_Sign` of NULL with a length.
    pub fn sign_null(&self) -> Result {
        let mut room = 64;
        call!(self.module.list, C_Sign(self.handle, null_mut(), 16, [0; 64].as_mut_ptr(), &mut room))
    }

    /// `C_Verify` of NULL with a length.
    pub fn verify_null(&self) -> Result {
        call!(self.module.list, C_Verify(self.handle, null_mut(), 16, [0; 16].as_mut_ptr(), 16))
    }

    /// `C_VerifyFinal` of NULL with a length.
    pub fn verify_final_null(&self) -> Result {
        call!(self.module.list, C_VerifyFinal(self.handle, null_mut(), 16))
    }

    /// `C_Sign` of NULL with length 0.
    pub fn sign_nothing(&self, output: &mut [u8]) -> (Result, usize) {
        let mut room = output.len() as CK_ULONG;
        let outcome = call!(self.module.list, C_Sign(self.handle, null_mut(), 0, output.as_mut_ptr(), &mut room));
        (outcome, room as usize)
    }

    /// `C_Digest` of NULL with length 0.
    pub fn digest_nothing(&self, output: &mut [u8]) -> (Result, usize) {
        let mut room = output.len() as CK_ULONG;
        let outcome = call!(self.module.list, C_Digest(self.handle, null_mut(), 0, output.as_mut_ptr(), &mut room));
        (outcome, room as usize)
    }
}
