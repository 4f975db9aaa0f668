//! Functions that have no behaviour yet. They are in the tables and answer with a code.

use cryptoki_sys::*;

use super::instance;
use crate::error::Error;

macro_rules! answering {
    ($error:expr; $(fn $name:ident($($argument:ty),*);)*) => {
        $(
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name($(_: $argument),*) -> CK_RV {
                instance::call(stringify!($name), |_| Err($error))
            }
        )*
    };
}

// PKCS#11 3.2, section 5.21: the functions of a time when functions ran in parallel.
answering! { Error::FunctionNotParallel;
    fn C_GetFunctionStatus(CK_SESSION_HANDLE);
    fn C_CancelFunction(CK_SESSION_HANDLE);
}

/// A function of 3.0 or later that has no behaviour yet, of whatever type the table wants.
pub(super) trait NotSupported {
    /// The function.
    const ANSWER: Self;
}

macro_rules! not_supported {
    ($($argument:ident)*) => {
        impl<$($argument),*> NotSupported for Option<unsafe extern "C" fn($($argument),*) -> CK_RV> {
            const ANSWER: Self = {
                unsafe extern "C" fn answer<$($argument),*>($(_: $argument),*) -> CK_RV {
                    instance::call("a function of a later version", |_| Err(Error::FunctionNotSupported))
                }
                Some(answer)
            };
        }
    };
}

not_supported!(A);
not_supported!(A B);
not_supported!(A B C);
not_supported!(A B C D);
not_supported!(A B C D E);
not_supported!(A B C D E F);
not_supported!(A B C D E F G);
not_supported!(A B C D E F G H);
not_supported!(A B C D E F G H I);
not_supported!(A B C D E F G H I J);
