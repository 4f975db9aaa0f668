//! Every function with arguments that are wrong one at a time: NULL, impossible lengths, handles of nothing; and every
//! function before the module is initialised.

use std::ptr;

use cryptoki_sys::*;

use super::arrangement::{Arrangement, skip_unsupported};
use super::code::Expected;
use super::function::{Argument, FUNCTIONS, Function};
use super::key::{generate, secret_template};
use super::module::{Words, call, call_words};
use super::suite::{Check, Needs};
use super::trial::{Trial, ok, skip};
use super::verdict::{Outcome, Stop};

use Argument::*;

/// Every function before `C_Initialize`, and all of them again after `C_Finalize`.
pub fn uninitialised() -> Vec<Check> {
    let of = |row: Row| Check {
        needs: Needs::Module,
        ..Check::new("uninitialised", row.1.name, "5.4", move |trial| not_initialised(trial, row))
    };
    let mut checks: Vec<Check> = rows().filter(|(_, function)| !function.is_for_all_times()).map(of).collect();
    let again = |trial: &mut Trial<'_>| {
        let world = trial.world;
        world.prepare()?;
        ok("C_Finalize", call!(world.module, C_Finalize(ptr::null_mut())))?;
        for row in rows().filter(|(_, function)| !function.is_for_all_times()) {
            match not_initialised(trial, row) {
                Err(Stop::Broken(deviation)) => return Err(Stop::Broken(deviation)),
                Err(Stop::Skip(_)) | Ok(()) => (),
            }
        }
        Ok(())
    };
    checks.push(Check::new("uninitialised", "all after C_Finalize", "5.4.2", again));
    checks
}

/// Every function with NULL for each pointer.
pub fn null() -> Vec<Check> {
    let of = |row: Row| Check::new("null", row.1.name, row.1.section, move |trial| nulls(trial, row));
    rows().filter(|(_, function)| function.name != "C_Initialize" && has_pointers(function)).map(of).collect()
}

/// Every function with lengths of 0 and lengths that cannot be, for inputs, templates, attributes and mechanisms.
pub fn lengths() -> Vec<Check> {
    let has_lengths = |function: &Function| {
        function.arguments.iter().any(|argument| matches!(argument, Length(_) | Mechanism(_) | InitMechanism(_)))
    };
    let of = |row: Row| Check::new("lengths", row.1.name, row.1.section, move |trial| lengths_of(trial, row));
    rows().filter(|(_, function)| has_lengths(function)).map(of).collect()
}

/// Every function with handles and slots of nothing.
pub fn handles() -> Vec<Check> {
    let has_handles = |function: &Function| {
        function.arguments.iter().any(|argument| matches!(argument, Session | Slot | Key(..) | Object))
    };
    let of = |row: Row| Check::new("handles", row.1.name, row.1.section, move |trial| handles_of(trial, row));
    rows().filter(|(_, function)| has_handles(function)).map(of).collect()
}

/// A function and its place in the table.
type Row = (usize, &'static Function);

fn rows() -> impl Iterator<Item = Row> {
    FUNCTIONS.iter().enumerate()
}

fn has_pointers(function: &Function) -> bool {
    function
        .arguments
        .iter()
        .any(|argument| !matches!(argument, Session | Slot | Key(..) | Object | Word(_) | Length(_)))
}

fn not_initialised(trial: &mut Trial<'_>, (index, function): Row) -> Outcome {
    let Some(entry) = trial.world.module.entry(index) else {
        return skip("not in the module's table");
    };
    let mut codes = vec![CKR_CRYPTOKI_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED];
    codes.extend(function.also.iter().filter(|code| **code == CKR_FUNCTION_NOT_PARALLEL));
    trial.gives(&format!("{} with NULLs", function.name), &codes, || call_words(entry, &Words::default()));
    let mut memory = vec![0_u8; 1 << 16];
    let words = function.arguments.iter().map(|argument| match argument {
        Session | Slot | Key(..) | Object => 1,
        Word(number) => *number,
        Reserved => 0,
        Length(length) => *length,
        _ => memory.as_mut_ptr().expose_provenance(),
    });
    let mut good = Words::default();
    good.iter_mut().zip(words).for_each(|(to, word)| *to = word);
    trial.gives(&format!("{} with arguments", function.name), &codes, || call_words(entry, &good));
    Ok(())
}

fn nulls(trial: &mut Trial<'_>, (index, function): Row) -> Outcome {
    let world = trial.world;
    let mut memory = 0_u64;
    for (place, argument) in function.arguments.iter().enumerate() {
        let (word, right): (usize, &[CK_RV]) = match argument {
            Input(_) | Pin | Room | Place | OutputLength | Mechanism(_) | Template(_) => (0, &[CKR_ARGUMENTS_BAD]),
            // Since 3.0 it ends the operation.
            InitMechanism(_) if world.module.is_3() => (0, &[CKR_OK]),
            InitMechanism(_) => (0, &[CKR_OK, CKR_ARGUMENTS_BAD]),
            Reserved => ((&raw mut memory).expose_provenance(), &[CKR_ARGUMENTS_BAD]),
            _ => continue,
        };
        let mut call = Arrangement::new(world, index, function)?;
        call.set(place, word);
        one_wrong(trial, &call, &format!("argument {}, {}", place + 1, kind(*argument)), right)?;
    }
    if function.name == "C_Finalize" {
        return Ok(());
    }
    let mut call = Arrangement::new(world, index, function)?;
    for (place, argument) in function.arguments.iter().enumerate() {
        if !matches!(argument, Session | Slot) {
            call.set(place, 0);
        }
    }
    trial.call("all of them", Expected::Answer, || call.call(world));
    Ok(())
}

fn lengths_of(trial: &mut Trial<'_>, (index, function): Row) -> Outcome {
    let world = trial.world;
    const IMPOSSIBLE: [usize; 2] = [1 << 63, usize::MAX];
    for (place, argument) in function.arguments.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| function.arguments.get(before));
        let (what, lengths): (&str, &[usize]) = match (argument, before) {
            (Length(_), Some(Template(_))) => ("count", &[0, 1 << 32, 1 << 63, usize::MAX]),
            (Length(_), _) => ("length", &[0, 1 << 63, usize::MAX]),
            _ => continue,
        };
        for length in lengths {
            let mut call = Arrangement::new(world, index, function)?;
            call.set(place, *length);
            // What is claimed of a buffer need not be used.
            let is_claim = *length == 0 || function.name == "C_FindObjects";
            let expected = if is_claim { Expected::Answer } else { Expected::Refusal };
            let at = format!("argument {}, {what} {length:#x}", place + 1);
            skip_unsupported(trial.call(&at, expected, || call.call(world)))?;
        }
    }
    for length in IMPOSSIBLE {
        let mut call = Arrangement::new(world, index, function)?;
        if let Some(attribute) = call.attribute() {
            attribute.ulValueLen = length as CK_ULONG;
            let is_claim = ["C_GetAttributeValue", "C_FindObjectsInit"].contains(&function.name);
            let expected = if is_claim { Expected::Answer } else { Expected::Refusal };
            let at = format!("an attribute's length {length:#x}");
            skip_unsupported(trial.call(&at, expected, || call.call(world)))?;
        }
        let mut call = Arrangement::new(world, index, function)?;
        let mut parameter = [0_u8; 16];
        if let Some(mechanism) = call.mechanism() {
            mechanism.pParameter = parameter.as_mut_ptr().cast();
            mechanism.ulParameterLen = length as CK_ULONG;
            let at = format!("the mechanism parameter's length {length:#x}");
            skip_unsupported(trial.call(&at, Expected::Refusal, || call.call(world)))?;
            let Some(mechanism) = call.mechanism() else { continue };
            mechanism.pParameter = ptr::null_mut();
            let at = format!("the mechanism parameter NULL with length {length:#x}");
            trial.call(&at, Expected::Refusal, || call.call(world));
        }
    }
    Ok(())
}

fn handles_of(trial: &mut Trial<'_>, (index, function): Row) -> Outcome {
    let world = trial.world;
    let closed = world.session()?.handle;
    let (code, destroyed) = generate(world, world.holder(), CKM_AES_KEY_GEN, secret_template(CKK_AES, 16));
    ok("C_GenerateKey", code)?;
    ok("C_DestroyObject", call!(world.module, C_DestroyObject(world.holder(), destroyed)))?;
    for (place, argument) in function.arguments.iter().enumerate() {
        let (wrong, right): (&[CK_ULONG], &[CK_RV]) = match argument {
            Session => (&[0, CK_ULONG::MAX, closed], &[CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED]),
            Slot => (&[CK_ULONG::MAX, 0x7fff_fff0], &[CKR_SLOT_ID_INVALID]),
            Key(_, code) => (&[0, CK_ULONG::MAX, destroyed], std::slice::from_ref(code)),
            Object => (&[0, CK_ULONG::MAX, destroyed], &[CKR_OBJECT_HANDLE_INVALID]),
            _ => continue,
        };
        for handle in wrong {
            let mut call = Arrangement::new(world, index, function)?;
            call.set(place, usize::try_from(*handle).unwrap_or(usize::MAX));
            one_wrong(trial, &call, &format!("argument {}, handle {handle:#x}", place + 1), right)?;
        }
    }
    if function.arguments.first() == Some(&Session) {
        // It outranks what else is wrong. PKCS#11 3.2, section 5.1.7.
        let mut call = Arrangement::new(world, index, function)?;
        call.words = Words::default();
        call.set(0, usize::try_from(closed).unwrap_or(usize::MAX));
        let codes = [CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED];
        one_wrong(trial, &call, "a closed session, and NULL or 0 for the rest", &codes)?;
    }
    Ok(())
}

fn one_wrong(trial: &mut Trial<'_>, call: &Arrangement<'_>, at: &str, right: &[CK_RV]) -> Outcome {
    let codes: Vec<CK_RV> = right.iter().chain(call.function.also).copied().collect();
    let world = trial.world;
    trial.at(at);
    let code = call.call(world);
    skip_unsupported(code)?;
    trial.gives(at, &codes, || code);
    Ok(())
}

fn kind(argument: Argument) -> &'static str {
    match argument {
        Reserved => "reserved, not NULL",
        Input(_) => "input NULL",
        Pin => "PIN NULL",
        Room | Place => "place NULL",
        OutputLength => "length NULL",
        Mechanism(_) | InitMechanism(_) => "mechanism NULL",
        Template(_) => "template NULL",
        _ => "NULL",
    }
}
