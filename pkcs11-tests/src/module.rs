//! A loaded module and its sessions: thin, so that what is measured is the module.

use std::ffi::CStr;
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use cryptoki_sys::*;

use crate::failure::{Failure, Result};

/// A module, loaded and initialised.
pub struct Module {
    /// Its function table of 2.40.
    pub table: Table,
    _library: Pkcs11,
}

/// The functions that are used here, each known to be there.
macro_rules! table {
    ($($field:ident: $function:ident($($argument:ty),*);)*) => {
        /// The functions of a module's table that are used here.
        #[allow(missing_docs)]
        pub struct Table {
            $(pub $field: unsafe extern "C" fn($($argument),*) -> CK_RV,)*
        }

        impl Table {
            fn of(list: &CK_FUNCTION_LIST) -> Result<Self> {
                let missing = |name| Failure::new(format!("the module's table has no {name}"));
                Ok(Self { $($field: list.$function.ok_or_else(|| missing(stringify!($function)))?,)* })
            }
        }
    };
}

table! {
    initialize: C_Initialize(*mut std::ffi::c_void);
    info: C_GetInfo(*mut CK_INFO);
    slot_list: C_GetSlotList(CK_BBOOL, *mut CK_SLOT_ID, *mut CK_ULONG);
    token_info: C_GetTokenInfo(CK_SLOT_ID, *mut CK_TOKEN_INFO);
    mechanism_info: C_GetMechanismInfo(CK_SLOT_ID, CK_MECHANISM_TYPE, *mut CK_MECHANISM_INFO);
    init_token: C_InitToken(CK_SLOT_ID, *mut CK_UTF8CHAR, CK_ULONG, *mut CK_UTF8CHAR);
    init_pin: C_InitPIN(CK_SESSION_HANDLE, *mut CK_UTF8CHAR, CK_ULONG);
    open_session: C_OpenSession(CK_SLOT_ID, CK_FLAGS, *mut std::ffi::c_void, CK_NOTIFY, *mut CK_SESSION_HANDLE);
    close_session: C_CloseSession(CK_SESSION_HANDLE);
    session_info: C_GetSessionInfo(CK_SESSION_HANDLE, *mut CK_SESSION_INFO);
    login: C_Login(CK_SESSION_HANDLE, CK_USER_TYPE, *mut CK_UTF8CHAR, CK_ULONG);
    logout: C_Logout(CK_SESSION_HANDLE);
    attribute_value: C_GetAttributeValue(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, *mut CK_ATTRIBUTE, CK_ULONG);
    create_object: C_CreateObject(CK_SESSION_HANDLE, *mut CK_ATTRIBUTE, CK_ULONG, *mut CK_OBJECT_HANDLE);
    destroy_object: C_DestroyObject(CK_SESSION_HANDLE, CK_OBJECT_HANDLE);
    find_init: C_FindObjectsInit(CK_SESSION_HANDLE, *mut CK_ATTRIBUTE, CK_ULONG);
    find: C_FindObjects(CK_SESSION_HANDLE, *mut CK_OBJECT_HANDLE, CK_ULONG, *mut CK_ULONG);
    find_final: C_FindObjectsFinal(CK_SESSION_HANDLE);
    encrypt_init: C_EncryptInit(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE);
    encrypt: C_Encrypt(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG);
    encrypt_update: C_EncryptUpdate(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG);
    encrypt_final: C_EncryptFinal(CK_SESSION_HANDLE, *mut CK_BYTE, *mut CK_ULONG);
    decrypt_init: C_DecryptInit(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE);
    decrypt: C_Decrypt(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG);
    sign_init: C_SignInit(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE);
    sign: C_Sign(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG);
    verify_init: C_VerifyInit(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE);
    verify: C_Verify(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, CK_ULONG);
    digest_init: C_DigestInit(CK_SESSION_HANDLE, *mut CK_MECHANISM);
    digest: C_Digest(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG);
    generate_key: C_GenerateKey(
        CK_SESSION_HANDLE, *mut CK_MECHANISM, *mut CK_ATTRIBUTE, CK_ULONG, *mut CK_OBJECT_HANDLE);
    generate_key_pair: C_GenerateKeyPair(
        CK_SESSION_HANDLE, *mut CK_MECHANISM, *mut CK_ATTRIBUTE, CK_ULONG, *mut CK_ATTRIBUTE, CK_ULONG,
        *mut CK_OBJECT_HANDLE, *mut CK_OBJECT_HANDLE);
    wrap_key: C_WrapKey(
        CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE, *mut CK_BYTE, *mut CK_ULONG);
    unwrap_key: C_UnwrapKey(
        CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_ATTRIBUTE, CK_ULONG,
        *mut CK_OBJECT_HANDLE);
    derive_key: C_DeriveKey(
        CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE, *mut CK_ATTRIBUTE, CK_ULONG, *mut CK_OBJECT_HANDLE);
    generate_random: C_GenerateRandom(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG);
}

/// Loads the module at `path`, and calls nothing in it.
pub fn only_load(path: &Path) -> Result<Pkcs11> {
    // SAFETY: loading a module runs its constructors; whoever names it on the command line trusts it.
    unsafe { Pkcs11::new(path) }.map_err(|error| Failure::new(error.to_string()))
}

impl Module {
    /// Loads the module at `path` and initialises it for many threads.
    pub fn load(path: &Path) -> Result<Arc<Self>> {
        Self::load_with(path, None)
    }

    /// The same, with a text as the reserved argument of `C_Initialize`, where the standard has NULL and some modules more.
    pub fn load_with(path: &Path, reserved: Option<&CStr>) -> Result<Arc<Self>> {
        let unusable = |reason: &dyn std::fmt::Display| Failure::new(format!("{}: {reason}", path.display()));
        let library = only_load(path)?;
        let function_list = library.C_GetFunctionList.as_ref().map_err(|error| unusable(error))?;
        let mut list = ptr::null_mut();
        // SAFETY: the function writes one pointer.
        check("C_GetFunctionList", unsafe { function_list(&mut list) })?;
        // SAFETY: a module's table lives as long as the module, and `library` keeps that loaded.
        let list = unsafe { list.as_ref() }.ok_or_else(|| unusable(&"its function table is NULL"))?;
        let table = Table::of(list)?;
        let mut arguments = CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..Default::default() };
        if let Some(text) = reserved {
            arguments.pReserved = text.as_ptr().cast_mut().cast();
        }
        // SAFETY: the arguments are valid, and nothing else uses the module yet.
        check("C_Initialize", unsafe { (table.initialize)((&raw mut arguments).cast()) })?;
        Ok(Arc::new(Self { table, _library: library }))
    }

    /// A read-write session.
    pub fn open_session(self: &Arc<Self>, slot: CK_SLOT_ID) -> Result<Session> {
        let mut handle = 0;
        let flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
        // SAFETY: the function writes one handle.
        let code = unsafe { (self.table.open_session)(slot, flags, ptr::null_mut(), None, &mut handle) };
        check("C_OpenSession", code)?;
        Ok(Session { module: Arc::clone(self), slot, handle })
    }
}

/// A session, open to the end of the process: a run is short.
#[derive(Clone)]
pub struct Session {
    /// The module.
    pub module: Arc<Module>,
    /// The slot.
    pub slot: CK_SLOT_ID,
    /// What the module calls the session.
    pub handle: CK_SESSION_HANDLE,
}

impl Session {
    /// Generates a secret key of 32 bytes, a session object, with these attributes true.
    pub fn generate(&self, mechanism: CK_MECHANISM_TYPE, attributes: &[CK_ATTRIBUTE_TYPE]) -> Result<CK_OBJECT_HANDLE> {
        let mut key = 0;
        let mut mechanism = plain(mechanism);
        with_template(attributes, Some(32), |template, count| {
            // SAFETY: mechanism and template are valid, and one handle is written.
            let code =
                unsafe { (self.module.table.generate_key)(self.handle, &mut mechanism, template, count, &mut key) };
            check("C_GenerateKey", code)
        })?;
        Ok(key)
    }

    /// Makes a session key of this value, with these attributes true.
    pub fn create_secret(
        &self,
        key_type: CK_KEY_TYPE,
        value: &[u8],
        attributes: &[CK_ATTRIBUTE_TYPE],
    ) -> Result<CK_OBJECT_HANDLE> {
        let (mut class, mut key_type, mut value, mut yes) = (CKO_SECRET_KEY, key_type, value.to_vec(), CK_TRUE);
        let mut template = vec![
            attribute(CKA_CLASS, &mut class),
            attribute(CKA_KEY_TYPE, &mut key_type),
            bytes(CKA_VALUE, &mut value),
        ];
        template.extend(attributes.iter().map(|number| attribute(*number, &mut yes)));
        let (count, mut key) = (template.len() as CK_ULONG, 0);
        // SAFETY: the template is valid, and one handle is written.
        let code = unsafe { (self.module.table.create_object)(self.handle, template.as_mut_ptr(), count, &mut key) };
        check("C_CreateObject", code).map(|()| key)
    }

    /// Generates a key pair from these templates, the public key first.
    pub fn generate_pair(
        &self,
        mechanism: CK_MECHANISM_TYPE,
        public: &mut [CK_ATTRIBUTE],
        private: &mut [CK_ATTRIBUTE],
    ) -> Result<[CK_OBJECT_HANDLE; 2]> {
        let (mut mechanism, mut pair) = (plain(mechanism), [0; 2]);
        let [public_key, private_key] = &mut pair;
        // SAFETY: mechanism and templates are valid for their lengths, and two handles are written.
        let code = unsafe {
            (self.module.table.generate_key_pair)(
                self.handle,
                &mut mechanism,
                public.as_mut_ptr(),
                public.len() as CK_ULONG,
                private.as_mut_ptr(),
                private.len() as CK_ULONG,
                public_key,
                private_key,
            )
        };
        check("C_GenerateKeyPair", code).map(|()| pair)
    }

    /// Generates a secret key from this template.
    pub fn generate_from(
        &self,
        mechanism: CK_MECHANISM_TYPE,
        template: &mut [CK_ATTRIBUTE],
    ) -> Result<CK_OBJECT_HANDLE> {
        let (mut mechanism, mut key) = (plain(mechanism), 0);
        let (template, count) = (template.as_mut_ptr(), template.len() as CK_ULONG);
        // SAFETY: mechanism and template are valid, and one handle is written.
        let code = unsafe { (self.module.table.generate_key)(self.handle, &mut mechanism, template, count, &mut key) };
        check("C_GenerateKey", code).map(|()| key)
    }

    /// The objects that a template finds, all of them.
    pub fn find(&self, template: &mut [CK_ATTRIBUTE]) -> Result<Vec<CK_OBJECT_HANDLE>> {
        let (table, count) = (&self.module.table, template.len() as CK_ULONG);
        let mut found = Vec::new();
        let mut page = [0; 1024];
        // SAFETY: the template is valid, and the page has room for what is asked for.
        unsafe {
            check("C_FindObjectsInit", (table.find_init)(self.handle, template.as_mut_ptr(), count))?;
            loop {
                let mut got = 0;
                let room = page.len() as CK_ULONG;
                check("C_FindObjects", (table.find)(self.handle, page.as_mut_ptr(), room, &mut got))?;
                found.extend(page.iter().take(got as usize));
                if got < room {
                    break;
                }
            }
            check("C_FindObjectsFinal", (table.find_final)(self.handle))?;
        }
        Ok(found)
    }

    /// The value of an attribute, of up to 1024 bytes.
    pub fn attribute(&self, object: CK_OBJECT_HANDLE, number: CK_ATTRIBUTE_TYPE) -> Result<Vec<u8>> {
        let mut value = vec![0; 1024];
        let mut asked = bytes(number, &mut value);
        // SAFETY: one attribute, whose value is valid for its length.
        let code = unsafe { (self.module.table.attribute_value)(self.handle, object, &mut asked, 1) };
        check("C_GetAttributeValue", code)?;
        value.truncate(asked.ulValueLen as usize);
        Ok(value)
    }
}

/// Runs `work` with a template: each attribute true, and `CKA_VALUE_LEN` where there is one.
pub fn with_template<T>(
    attributes: &[CK_ATTRIBUTE_TYPE],
    length: Option<CK_ULONG>,
    work: impl FnOnce(*mut CK_ATTRIBUTE, CK_ULONG) -> T,
) -> T {
    let mut yes = CK_TRUE;
    let mut length = length;
    let mut template: Vec<CK_ATTRIBUTE> =
        attributes.iter().map(|attribute| self::attribute(*attribute, &mut yes)).collect();
    template.extend(length.as_mut().map(|length| attribute(CKA_VALUE_LEN, length)));
    work(template.as_mut_ptr(), template.len() as CK_ULONG)
}

/// An attribute that points to a value.
pub fn attribute<T>(number: CK_ATTRIBUTE_TYPE, value: &mut T) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE { type_: number, pValue: ptr::from_mut(value).cast(), ulValueLen: size_of::<T>() as CK_ULONG }
}

/// An attribute whose value is these bytes.
pub fn bytes(number: CK_ATTRIBUTE_TYPE, value: &mut [u8]) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE { type_: number, pValue: value.as_mut_ptr().cast(), ulValueLen: value.len() as CK_ULONG }
}

/// A mechanism without parameter.
pub fn plain(mechanism: CK_MECHANISM_TYPE) -> CK_MECHANISM {
    CK_MECHANISM { mechanism, pParameter: ptr::null_mut(), ulParameterLen: 0 }
}

/// The failure that a code tells of.
pub fn check(function: &str, code: CK_RV) -> Result<()> {
    if code == CKR_OK { Ok(()) } else { Err(Failure::of_call(function, code)) }
}
