//! Key pairs: how a session makes and uses them.

use cryptoki_sys::*;

use super::{Mechanism, Module, Result, Session, Template};

impl Session {
    /// `C_GenerateKeyPair` by a mechanism without a parameter: the public key, the private key.
    pub fn pair(
        &self,
        mechanism: CK_MECHANISM_TYPE,
        public: &Template,
        private: &Template,
    ) -> Result<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
        self.pair_by(&Mechanism::plain(mechanism), public, private)
    }

    /// `C_GenerateKeyPair`. Where it fails both handles must be as they were.
    pub fn pair_by(
        &self,
        mechanism: &Mechanism,
        public: &Template,
        private: &Template,
    ) -> Result<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
        const UNTOUCHED: CK_OBJECT_HANDLE = 0x5a5a_5a5a;
        let (mut mechanism, mut public, mut private) = (mechanism.raw(), public.raw(), private.raw());
        let (first, first_count) = (public.as_mut_ptr(), public.len() as CK_ULONG);
        let (second, second_count) = (private.as_mut_ptr(), private.len() as CK_ULONG);
        let (mut one, mut other) = (UNTOUCHED, UNTOUCHED);
        let table = self.module.list;
        let outcome = call!(
            table,
            C_GenerateKeyPair(
                self.handle,
                &mut mechanism,
                first,
                first_count,
                second,
                second_count,
                &mut one,
                &mut other
            )
        );
        if outcome.is_err() && !Module::is_softhsm() {
            assert_eq!((one, other), (UNTOUCHED, UNTOUCHED), "a pair that was not made has no handles");
        }
        outcome.map(|()| (one, other))
    }

    /// `C_DeriveKey`.
    pub fn derive(
        &self,
        mechanism: &Mechanism,
        base: CK_OBJECT_HANDLE,
        template: &Template,
    ) -> Result<CK_OBJECT_HANDLE> {
        let (mut mechanism, mut raw, mut key) = (mechanism.raw(), template.raw(), 0);
        let (attributes, count) = (raw.as_mut_ptr(), raw.len() as CK_ULONG);
        let table = self.module.list;
        call!(table, C_DeriveKey(self.handle, &mut mechanism, base, attributes, count, &mut key)).map(|()| key)
    }

    /// `C_DeriveKey` into a generic secret of its natural length, and its value; nothing is left behind.
    pub fn derived(&self, mechanism: &Mechanism, base: CK_OBJECT_HANDLE) -> Result<Vec<u8>> {
        self.derived_with(mechanism, base, template![])
    }

    /// The same with attributes besides, such as a length.
    pub fn derived_with(&self, mechanism: &Mechanism, base: CK_OBJECT_HANDLE, more: Template) -> Result<Vec<u8>> {
        let secret = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET];
        let readable = template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
        let key = self.derive(mechanism, base, &secret.and(readable).and(more))?;
        let value = self.value(key, CKA_VALUE);
        self.destroy(key)?;
        value
    }
}
