//! What a session does with objects and keys.

use std::ptr::null_mut;

use cryptoki_sys::*;

use super::{Mechanism, Result, Session, Template};

impl Session {
    /// `C_CreateObject`.
    pub fn create(&self, template: &Template) -> Result<CK_OBJECT_HANDLE> {
        let (mut raw, mut object) = (template.raw(), 0);
        let count = raw.len() as CK_ULONG;
        call!(self.module.list, C_CreateObject(self.handle, raw.as_mut_ptr(), count, &mut object)).map(|()| object)
    }

    /// `C_CopyObject`.
    pub fn copy(&self, from: CK_OBJECT_HANDLE, template: &Template) -> Result<CK_OBJECT_HANDLE> {
        let (mut raw, mut object) = (template.raw(), 0);
        let count = raw.len() as CK_ULONG;
        call!(self.module.list, C_CopyObject(self.handle, from, raw.as_mut_ptr(), count, &mut object)).map(|()| object)
    }

    /// `C_DestroyObject`.
    pub fn destroy(&self, object: CK_OBJECT_HANDLE) -> Result {
        call!(self.module.list, C_DestroyObject(self.handle, object))
    }

    /// `C_GetObjectSize`.
    pub fn size(&self, object: CK_OBJECT_HANDLE) -> Result<CK_ULONG> {
        let mut size = 0;
        call!(self.module.list, C_GetObjectSize(self.handle, object, &mut size)).map(|()| size)
    }

    /// `C_GetAttributeValue` of one attribute: the length first, then the value.
    pub fn value(&self, object: CK_OBJECT_HANDLE, attribute: CK_ATTRIBUTE_TYPE) -> Result<Vec<u8>> {
        let mut query = CK_ATTRIBUTE { type_: attribute, pValue: null_mut(), ulValueLen: 0 };
        call!(self.module.list, C_GetAttributeValue(self.handle, object, &mut query, 1))?;
        let mut value = vec![0; query.ulValueLen as usize];
        query.pValue = value.as_mut_ptr().cast();
        call!(self.module.list, C_GetAttributeValue(self.handle, object, &mut query, 1))?;
        value.truncate(query.ulValueLen as usize);
        Ok(value)
    }

    /// One `C_GetAttributeValue` of one attribute in the C form.
    pub fn get_raw(&self, object: CK_OBJECT_HANDLE, attribute: &mut CK_ATTRIBUTE) -> Result {
        call!(self.module.list, C_GetAttributeValue(self.handle, object, attribute, 1))
    }

    /// One `C_GetAttributeValue` of several attributes, each with so much room: the outcome, and the length told and the
    /// buffer of each.
    pub fn values(
        &self,
        object: CK_OBJECT_HANDLE,
        wanted: &[(CK_ATTRIBUTE_TYPE, usize)],
    ) -> (Result, Vec<(CK_ULONG, Vec<u8>)>) {
        let mut buffers: Vec<Vec<u8>> = wanted.iter().map(|(_, room)| vec![super::GUARD; *room]).collect();
        let rows = wanted.iter().zip(&mut buffers).map(|((attribute, room), buffer)| CK_ATTRIBUTE {
            type_: *attribute,
            pValue: buffer.as_mut_ptr().cast(),
            ulValueLen: *room as CK_ULONG,
        });
        let mut rows: Vec<_> = rows.collect();
        let count = rows.len() as CK_ULONG;
        let outcome = call!(self.module.list, C_GetAttributeValue(self.handle, object, rows.as_mut_ptr(), count));
        (outcome, rows.iter().map(|row| row.ulValueLen).zip(buffers).collect())
    }

    /// A number's value.
    pub fn number(&self, object: CK_OBJECT_HANDLE, attribute: CK_ATTRIBUTE_TYPE) -> Result<CK_ULONG> {
        let bytes = self.value(object, attribute)?;
        Ok(CK_ULONG::from_ne_bytes(bytes.try_into().expect("eight bytes")))
    }

    /// A truth value.
    pub fn flag(&self, object: CK_OBJECT_HANDLE, attribute: CK_ATTRIBUTE_TYPE) -> Result<bool> {
        let bytes = self.value(object, attribute)?;
        assert!(matches!(bytes[..], [CK_FALSE | CK_TRUE]), "a CK_BBOOL: {bytes:?}");
        Ok(bytes == [CK_TRUE])
    }

    /// `C_SetAttributeValue`.
    pub fn set(&self, object: CK_OBJECT_HANDLE, template: &Template) -> Result {
        let mut raw = template.raw();
        let count = raw.len() as CK_ULONG;
        call!(self.module.list, C_SetAttributeValue(self.handle, object, raw.as_mut_ptr(), count))
    }

    /// A whole search.
    pub fn find(&self, template: &Template) -> Result<Vec<CK_OBJECT_HANDLE>> {
        self.find_init(template)?;
        let mut found = Vec::new();
        loop {
            let more = self.find_next(64)?;
            if more.is_empty() {
                break;
            }
            found.extend(more);
        }
        self.find_final()?;
        Ok(found)
    }

    /// A search among what programs have made, without the profiles that are on every token.
    pub fn objects(&self, template: &Template) -> Result<Vec<CK_OBJECT_HANDLE>> {
        let profiles = self.find(&template![CKA_CLASS => CKO_PROFILE])?;
        let mut found = self.find(template)?;
        found.retain(|object| !profiles.contains(object));
        Ok(found)
    }

    /// `C_FindObjectsInit`.
    pub fn find_init(&self, template: &Template) -> Result {
        let mut raw = template.raw();
        let count = raw.len() as CK_ULONG;
        call!(self.module.list, C_FindObjectsInit(self.handle, raw.as_mut_ptr(), count))
    }

    /// `C_FindObjects` with room for so many.
    pub fn find_next(&self, room: usize) -> Result<Vec<CK_OBJECT_HANDLE>> {
        let (mut found, mut count) = (vec![0; room], 0);
        call!(self.module.list, C_FindObjects(self.handle, found.as_mut_ptr(), room as CK_ULONG, &mut count))?;
        found.truncate(count as usize);
        Ok(found)
    }

    /// `C_FindObjectsFinal`.
    pub fn find_final(&self) -> Result {
        call!(self.module.list, C_FindObjectsFinal(self.handle))
    }

    /// `C_GenerateKey`.
    pub fn generate(&self, mechanism: &Mechanism, template: &Template) -> Result<CK_OBJECT_HANDLE> {
        let (mut mechanism, mut raw, mut key) = (mechanism.raw(), template.raw(), 0);
        let count = raw.len() as CK_ULONG;
        let table = self.module.list;
        call!(table, C_GenerateKey(self.handle, &mut mechanism, raw.as_mut_ptr(), count, &mut key)).map(|()| key)
    }

    /// `C_GenerateKey` of an AES key of that many bytes with this template.
    pub fn aes_key(&self, length: CK_ULONG, template: Template) -> Result<CK_OBJECT_HANDLE> {
        self.generate(&Mechanism::plain(CKM_AES_KEY_GEN), &template.with(CKA_VALUE_LEN, length))
    }

    /// `C_CreateObject` of an AES key with this value, and this template.
    pub fn aes_key_of(&self, value: &[u8], template: Template) -> Result<CK_OBJECT_HANDLE> {
        let class = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES, CKA_VALUE => value];
        self.create(&class.and(template))
    }

    /// `C_WrapKey`, both calls.
    pub fn wrap(&self, mechanism: &Mechanism, with: CK_OBJECT_HANDLE, key: CK_OBJECT_HANDLE) -> Result<Vec<u8>> {
        let (mut mechanism, mut length) = (mechanism.raw(), 0);
        let table = self.module.list;
        call!(table, C_WrapKey(self.handle, &mut mechanism, with, key, null_mut(), &mut length))?;
        let mut wrapped = vec![0; length as usize];
        call!(table, C_WrapKey(self.handle, &mut mechanism, with, key, wrapped.as_mut_ptr(), &mut length))?;
        wrapped.truncate(length as usize);
        Ok(wrapped)
    }

    /// `C_WrapKey` with this much room, or the size query; the length that the module told.
    pub fn wrap_into(
        &self,
        mechanism: &Mechanism,
        with: CK_OBJECT_HANDLE,
        key: CK_OBJECT_HANDLE,
        output: Option<&mut [u8]>,
    ) -> (Result, usize) {
        let mut mechanism = mechanism.raw();
        let (at, room) = output.map_or((null_mut(), 0), |output| (output.as_mut_ptr(), output.len()));
        let mut length = room as CK_ULONG;
        let outcome = call!(self.module.list, C_WrapKey(self.handle, &mut mechanism, with, key, at, &mut length));
        (outcome, length as usize)
    }

    /// `C_UnwrapKey`.
    pub fn unwrap(
        &self,
        mechanism: &Mechanism,
        with: CK_OBJECT_HANDLE,
        wrapped: &[u8],
        template: &Template,
    ) -> Result<CK_OBJECT_HANDLE> {
        let (mut mechanism, mut raw, mut key) = (mechanism.raw(), template.raw(), 0);
        let (bytes, length) = (wrapped.as_ptr().cast_mut(), wrapped.len() as CK_ULONG);
        let (attributes, count) = (raw.as_mut_ptr(), raw.len() as CK_ULONG);
        let table = self.module.list;
        call!(table, C_UnwrapKey(self.handle, &mut mechanism, with, bytes, length, attributes, count, &mut key))?;
        Ok(key)
    }

    /// `C_WrapKeyAuthenticated` with this much room, or the size query; the length that the module told.
    pub fn wrap_authenticated(
        &self,
        mechanism: &Mechanism,
        with: CK_OBJECT_HANDLE,
        key: CK_OBJECT_HANDLE,
        aad: &[u8],
        output: Option<&mut [u8]>,
    ) -> (Result, usize) {
        let mut mechanism = mechanism.raw();
        let (at, room) = output.map_or((null_mut(), 0), |output| (output.as_mut_ptr(), output.len()));
        let (mut length, table) = (room as CK_ULONG, self.module.three());
        let (aad, size) = (aad.as_ptr().cast_mut(), aad.len() as CK_ULONG);
        let outcome =
            call!(table, C_WrapKeyAuthenticated(self.handle, &mut mechanism, with, key, aad, size, at, &mut length));
        (outcome, length as usize)
    }

    /// `C_UnwrapKeyAuthenticated`.
    pub fn unwrap_authenticated(
        &self,
        mechanism: &Mechanism,
        with: CK_OBJECT_HANDLE,
        wrapped: &[u8],
        aad: &[u8],
        template: &Template,
    ) -> Result<CK_OBJECT_HANDLE> {
        let (mut mechanism, mut raw, mut key) = (mechanism.raw(), template.raw(), 0);
        let (bytes, length) = (wrapped.as_ptr().cast_mut(), wrapped.len() as CK_ULONG);
        let (attributes, count) = (raw.as_mut_ptr(), raw.len() as CK_ULONG);
        let (aad, size) = (aad.as_ptr().cast_mut(), aad.len() as CK_ULONG);
        let (table, by) = (self.module.three(), &mut mechanism);
        let unwrapped = call!(
            table,
            C_UnwrapKeyAuthenticated(self.handle, by, with, bytes, length, attributes, count, aad, size, &mut key)
        );
        unwrapped.map(|()| key)
    }
}
