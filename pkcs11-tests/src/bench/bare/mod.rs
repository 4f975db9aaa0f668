//! The same work done by aws-lc alone, each primitive with its key prepared and in the form that costs least per message.

mod pair;
mod symmetric;

use super::operation::Operation;
use super::turn::{Work, made_apart};
use crate::failure::{Failure, Result};

/// The work for each thread. Fails where there is no primitive behind the operation.
pub fn prepare(operation: Operation, threads: usize) -> Result<Vec<Work>> {
    made_apart(threads, || match operation {
        Operation::Gcm(length) => symmetric::gcm(length),
        Operation::Ctr(length) => symmetric::ctr(length),
        Operation::Hmac(length) => symmetric::hmac(length),
        Operation::Cmac(length) => symmetric::cmac(length),
        Operation::Sha256(length) => Ok(symmetric::sha256(length)),
        Operation::Wrap => symmetric::wrap(),
        Operation::Unwrap => symmetric::unwrap(),
        Operation::Random => Ok(symmetric::random()),
        Operation::Pair(pair, act) => pair::work(pair, act),
        Operation::Generate | Operation::Session => Err(Failure::new("there is no primitive behind it")),
    })
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
