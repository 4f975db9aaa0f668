//! A session with a token of another module.

use std::ptr;
use std::rc::Rc;

use cryptoki_sys::*;
use keystead::secret::Secret;

use super::library::Library;
use super::mechanism::Mechanism;
use super::refused::{Refused, check};

/// A session. It is closed when this is dropped, and with it go the session objects made in it.
pub struct Session {
    library: Rc<Library>,
    handle: CK_SESSION_HANDLE,
}

/// An object of the other token.
pub type Object = CK_OBJECT_HANDLE;

/// An attribute of a template.
pub type Attribute<'a> = (CK_ATTRIBUTE_TYPE, &'a [u8]);

type Init = unsafe extern "C" fn(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE) -> CK_RV;
type Whole = unsafe extern "C" fn(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG) -> CK_RV;

impl Session {
    pub(super) fn new(library: Rc<Library>, handle: CK_SESSION_HANDLE) -> Self {
        Self { library, handle }
    }

    /// `C_Login` as the user; without a PIN, at the token's own keypad.
    pub fn login(&self, pin: Option<&Secret>) -> Result<(), Refused> {
        let (start, length) = pin.map_or((ptr::null(), 0), |pin| (pin.expose().as_ptr(), pin.len()));
        // SAFETY: the PIN is valid for its length, and no module writes to it.
        check("C_Login", unsafe {
            (self.library.table.login)(self.handle, CKU_USER, start.cast_mut(), length as CK_ULONG)
        })
    }

    /// Every object that the session sees and that a template fits.
    pub fn find(&self, wanted: &[Attribute<'_>]) -> Result<Vec<Object>, Refused> {
        let table = &self.library.table;
        let mut template = template(wanted);
        let (mut page, mut found) = ([0; 256], Vec::new());
        // SAFETY: the template and what it points to are valid for the call.
        let code = unsafe { (table.find_init)(self.handle, template.as_mut_ptr(), template.len() as CK_ULONG) };
        check("C_FindObjectsInit", code)?;
        loop {
            let mut count = 0;
            // SAFETY: the page has room for what is asked for.
            let code = unsafe { (table.find)(self.handle, page.as_mut_ptr(), page.len() as CK_ULONG, &mut count) };
            check("C_FindObjects", code)?;
            if count == 0 {
                break;
            }
            found.extend(page.iter().take(usize::try_from(count).unwrap_or(0)));
        }
        // SAFETY: a plain call.
        check("C_FindObjectsFinal", unsafe { (table.find_final)(self.handle) })?;
        Ok(found)
    }

    /// The value of an attribute; none if the object does not have it, or does not show it.
    pub fn attribute(&self, object: Object, number: CK_ATTRIBUTE_TYPE) -> Result<Option<Secret>, Refused> {
        let mut asked = CK_ATTRIBUTE { type_: number, pValue: ptr::null_mut(), ulValueLen: 0 };
        let Some(length) = self.ask(object, &mut asked)? else { return Ok(None) };
        let mut value = Secret::zeroed(length);
        asked.pValue = value.expose_mut().as_mut_ptr().cast();
        asked.ulValueLen = length as CK_ULONG;
        let Some(written) = self.ask(object, &mut asked)? else { return Ok(None) };
        Ok(value.expose().get(..written).map(Secret::from_slice))
    }

    fn ask(&self, object: Object, asked: &mut CK_ATTRIBUTE) -> Result<Option<usize>, Refused> {
        // SAFETY: the attribute has room for as many bytes as it says.
        let code = unsafe { (self.library.table.attribute_value)(self.handle, object, asked, 1) };
        match code {
            CKR_ATTRIBUTE_SENSITIVE | CKR_ATTRIBUTE_TYPE_INVALID => Ok(None),
            code => {
                check("C_GetAttributeValue", code)?;
                Ok(usize::try_from(asked.ulValueLen).ok().filter(|length| *length <= LONGEST))
            }
        }
    }

    /// `C_CreateObject`
    pub fn create(&self, given: &[Attribute<'_>]) -> Result<Object, Refused> {
        let (mut template, mut object) = (template(given), 0);
        let (start, count) = (template.as_mut_ptr(), template.len() as CK_ULONG);
        // SAFETY: the template and what it points to are valid for the call, and one handle is written.
        let code = unsafe { (self.library.table.create_object)(self.handle, start, count, &mut object) };
        check("C_CreateObject", code).map(|()| object)
    }

    /// `C_GenerateKey`
    pub fn generate(&self, mechanism: &Mechanism, given: &[Attribute<'_>]) -> Result<Object, Refused> {
        let (mut template, mut object) = (template(given), 0);
        let (start, count) = (template.as_mut_ptr(), template.len() as CK_ULONG);
        let code = mechanism.with(|mechanism| {
            // SAFETY: mechanism and template are valid for the call, and one handle is written.
            unsafe { (self.library.table.generate_key)(self.handle, mechanism, start, count, &mut object) }
        });
        check("C_GenerateKey", code).map(|()| object)
    }

    /// `C_DestroyObject`
    pub fn destroy(&self, object: Object) -> Result<(), Refused> {
        // SAFETY: a plain call.
        check("C_DestroyObject", unsafe { (self.library.table.destroy_object)(self.handle, object) })
    }

    /// `C_WrapKey`
    pub fn wrap(&self, mechanism: &Mechanism, wrapping: Object, key: Object) -> Result<Vec<u8>, Refused> {
        let wrap = self.library.table.wrap_key;
        given("C_WrapKey", |into, length| {
            // SAFETY: the mechanism is valid for the call, and there is room for `length` bytes.
            mechanism.with(|mechanism| unsafe { wrap(self.handle, mechanism, wrapping, key, into, length) })
        })
    }

    /// `C_Encrypt` of one piece.
    pub fn encrypt(&self, mechanism: &Mechanism, key: Object, data: &[u8]) -> Result<Vec<u8>, Refused> {
        let table = &self.library.table;
        self.whole(["C_EncryptInit", "C_Encrypt"], (table.encrypt_init, table.encrypt), mechanism, key, data)
    }

    /// `C_Decrypt` of one piece.
    pub fn decrypt(&self, mechanism: &Mechanism, key: Object, data: &[u8]) -> Result<Vec<u8>, Refused> {
        let table = &self.library.table;
        self.whole(["C_DecryptInit", "C_Decrypt"], (table.decrypt_init, table.decrypt), mechanism, key, data)
    }

    /// `C_Sign` of one piece.
    pub fn sign(&self, mechanism: &Mechanism, key: Object, data: &[u8]) -> Result<Vec<u8>, Refused> {
        let table = &self.library.table;
        self.whole(["C_SignInit", "C_Sign"], (table.sign_init, table.sign), mechanism, key, data)
    }

    fn whole(
        &self,
        [init_name, name]: [&'static str; 2],
        (init, whole): (Init, Whole),
        mechanism: &Mechanism,
        key: Object,
        data: &[u8],
    ) -> Result<Vec<u8>, Refused> {
        // SAFETY: the mechanism is valid for the call.
        check(init_name, mechanism.with(|mechanism| unsafe { init(self.handle, mechanism, key) }))?;
        let (start, count) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
        given(name, |into, length| {
            // SAFETY: the data is only read, and there is room for `length` bytes.
            unsafe { whole(self.handle, start, count, into, length) }
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: a plain call.
        let _ = unsafe { (self.library.table.close_session)(self.handle) };
    }
}

/// The longest value that is read: as long as a data object may be here. `CK_UNAVAILABLE_INFORMATION` is more.
const LONGEST: usize = 16 * 1024 * 1024;

/// More than any signature, block or wrapped key has.
const ROOM: usize = 64 * 1024;

/// Bytes that a call gives. Their number is not asked for first: not every module tells it rightly.
fn given(function: &'static str, call: impl FnOnce(*mut CK_BYTE, *mut CK_ULONG) -> CK_RV) -> Result<Vec<u8>, Refused> {
    let (mut bytes, mut length) = (vec![0; ROOM], ROOM as CK_ULONG);
    check(function, call(bytes.as_mut_ptr(), &mut length))?;
    bytes.truncate(usize::try_from(length).unwrap_or(0));
    Ok(bytes)
}

fn template(attributes: &[Attribute<'_>]) -> Vec<CK_ATTRIBUTE> {
    let one = |(number, value): &Attribute<'_>| CK_ATTRIBUTE {
        type_: *number,
        pValue: value.as_ptr().cast_mut().cast(),
        ulValueLen: value.len() as CK_ULONG,
    };
    attributes.iter().map(one).collect()
}
