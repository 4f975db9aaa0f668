//! The same work done by aws-lc alone, each primitive with its key prepared and in the form that costs least per message. It is
//! also what the results of modules are compared with.

pub mod message;
pub mod pair;
pub mod public;
pub mod wrap;

use aws_lc_sys::RAND_bytes;

use super::operation::Operation;
use super::turn::{Unchecked, Work, made_apart};
use crate::failure::{Failure, Result};

/// The value of AES and HMAC keys, here and in modules.
pub const KEY: [u8; 32] = [3; 32];

/// The work for each thread. Fails where there is no primitive behind the operation.
pub fn prepare(operation: Operation, threads: usize) -> Result<Vec<Box<dyn Work>>> {
    made_apart(threads, || match operation {
        Operation::Message(message, size) => message::work(message, size),
        Operation::Random(size) => Ok(random(size)),
        Operation::Wrap => wrap::wrap(),
        Operation::Unwrap => wrap::unwrap(),
        Operation::Pair(pair, act) => pair::work(pair, act),
        Operation::Generate | Operation::Session => Err(Failure::new("there is no primitive behind it")),
    })
}

fn random(size: usize) -> Box<dyn Work> {
    let mut output = vec![0; size];
    // SAFETY: the buffer is valid for its length.
    repeated(move || done(unsafe { RAND_bytes(output.as_mut_ptr(), output.len()) }))
}

fn repeated(once: impl FnMut() -> Result<()> + Send + 'static) -> Box<dyn Work> {
    Box::new(Unchecked(once))
}

/// A context or key of aws-lc that one thread at a time uses; freed with the process.
struct Context<T>(*mut T);

// SAFETY: the contexts here have no ties to a thread.
unsafe impl<T> Send for Context<T> {}

impl<T> Context<T> {
    fn new(context: *mut T) -> Result<Self> {
        if context.is_null() { Err(Failure::new("aws-lc has no memory")) } else { Ok(Self(context)) }
    }

    fn get(&self) -> *mut T {
        self.0
    }
}

/// The failure behind the answer of a function of aws-lc.
fn done(answer: i32) -> Result<()> {
    if answer == 1 { Ok(()) } else { Err(Failure::new("aws-lc refused")) }
}
