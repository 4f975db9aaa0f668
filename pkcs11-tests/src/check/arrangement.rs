//! One call with good arguments, so that a check can make one of them wrong.

use std::ptr;

use cryptoki_sys::*;

use super::function::{Argument, Function, Rows};
use super::key::{plain, secret_template};
use super::module::{Words, call_words};
use super::template::Template;
use super::trial::skip;
use super::verdict::Outcome;
use super::world::{SO_PIN, Session, World};

use Argument::*;

/// A function and arguments for it, in a session of its own.
pub struct Arrangement<'a> {
    /// The function.
    pub function: &'static Function,
    /// The arguments.
    pub words: Words,
    /// The session.
    pub session: Session<'a>,
    index: usize,
    buffers: Vec<Vec<u8>>,
    length: Box<CK_ULONG>,
    mechanism: Box<CK_MECHANISM>,
    templates: Vec<(Template, Vec<CK_ATTRIBUTE>)>,
}

/// Enough for every structure and every list.
const ROOM: usize = 1 << 16;
/// What the module is told that a buffer has: it may be a list of eight bytes each.
const CLAIMED: CK_ULONG = (ROOM / 32) as CK_ULONG;

impl<'a> Arrangement<'a> {
    /// The function at this place in the table, with all that it needs before.
    pub fn new(world: &'a World, index: usize, function: &'static Function) -> Outcome<Self> {
        let own = Self::not_begun(world, index, function)?;
        for purpose in function.begun {
            own.session.begin_any(*purpose)?;
        }
        Ok(own)
    }

    /// The same without the operation that the function goes on with.
    pub fn not_begun(world: &'a World, index: usize, function: &'static Function) -> Outcome<Self> {
        if function.arguments.contains(&Pin) {
            // A wrong PIN is counted, and a module may take a bad one for the new one.
            world.owns_token()?;
        }
        let session = world.session()?;
        let (buffers, templates) = Default::default();
        let (length, mechanism) = (Box::new(CLAIMED), Box::new(plain(CKM_AES_ECB)));
        let words = Words::default();
        let mut own = Self { function, words, session, index, buffers, length, mechanism, templates };
        let mut length = 0;
        for (place, argument) in function.arguments.iter().enumerate() {
            let word = own.good(world, *argument, &mut length)?;
            own.set(place, word);
        }
        Ok(own)
    }

    /// Calls the function.
    pub fn call(&self, world: &World) -> CK_RV {
        world.module.entry(self.index).map_or(CKR_FUNCTION_NOT_SUPPORTED, |entry| call_words(entry, &self.words))
    }

    /// Changes an argument.
    pub fn set(&mut self, place: usize, word: usize) {
        if let Some(at) = self.words.get_mut(place) {
            *at = word;
        }
    }

    /// The mechanism among the arguments.
    pub fn mechanism(&mut self) -> Option<&mut CK_MECHANISM> {
        let is_one = |argument: &Argument| matches!(argument, Mechanism(_) | InitMechanism(_));
        self.function.arguments.iter().any(is_one).then_some(&mut *self.mechanism)
    }

    /// The first attribute of the first template with a value.
    pub fn attribute(&mut self) -> Option<&mut CK_ATTRIBUTE> {
        self.templates.first_mut().and_then(|(_, rows)| rows.first_mut())
    }

    fn good(&mut self, world: &World, argument: Argument, length: &mut usize) -> Outcome<usize> {
        Ok(match argument {
            Session => word(self.session.handle),
            Slot => word(world.slot()),
            Key(kind, _) => word(world.key(kind)?.public),
            Object => word(world.create(world.holder(), data())?),
            Word(number) => number,
            Reserved => 0,
            Length(_) => *length,
            Input(size) => {
                *length = size;
                self.buffer(vec![0x5a; size])
            }
            Pin => {
                let pin = if self.function.name == "C_InitToken" { SO_PIN.to_vec() } else { world.user_pin() };
                *length = pin.len();
                self.buffer(pin)
            }
            Room => {
                *length = 4;
                self.buffer(vec![0; ROOM])
            }
            Output | Place => self.buffer(vec![0; ROOM]),
            OutputLength => address(Some(&mut *self.length)),
            Mechanism(number) | InitMechanism(number) => {
                *self.mechanism = plain(number);
                address(Some(&mut *self.mechanism))
            }
            Template(rows) => {
                let mut template = template(rows);
                let rows = template.rows();
                *length = rows.len();
                self.templates.push((template, rows));
                address(self.templates.last_mut().and_then(|(_, rows)| rows.first_mut()))
            }
        })
    }

    fn buffer(&mut self, bytes: Vec<u8>) -> usize {
        self.buffers.push(bytes);
        self.buffers.last_mut().map_or(0, |buffer| buffer.as_mut_ptr().expose_provenance())
    }
}

/// A private data object, which only a logged-in user may have.
pub fn data() -> super::template::Template {
    super::template::Template::of(CKO_DATA).bytes(CKA_LABEL, b"pkcs11-tests").bytes(CKA_VALUE, b"data")
}

/// A function that the module says it does not have is nobody's fault.
pub fn skip_unsupported(code: CK_RV) -> Outcome {
    if code == CKR_FUNCTION_NOT_SUPPORTED { skip("answers CKR_FUNCTION_NOT_SUPPORTED") } else { Ok(()) }
}

fn template(rows: Rows) -> super::template::Template {
    match rows {
        Rows::Data => data(),
        Rows::AesKey => secret_template(CKK_AES, 16),
        Rows::Label | Rows::Empty => super::template::Template::default().bytes(CKA_LABEL, b"pkcs11-tests"),
    }
}

fn word(number: CK_ULONG) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn address<T>(value: Option<&mut T>) -> usize {
    value.map_or(0, |value| ptr::from_mut(value).expose_provenance())
}
