//! Bad data, bad parameters and unfit keys have codes of their own. PKCS#11 3.2, section 5.1.6.

use cryptoki_sys::*;

use super::guard::Guarded;
use super::key::{Kind, generate, secret_template};
use super::mechanism::{Form, Known, Parameter};
use super::operation::{ENOUGH, Purpose, Raw};
use super::suite::Check;
use super::trial::{Trial, ok};
use super::verdict::Outcome;

use Purpose::{Decrypt, Digest, Encrypt, Sign, Verify};

/// The checks.
pub fn checks() -> Vec<Check> {
    let data = DATA.iter().map(|row| {
        let subject = format!("{} {}: {}", row.1.name(), row.0, row.2.text());
        Check::new("codes", subject, row.1.section(), |trial| bad_data(trial, row))
    });
    let parameters = PARAMETERS.iter().map(|row| {
        let subject = format!("{} {}: {}", row.1.name(), row.0, row.2.text());
        Check::new("codes", subject, "5.1.6", |trial| bad_parameter(trial, row))
    });
    let keys = KEYS.iter().map(|row| {
        let subject = format!("{} {}: {}", row.1.name(), row.0, row.2.text());
        Check::new("codes", subject, "5.1.6", |trial| bad_key(trial, row))
    });
    data.chain(parameters).chain(keys).collect()
}

/// What is done to good data, or to a good signature.
#[derive(Clone, Copy)]
enum Bad {
    /// Exactly so many bytes.
    Bytes(usize),
    /// So many bytes of 0xff.
    Large(usize),
    /// The last byte is another one.
    Changed,
    /// The last byte is gone.
    Cut,
    /// A byte more.
    Longer,
    /// None at all.
    Empty,
}

type Data = (&'static str, Purpose, Bad, &'static [CK_RV]);

#[rustfmt::skip]
const DATA: &[Data] = &[
    ("AES_ECB", Encrypt, Bad::Bytes(15), &[CKR_DATA_LEN_RANGE]),
    ("AES_CBC", Encrypt, Bad::Bytes(17), &[CKR_DATA_LEN_RANGE]),
    ("AES_ECB", Decrypt, Bad::Bytes(15), &[CKR_ENCRYPTED_DATA_LEN_RANGE]),
    ("AES_CBC", Decrypt, Bad::Bytes(17), &[CKR_ENCRYPTED_DATA_LEN_RANGE]),
    ("AES_CBC_PAD", Decrypt, Bad::Bytes(15), &[CKR_ENCRYPTED_DATA_LEN_RANGE]),
    ("AES_CBC_PAD", Decrypt, Bad::Empty, &[CKR_ENCRYPTED_DATA_LEN_RANGE]),
    ("AES_CBC_PAD", Decrypt, Bad::Large(32), &[CKR_ENCRYPTED_DATA_INVALID]),
    ("AES_GCM", Decrypt, Bad::Bytes(15), &[CKR_ENCRYPTED_DATA_LEN_RANGE]),
    ("AES_GCM", Decrypt, Bad::Changed, &[CKR_ENCRYPTED_DATA_INVALID]),
    ("AES_GCM", Decrypt, Bad::Cut, &[CKR_ENCRYPTED_DATA_INVALID]),
    ("RSA_PKCS", Encrypt, Bad::Bytes(246), &[CKR_DATA_LEN_RANGE]),
    ("RSA_PKCS_OAEP", Encrypt, Bad::Bytes(215), &[CKR_DATA_LEN_RANGE]),
    ("RSA_X_509", Encrypt, Bad::Large(256), &[CKR_DATA_INVALID]),
    ("RSA_X_509", Encrypt, Bad::Bytes(257), &[CKR_DATA_LEN_RANGE]),
    ("RSA_PKCS", Decrypt, Bad::Cut, &[CKR_ENCRYPTED_DATA_LEN_RANGE]),
    ("RSA_PKCS_OAEP", Decrypt, Bad::Cut, &[CKR_ENCRYPTED_DATA_LEN_RANGE]),
    ("RSA_PKCS_OAEP", Decrypt, Bad::Changed, &[CKR_ENCRYPTED_DATA_INVALID]),
    ("RSA_X_509", Decrypt, Bad::Large(256), &[CKR_ENCRYPTED_DATA_INVALID]),
    ("RSA_PKCS", Sign, Bad::Bytes(246), &[CKR_DATA_LEN_RANGE]),
    ("RSA_PKCS_PSS", Sign, Bad::Bytes(31), &[CKR_DATA_LEN_RANGE]),
    ("SHA256_HMAC", Verify, Bad::Changed, &[CKR_SIGNATURE_INVALID]),
    ("SHA256_HMAC", Verify, Bad::Cut, &[CKR_SIGNATURE_LEN_RANGE]),
    ("SHA256_HMAC", Verify, Bad::Empty, &[CKR_SIGNATURE_LEN_RANGE]),
    ("AES_CMAC", Verify, Bad::Changed, &[CKR_SIGNATURE_INVALID]),
    ("AES_CMAC", Verify, Bad::Longer, &[CKR_SIGNATURE_LEN_RANGE]),
    ("RSA_PKCS", Verify, Bad::Changed, &[CKR_SIGNATURE_INVALID]),
    ("RSA_PKCS", Verify, Bad::Cut, &[CKR_SIGNATURE_LEN_RANGE]),
    ("SHA256_RSA_PKCS", Verify, Bad::Changed, &[CKR_SIGNATURE_INVALID]),
    ("SHA256_RSA_PKCS", Verify, Bad::Longer, &[CKR_SIGNATURE_LEN_RANGE]),
    ("SHA256_RSA_PKCS_PSS", Verify, Bad::Changed, &[CKR_SIGNATURE_INVALID]),
    ("SHA256_RSA_PKCS_PSS", Verify, Bad::Cut, &[CKR_SIGNATURE_LEN_RANGE]),
    ("ECDSA", Verify, Bad::Changed, &[CKR_SIGNATURE_INVALID]),
    ("ECDSA", Verify, Bad::Cut, &[CKR_SIGNATURE_LEN_RANGE]),
    ("ECDSA", Verify, Bad::Empty, &[CKR_SIGNATURE_LEN_RANGE]),
    ("ECDSA_SHA256", Verify, Bad::Longer, &[CKR_SIGNATURE_LEN_RANGE]),
    ("EDDSA", Verify, Bad::Changed, &[CKR_SIGNATURE_INVALID]),
    ("EDDSA", Verify, Bad::Cut, &[CKR_SIGNATURE_LEN_RANGE]),
];

fn bad_data(trial: &mut Trial<'_>, (name, purpose, bad, codes): &Data) -> Outcome {
    let (world, known) = (trial.world, Known::named(name)?);
    world.lists(known.number, purpose.flag())?;
    let session = world.session()?;
    let input = known.input(45);
    let (input, mut output) = match purpose {
        Decrypt => (bad.made_of(&session.one_shot(Encrypt, known, &input)?), Vec::new()),
        Verify => {
            let signature = session.one_shot(Sign, known, &input)?;
            (input, bad.made_of(&signature))
        }
        _ => (bad.made_of(&input), Vec::new()),
    };
    let mut buffer = Guarded::new(ENOUGH);
    let (place, mut room) = match purpose {
        Verify => (output.as_mut_ptr(), output.len() as CK_ULONG),
        _ => (buffer.pointer(), ENOUGH as CK_ULONG),
    };
    session.begin(*purpose, known)?;
    let raw = Raw { input: input.as_ptr(), length: input.len() as CK_ULONG, output: place, room: &mut room };
    trial.gives(purpose.functions()[1], codes, || session.whole_raw(*purpose, raw));
    if known.form == Form::Gcm && matches!(purpose, Decrypt) {
        let plain = known.input(45);
        let shows = buffer.first(ENOUGH).windows(8).any(|seen| plain.starts_with(seen));
        trial.holds("the output after that", "no plaintext", !shows, || "plaintext".to_owned());
    }
    Ok(())
}

impl Bad {
    fn made_of(self, good: &[u8]) -> Vec<u8> {
        let mut bytes = good.to_vec();
        match self {
            Self::Bytes(length) => bytes = vec![0x5a; length],
            Self::Large(length) => bytes = vec![0xff; length],
            Self::Changed => bytes.last_mut().into_iter().for_each(|last| *last ^= 1),
            Self::Cut => drop(bytes.pop()),
            Self::Longer => bytes.push(0),
            Self::Empty => bytes.clear(),
        }
        bytes
    }

    fn text(self) -> String {
        match self {
            Self::Bytes(length) => format!("{length} bytes"),
            Self::Large(length) => format!("{length} bytes of 0xff"),
            Self::Changed => "last byte changed".to_owned(),
            Self::Cut => "a byte less".to_owned(),
            Self::Longer => "a byte more".to_owned(),
            Self::Empty => "nothing".to_owned(),
        }
    }
}

/// What is wrong with a mechanism's parameter, or with the mechanism.
#[derive(Clone, Copy)]
enum Wrong {
    /// There is none.
    Missing,
    /// There is one, of 16 bytes.
    Unwanted,
    /// A byte less.
    Short,
    /// A pointer in it, at this byte, is NULL, and its length is not.
    Null(usize),
    /// The mechanism does not do this.
    Purpose,
}

type Parameters = (&'static str, Purpose, Wrong);

/// Where `CK_GCM_PARAMS` has the IV and the additional data.
const GCM_IV: usize = std::mem::offset_of!(CK_GCM_PARAMS, pIv);
const GCM_AAD: usize = std::mem::offset_of!(CK_GCM_PARAMS, pAAD);

#[rustfmt::skip]
const PARAMETERS: &[Parameters] = &[
    ("AES_CBC", Encrypt, Wrong::Missing),
    ("AES_CBC", Encrypt, Wrong::Short),
    ("AES_CBC_PAD", Decrypt, Wrong::Missing),
    ("AES_CTR", Encrypt, Wrong::Missing),
    ("AES_CTR", Encrypt, Wrong::Short),
    ("AES_GCM", Encrypt, Wrong::Missing),
    ("AES_GCM", Encrypt, Wrong::Null(GCM_IV)),
    ("AES_GCM", Decrypt, Wrong::Null(GCM_AAD)),
    ("AES_ECB", Encrypt, Wrong::Unwanted),
    ("SHA256", Digest, Wrong::Unwanted),
    ("SHA256_HMAC", Sign, Wrong::Unwanted),
    ("AES_CMAC", Verify, Wrong::Unwanted),
    ("RSA_PKCS", Sign, Wrong::Unwanted),
    ("ECDSA", Sign, Wrong::Unwanted),
    ("RSA_PKCS_OAEP", Encrypt, Wrong::Missing),
    ("RSA_PKCS_PSS", Sign, Wrong::Missing),
    ("SHA256_RSA_PKCS_PSS", Verify, Wrong::Short),
    ("SHA256", Sign, Wrong::Purpose),
    ("AES_ECB", Sign, Wrong::Purpose),
    ("AES_CBC", Digest, Wrong::Purpose),
    ("SHA256_HMAC", Encrypt, Wrong::Purpose),
    ("ECDSA", Decrypt, Wrong::Purpose),
];

impl Wrong {
    fn text(self) -> &'static str {
        match self {
            Self::Missing => "no parameter",
            Self::Unwanted => "a parameter where none is defined",
            Self::Short => "a parameter a byte too short",
            Self::Null(GCM_IV) => "IV NULL with a length",
            Self::Null(_) => "additional data NULL with a length",
            Self::Purpose => "not what it does",
        }
    }
}

fn bad_parameter(trial: &mut Trial<'_>, (name, purpose, wrong): &Parameters) -> Outcome {
    let (world, known) = (trial.world, Known::named(name)?);
    if matches!(wrong, Wrong::Purpose) {
        world.lists(known.number, 0)?;
    } else {
        world.lists(known.number, purpose.flag())?;
    }
    let key = match (wrong, purpose) {
        // A key that does this, so that only the mechanism is wrong.
        (Wrong::Purpose, Sign | Verify) => world.key(Kind::Generic)?,
        (Wrong::Purpose, Encrypt | Decrypt) => world.key(Kind::Aes)?,
        _ => world.key(known.key)?,
    };
    let mut parameter = Parameter::of(known);
    match wrong {
        Wrong::Missing => parameter.set(Vec::new()),
        Wrong::Unwanted => parameter.set(vec![0; 16]),
        Wrong::Short => parameter.cut(),
        Wrong::Null(place) => parameter.null_at(*place),
        Wrong::Purpose => (),
    }
    let right = if matches!(wrong, Wrong::Purpose) { CKR_MECHANISM_INVALID } else { CKR_MECHANISM_PARAM_INVALID };
    let session = world.session()?;
    let mechanism = parameter.mechanism(known.number);
    trial.gives(purpose.functions()[0], &[right], || session.init_raw(*purpose, mechanism, purpose.half(key)));
    Ok(())
}

/// What is wrong with a key.
#[derive(Clone, Copy)]
enum Unfit {
    /// It is of this kind.
    Kind(Kind),
    /// It is the other half of the pair.
    OtherHalf,
    /// It may not be used so.
    Usage,
}

type Keys = (&'static str, Purpose, Unfit);

const KEYS: &[Keys] = &[
    ("AES_ECB", Encrypt, Unfit::Kind(Kind::Generic)),
    ("AES_ECB", Encrypt, Unfit::Kind(Kind::Rsa)),
    ("AES_CMAC", Sign, Unfit::Kind(Kind::Generic)),
    ("SHA256_HMAC", Sign, Unfit::Kind(Kind::Aes)),
    ("RSA_PKCS", Encrypt, Unfit::Kind(Kind::Aes)),
    ("ECDSA", Sign, Unfit::Kind(Kind::Rsa)),
    ("RSA_PKCS", Sign, Unfit::Kind(Kind::P256)),
    ("RSA_PKCS", Encrypt, Unfit::OtherHalf),
    ("RSA_PKCS", Sign, Unfit::OtherHalf),
    ("ECDSA", Verify, Unfit::OtherHalf),
    ("AES_ECB", Encrypt, Unfit::Usage),
    ("AES_ECB", Decrypt, Unfit::Usage),
    ("AES_CMAC", Sign, Unfit::Usage),
    ("AES_CMAC", Verify, Unfit::Usage),
];

impl Unfit {
    fn text(self) -> String {
        match self {
            Self::Kind(kind) => format!("a key of type {kind:?}"),
            Self::OtherHalf => "the other half of the pair".to_owned(),
            Self::Usage => "a key that may not".to_owned(),
        }
    }
}

fn bad_key(trial: &mut Trial<'_>, (name, purpose, unfit): &Keys) -> Outcome {
    let (world, known) = (trial.world, Known::named(name)?);
    world.lists(known.number, purpose.flag())?;
    let session = world.session()?;
    let (key, right) = match unfit {
        Unfit::Kind(kind) => (purpose.half(world.key(*kind)?), CKR_KEY_TYPE_INCONSISTENT),
        Unfit::OtherHalf => {
            let pair = world.key(known.key)?;
            let half = if purpose.half(pair) == pair.public { pair.private } else { pair.public };
            (half, CKR_KEY_TYPE_INCONSISTENT)
        }
        Unfit::Usage => {
            let usage = [CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY];
            let template = usage.iter().fold(secret_template(CKK_AES, 16), |all, usage| all.flag(*usage, false));
            let (code, key) = generate(world, session.handle, CKM_AES_KEY_GEN, template);
            ok("C_GenerateKey", code)?;
            (key, CKR_KEY_FUNCTION_NOT_PERMITTED)
        }
    };
    trial.gives(purpose.functions()[0], &[right], || session.init(*purpose, known, key));
    trial.gives("an operation after that", &[CKR_OPERATION_NOT_INITIALIZED], || {
        let (mut buffer, mut room) = (Guarded::new(ENOUGH), ENOUGH as CK_ULONG);
        let raw = Raw { input: [0; 16].as_ptr(), length: 16, output: buffer.pointer(), room: &mut room };
        session.whole_raw(*purpose, raw)
    });
    Ok(())
}
