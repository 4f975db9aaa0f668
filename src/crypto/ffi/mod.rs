//! Every call to AWS-LC. Outside of this folder the room has no `unsafe` but in `InOut`.

pub mod aes;
pub mod bn;
pub mod curve25519;
pub mod der;
pub mod ec;
mod evp;
pub mod gcm;
#[cfg(test)]
pub mod oracle;
pub mod rsa;
pub mod sha;
mod stack;
pub mod thread;

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// A C object with a constructor and a destructor of its own, owned.
struct Owned<T> {
    object: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// Takes over what a constructor returned; `None` if it had no memory.
    ///
    /// # Safety
    /// `object` is NULL or valid, nobody else's, and to be released by `free`.
    unsafe fn new(object: *mut T, free: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        NonNull::new(object).map(|object| Self { object, free })
    }

    fn as_ptr(&self) -> *const T {
        self.object.as_ptr()
    }

    fn as_mut_ptr(&mut self) -> *mut T {
        self.object.as_ptr()
    }

    /// Hands the object over to a function that takes it.
    fn into_raw(self) -> *mut T {
        ManuallyDrop::new(self).object.as_ptr()
    }

    /// For the functions that take no `const` but lock what they change.
    fn as_shared_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: by the contract of `new`; AWS-LC wipes what it frees.
        unsafe { (self.free)(self.object.as_ptr()) };
    }
}

// SAFETY: the contexts of AWS-LC held here are plain memory without ties to a thread.
unsafe impl<T> Send for Owned<T> {}
// SAFETY: through a shared reference only functions are called that take the context as `const` and only read it, or that
// lock what they change of it.
unsafe impl<T> Sync for Owned<T> {}
