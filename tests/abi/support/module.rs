//! The module as a program loads it: `dlopen`, a function table, and the calls that need no session.

use std::ffi::{CStr, CString, c_void};
use std::path::PathBuf;
use std::ptr::null_mut;

use cryptoki_sys::*;

use super::{Result, Rv, Session, Table};

/// A loaded module: its table of 2.40 and the tables that `C_GetInterface` gives.
#[derive(Clone, Copy)]
pub struct Module {
    /// The table of `C_GetFunctionList`.
    pub list: &'static CK_FUNCTION_LIST,
    library: *mut c_void,
}

// SAFETY: the table is constant and the handle of `dlopen` is not bound to a thread.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}

/// Calls a function of a table by name: `call!(table, C_Logout(handle))`.
macro_rules! call {
    ($table:expr, $function:ident($($argument:expr),* $(,)?)) => {{
        let function = $table.$function.expect(concat!(stringify!($function), " is in the table"));
        // SAFETY: the arguments are what the function of that name takes; tests that pass others do so to see a code.
        #[allow(clippy::macro_metavars_in_unsafe)]
        $crate::support::Rv::of(unsafe { function($($argument),*) })
    }};
}

impl Module {
    /// Loads the module and fetches its function list.
    pub fn load() -> Module {
        Module::load_from(&Module::path(), libc::RTLD_NOW)
    }

    /// Loads a module with these flags of `dlopen`.
    pub fn load_from(path: &std::path::Path, flags: i32) -> Module {
        let name = CString::new(path.as_os_str().as_encoded_bytes()).expect("a path without NUL");
        // SAFETY: loading runs the module's constructors, which is what is tested.
        let library = unsafe { libc::dlopen(name.as_ptr(), flags) };
        assert!(!library.is_null(), "dlopen of {}: {}", path.display(), last_error());
        let symbol = find(library, "C_GetFunctionList").expect("C_GetFunctionList is exported");
        // SAFETY: the standard gives the symbol this type.
        let function: CK_C_GetFunctionList = unsafe { std::mem::transmute(symbol) };
        let mut list = null_mut();
        // SAFETY: `list` has room for the pointer.
        ok!(Rv::of(unsafe { function.expect("not null")(&mut list) }));
        // SAFETY: the standard promises a pointer to a table that lives as long as the library is loaded.
        let list = unsafe { list.as_ref() }.expect("C_GetFunctionList gives a table");
        Module { list, library }
    }

    /// Where the module under test is: `$KEYSTEAD_MODULE`, or what `make build` left, which must not be older than the
    /// sources.
    pub fn path() -> PathBuf {
        if let Some(path) = std::env::var_os("KEYSTEAD_MODULE") {
            return PathBuf::from(path);
        }
        let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = project.join("target/release/libkeystead.so");
        let made = built.metadata().and_then(|file| file.modified());
        let made = made.unwrap_or_else(|error| panic!("{}: {error}; run `make build` first", built.display()));
        if let Some(newer) = newest_source(&project.join("src")).filter(|(_, changed)| *changed > made) {
            panic!("{} is older than {}; run `make build` first", built.display(), newer.0.display());
        }
        built
    }

    /// Whether the module under test is SoftHSM2, against which the suites themselves are checked.
    pub fn is_softhsm() -> bool {
        Module::path().to_string_lossy().contains("softhsm")
    }

    /// The address of an exported symbol.
    pub fn symbol(&self, name: &str) -> Option<*mut c_void> {
        find(self.library, name)
    }

    /// `dlclose`.
    pub fn unload(self) {
        // SAFETY: the handle is `dlopen`'s; the module promises to survive this in memory.
        assert_eq!(unsafe { libc::dlclose(self.library) }, 0, "dlclose: {}", last_error());
    }

    /// `C_GetInterface` as exported.
    pub fn interface(&self, name: Option<&CStr>, version: Option<CK_VERSION>, flags: CK_FLAGS) -> Result<Table> {
        let symbol = self.symbol("C_GetInterface").expect("C_GetInterface is exported");
        // SAFETY: the standard gives the symbol this type.
        let function: CK_C_GetInterface = unsafe { std::mem::transmute(symbol) };
        let name = name.map_or(null_mut(), |name| name.as_ptr().cast_mut().cast());
        let mut version = version;
        let version = version.as_mut().map_or(null_mut(), |version| version as *mut CK_VERSION);
        let mut interface: *mut CK_INTERFACE = null_mut();
        // SAFETY: name and version are valid or NULL, and `interface` has room for the pointer.
        Rv::of(unsafe { function.expect("not null")(name, version, &mut interface, flags) })?;
        // SAFETY: with CKR_OK the module gives an interface that lives as long as it is loaded.
        Ok(Table::of(unsafe { interface.as_ref() }.expect("an interface")))
    }

    /// `C_GetInterfaceList` as exported.
    pub fn interfaces(&self) -> Result<Vec<Table>> {
        let symbol = self.symbol("C_GetInterfaceList").expect("C_GetInterfaceList is exported");
        // SAFETY: the standard gives the symbol this type.
        let function: CK_C_GetInterfaceList = unsafe { std::mem::transmute(symbol) };
        let function = function.expect("not null");
        let mut count = 0;
        // SAFETY: a size query.
        Rv::of(unsafe { function(null_mut(), &mut count) })?;
        let blank = CK_INTERFACE { pInterfaceName: null_mut(), pFunctionList: null_mut(), flags: 0 };
        let mut list = vec![blank; count as usize];
        // SAFETY: `list` has room for `count` interfaces.
        Rv::of(unsafe { function(list.as_mut_ptr(), &mut count) })?;
        Ok(list.iter().take(count as usize).map(Table::of).collect())
    }

    /// The table of 3.2.
    pub fn three(&self) -> &'static CK_FUNCTION_LIST_3_2 {
        let version = CK_VERSION { major: 3, minor: 2 };
        let table = ok!(self.interface(Some(c"PKCS 11"), Some(version), 0));
        // SAFETY: the version says that it is this table; `library::tables_are_complete` checks its length.
        unsafe { table.address.cast::<CK_FUNCTION_LIST_3_2>().as_ref() }.expect("a table")
    }

    /// `C_Initialize` as most programs call it.
    pub fn initialize(&self) -> Result {
        self.initialize_with(&mut initialize_args(CKF_OS_LOCKING_OK))
    }

    /// `C_Initialize` with these arguments.
    pub fn initialize_with(&self, arguments: &mut CK_C_INITIALIZE_ARGS) -> Result {
        call!(self.list, C_Initialize((arguments as *mut CK_C_INITIALIZE_ARGS).cast()))
    }

    /// `C_Initialize(NULL)`.
    pub fn initialize_null(&self) -> Result {
        call!(self.list, C_Initialize(null_mut()))
    }

    /// `C_Initialize` with a string in `pReserved`.
    pub fn initialize_reserved(&self, text: &CStr) -> Result {
        let mut arguments = initialize_args(CKF_OS_LOCKING_OK);
        arguments.pReserved = text.as_ptr().cast_mut().cast();
        self.initialize_with(&mut arguments)
    }

    /// `C_Finalize`.
    pub fn finalize(&self) -> Result {
        call!(self.list, C_Finalize(null_mut()))
    }

    /// `C_GetInfo`.
    pub fn info(&self) -> Result<CK_INFO> {
        let mut info = CK_INFO::default();
        call!(self.list, C_GetInfo(&mut info)).map(|()| info)
    }

    /// `C_GetSlotList`, both calls.
    pub fn slots(&self, with_token: bool) -> Result<Vec<CK_SLOT_ID>> {
        self.slot_count(with_token)?;
        self.slots_filled(with_token, 1 << 16)
    }

    /// The first call of `C_GetSlotList`, with NULL.
    pub fn slot_count(&self, with_token: bool) -> Result<usize> {
        let mut count = 0;
        call!(self.list, C_GetSlotList(with_token.into(), null_mut(), &mut count)).map(|()| count as usize)
    }

    /// The second call of `C_GetSlotList`, with room for so many.
    pub fn slots_filled(&self, with_token: bool, room: usize) -> Result<Vec<CK_SLOT_ID>> {
        let mut list = vec![CK_SLOT_ID::MAX; room];
        let mut count = room as CK_ULONG;
        call!(self.list, C_GetSlotList(with_token.into(), list.as_mut_ptr(), &mut count))?;
        list.truncate(count as usize);
        Ok(list)
    }

    /// `C_GetSlotInfo`.
    pub fn slot_info(&self, slot: CK_SLOT_ID) -> Result<CK_SLOT_INFO> {
        let mut info = CK_SLOT_INFO::default();
        call!(self.list, C_GetSlotInfo(slot, &mut info)).map(|()| info)
    }

    /// `C_GetTokenInfo`.
    pub fn token_info(&self, slot: CK_SLOT_ID) -> Result<CK_TOKEN_INFO> {
        let mut info = CK_TOKEN_INFO::default();
        call!(self.list, C_GetTokenInfo(slot, &mut info)).map(|()| info)
    }

    /// `C_GetMechanismList`, both calls.
    pub fn mechanisms(&self, slot: CK_SLOT_ID) -> Result<Vec<CK_MECHANISM_TYPE>> {
        let mut count = 0;
        call!(self.list, C_GetMechanismList(slot, null_mut(), &mut count))?;
        let mut list = vec![0; count as usize];
        call!(self.list, C_GetMechanismList(slot, list.as_mut_ptr(), &mut count))?;
        list.truncate(count as usize);
        Ok(list)
    }

    /// `C_GetMechanismInfo`.
    pub fn mechanism_info(&self, slot: CK_SLOT_ID, mechanism: CK_MECHANISM_TYPE) -> Result<CK_MECHANISM_INFO> {
        let mut info = CK_MECHANISM_INFO::default();
        call!(self.list, C_GetMechanismInfo(slot, mechanism, &mut info)).map(|()| info)
    }

    /// `C_InitToken`; the label is padded to 32 bytes with blanks and not terminated.
    pub fn init_token(&self, slot: CK_SLOT_ID, so_pin: &str, label: &str) -> Result {
        let mut padded = [b' '; 32];
        padded.iter_mut().zip(label.bytes()).for_each(|(place, byte)| *place = byte);
        let pin = so_pin.as_ptr().cast_mut();
        call!(self.list, C_InitToken(slot, pin, so_pin.len() as CK_ULONG, padded.as_mut_ptr()))
    }

    /// `C_OpenSession` with exactly these flags.
    pub fn open(&self, slot: CK_SLOT_ID, flags: CK_FLAGS) -> Result<Session> {
        let mut handle = 0;
        call!(self.list, C_OpenSession(slot, flags, null_mut(), None, &mut handle))?;
        Ok(Session::new(*self, handle))
    }

    /// A read-write session.
    pub fn read_write(&self, slot: CK_SLOT_ID) -> Result<Session> {
        self.open(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION)
    }

    /// A read-only session.
    pub fn read_only(&self, slot: CK_SLOT_ID) -> Result<Session> {
        self.open(slot, CKF_SERIAL_SESSION)
    }

    /// `C_CloseAllSessions`.
    pub fn close_all(&self, slot: CK_SLOT_ID) -> Result {
        call!(self.list, C_CloseAllSessions(slot))
    }
}

/// `CK_C_INITIALIZE_ARGS` without callbacks.
pub fn initialize_args(flags: CK_FLAGS) -> CK_C_INITIALIZE_ARGS {
    CK_C_INITIALIZE_ARGS {
        CreateMutex: None,
        DestroyMutex: None,
        LockMutex: None,
        UnlockMutex: None,
        flags,
        pReserved: null_mut(),
    }
}

fn find(library: *mut c_void, name: &str) -> Option<*mut c_void> {
    let name = CString::new(name).expect("a name without NUL");
    // SAFETY: the handle is `dlopen`'s and the name is terminated.
    let symbol = unsafe { libc::dlsym(library, name.as_ptr()) };
    (!symbol.is_null()).then_some(symbol)
}

fn last_error() -> String {
    // SAFETY: `dlerror` gives NULL or a terminated string that is valid until the next call here.
    let text = unsafe { libc::dlerror() };
    // SAFETY: as above.
    if text.is_null() { String::new() } else { unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned() }
}

/// The source of the library that changed last; the command's own files do not count.
fn newest_source(folder: &std::path::Path) -> Option<(PathBuf, std::time::SystemTime)> {
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let sources = entries.filter_map(|path| match path.is_dir() {
        true if path.ends_with("src/bin") => None,
        true => newest_source(&path),
        false => path.metadata().and_then(|file| file.modified()).ok().map(|changed| (path, changed)),
    });
    sources.max_by_key(|(_, changed)| *changed)
}
