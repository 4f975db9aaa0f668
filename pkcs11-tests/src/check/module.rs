//! A loaded module: its longest function table, by name and by number, called without a belief in anything it says.

use std::ffi::c_void;
use std::path::Path;
use std::ptr;

use cryptoki_sys::*;

use crate::failure::{Failure, Result};

/// A loaded module. It is not initialised.
pub struct Module {
    /// The table, filled up with `None` behind the functions that the module's version has.
    pub functions: CK_FUNCTION_LIST_3_2,
    _library: Pkcs11,
}

/// An entry of which only the address is known. More arguments than a function takes do no harm in the C calling
/// conventions of the systems we run on.
pub type Entry = unsafe extern "C" fn(usize, usize, usize, usize, usize, usize, usize, usize, usize, usize) -> CK_RV;

/// What a call without so many arguments has.
pub type Words = [usize; 10];

/// Calls a function of a module; one that is not in its table is `CKR_FUNCTION_NOT_SUPPORTED`.
macro_rules! call {
    ($module:expr, $name:ident($($argument:expr),* $(,)?)) => {
        match $module.functions.$name {
            // SAFETY: the check gives pointers that are valid for what is said of them, or wrong in the way that it is about:
            // it runs in a process that may die.
            Some(function) => unsafe { function($($argument),*) },
            None => cryptoki_sys::CKR_FUNCTION_NOT_SUPPORTED,
        }
    };
}
pub(super) use call;

impl Module {
    /// Loads the module at `path`.
    pub fn load(path: &Path) -> Result<Self> {
        let unusable = |reason: &dyn std::fmt::Display| Failure::new(format!("{}: {reason}", path.display()));
        // SAFETY: loading a module runs its constructors; whoever names it on the command line trusts it.
        let library = unsafe { Pkcs11::new(path) }.map_err(|error| unusable(&error))?;
        let list = longest(&library).ok_or_else(|| unusable(&"it has no function table"))?;
        Ok(Self { functions: copied(list), _library: library })
    }

    /// The function at a place in the tables.
    pub fn entry(&self, index: usize) -> Option<Entry> {
        let first = (&raw const self.functions).cast::<Option<Entry>>().wrapping_add(1);
        if index >= ENTRIES {
            return None;
        }
        // SAFETY: the table is a version, padded to the size of a pointer, and then so many entries.
        unsafe { first.add(index).read() }
    }

    /// The functions are those of 3.0 or later, by the version of the table.
    pub fn is_3(&self) -> bool {
        self.functions.version.major >= 3
    }
}

/// Calls an entry with these words.
pub fn call_words(entry: Entry, words: &Words) -> CK_RV {
    let [a, b, c, d, e, f, g, h, i, j] = *words;
    // SAFETY: as for `call!`.
    unsafe { entry(a, b, c, d, e, f, g, h, i, j) }
}

/// The functions of the table of 3.2.
const ENTRIES: usize = 104;

/// The table of the highest version that a module offers.
fn longest(library: &Pkcs11) -> Option<*const c_void> {
    for (major, minor) in [(3, 2), (3, 1), (3, 0)] {
        let mut version = CK_VERSION { major, minor };
        let mut name = *b"PKCS 11\0";
        let mut interface: *mut CK_INTERFACE = ptr::null_mut();
        let Ok(function) = library.C_GetInterface.as_ref() else { break };
        // SAFETY: name, version and result have their places.
        let code = unsafe { function(name.as_mut_ptr(), &mut version, &mut interface, 0) };
        // SAFETY: a module's interfaces live as long as it is loaded.
        if let (CKR_OK, Some(interface)) = (code, unsafe { interface.as_ref() }) {
            return Some(interface.pFunctionList.cast_const());
        }
    }
    let mut list: *mut CK_FUNCTION_LIST = ptr::null_mut();
    // SAFETY: the function writes one pointer.
    let code = unsafe { library.C_GetFunctionList.as_ref().ok()?(&mut list) };
    (code == CKR_OK && !list.is_null()).then_some(list.cast_const().cast())
}

/// A copy of a table, as long as its version says.
fn copied(list: *const c_void) -> CK_FUNCTION_LIST_3_2 {
    let mut functions = CK_FUNCTION_LIST_3_2::default();
    // SAFETY: every table opens with a version.
    let version = unsafe { list.cast::<CK_VERSION>().read() };
    let count = match (version.major, version.minor) {
        (..=2, _) => 68,
        (3, 0 | 1) => 92,
        _ => ENTRIES,
    };
    let bytes = (count + 1) * size_of::<usize>();
    // SAFETY: a table of that version has that many entries behind its version; the copy has room for the most.
    unsafe { ptr::copy_nonoverlapping(list.cast::<u8>(), (&raw mut functions).cast::<u8>(), bytes) };
    functions
}
