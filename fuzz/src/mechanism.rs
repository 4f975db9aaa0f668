//! The target `mechanism`: any mechanism, any parameter, any message, through the C functions.

use crate::arena::Place;
use crate::input::Input;
use crate::library::mechanisms;
use crate::parameter::Parameter;
use crate::{cipher, dual, keys, login, mac, recover, saved};

/// One input: the mechanism's place in the list or its number, a key, a parameter, how the message is laid out, and the
/// message. Everything that takes a mechanism is tried with it.
pub fn mechanism(data: &[u8]) {
    let mut input = Input::new(data);
    let list = mechanisms();
    let number = match usize::from(input.byte()) {
        0xff => input.number(),
        place => list[place % list.len()],
    };
    let choice = input.byte();
    let (key, other) = (keys::all()[usize::from(choice & 7)], keys::all()[usize::from(choice >> 3 & 7)]);
    let parameter = Parameter::read(number, &mut input);
    let message = Message::read(&mut input);

    cipher::try_all(&parameter, key, &message);
    mac::sign(&parameter, key, &message);
    mac::digest(&parameter, &message);
    dual::digested(&parameter, key, &message);
    saved::digest(&parameter, &message);
    recover::recover(&parameter, &message);
    login::login(choice & 3, &message);
    keys::wrap(&parameter, key, other);
    keys::wrap_authenticated(key, other, &message);
    keys::unwrap_foreign(&parameter, key, message.bytes);
    keys::generate(&parameter, choice);
    keys::generate(&Parameter::none(number), choice);
}

/// What an operation works on, in whole and in parts, and where the output lies when it is not apart.
pub struct Message<'a> {
    pub bytes: &'a [u8],
    pub place: Place,
    lengths: Vec<usize>,
}

impl<'a> Message<'a> {
    /// Longer ones show nothing new.
    const LONGEST: usize = 4096;

    fn read(input: &mut Input<'a>) -> Self {
        let layout = input.byte();
        let distance = usize::from(layout >> 2);
        let place = match layout & 3 {
            0 | 1 => Place::Same,
            2 => Place::Behind(distance),
            _ => Place::Before(distance),
        };
        let count = input.byte() % 8;
        let lengths = (0..count).map(|_| input.byte().into()).collect();
        Self { bytes: input.rest(Self::LONGEST), place, lengths }
    }

    /// Another message, laid out in the same way.
    pub fn with<'b>(&self, bytes: &'b [u8]) -> Message<'b> {
        Message { bytes, place: self.place, lengths: self.lengths.clone() }
    }

    /// The parts. The last one is what is left, which may be nothing.
    pub fn parts(&self) -> Vec<&'a [u8]> {
        let mut left = self.bytes;
        let mut parts = Vec::new();
        for length in &self.lengths {
            let (part, rest) = left.split_at((*length).min(left.len()));
            parts.push(part);
            left = rest;
        }
        parts.push(left);
        parts
    }
}
