//! The template of a new key: attributes and their values, with what the options ask for.

use clap::ValueEnum;
use cryptoki_sys::*;
use keystead::key::Class;
use keystead::object::Given;
use keystead::object::attribute::CKA_KEYSTEAD_MASKABLE;

use super::select;

/// Attributes and their values in the form of a caller, each attribute once.
#[derive(Clone, Default)]
pub struct Template(Vec<(u64, Vec<u8>)>);

impl Template {
    /// Of a key in the token, of this class.
    pub fn of(class: Class) -> Self {
        let mut template = Self::default();
        template.set_number(CKA_CLASS, class.number());
        template.set_flag(CKA_TOKEN, true);
        template
    }

    /// Sets a value, in the place of what was there.
    pub fn set(&mut self, attribute: u64, value: impl Into<Vec<u8>>) {
        self.0.retain(|(number, _)| *number != attribute);
        self.0.push((attribute, value.into()));
    }

    /// Sets a boolean.
    pub fn set_flag(&mut self, attribute: u64, value: bool) {
        self.set(attribute, [u8::from(value)]);
    }

    /// Sets a number.
    pub fn set_number(&mut self, attribute: u64, value: u64) {
        self.set(attribute, value.to_ne_bytes());
    }

    /// As a caller gives it.
    pub fn given(&self) -> Vec<Given<'_>> {
        self.0.iter().map(|(number, value)| Given::new(*number, value)).collect()
    }
}

/// The attributes of a new key. What no option says is as the library has it.
#[derive(clap::Args)]
pub struct Wished {
    /// CKA_LABEL
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,

    /// CKA_ID, in hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = digits)]
    id: Option<Bytes>,

    /// What the key may do, and nothing else; of a pair each half gets its own: sign is for both to sign and to verify
    #[arg(long, value_name = "USE,...", value_delimiter = ',')]
    usage: Vec<Usage>,

    /// CKA_EXTRACTABLE: whether it may leave the token wrapped
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    extractable: Option<bool>,

    /// CKA_SENSITIVE: whether its value is never shown
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    sensitive: Option<bool>,

    /// CKA_PRIVATE: whether it is seen after a login only
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    private: Option<bool>,

    /// CKA_MODIFIABLE: whether its attributes may change
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    modifiable: Option<bool>,

    /// CKA_WRAP_WITH_TRUSTED: whether only a trusted key may wrap it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    wrap_with_trusted: Option<bool>,

    /// CKA_ALWAYS_AUTHENTICATE, of a private key: whether each use asks for the PIN
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    always_authenticate: Option<bool>,

    /// CKA_KEYSTEAD_MASKABLE: whether it may move between tokens of a domain
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    maskable: Option<bool>,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Usage {
    Encrypt,
    Decrypt,
    Sign,
    Verify,
    SignRecover,
    VerifyRecover,
    Wrap,
    Unwrap,
    Derive,
}

/// An option's value that is bytes.
#[derive(Debug, Clone)]
pub struct Bytes(pub Vec<u8>);

impl Wished {
    /// Puts what the options ask for into the template of a key of this class.
    pub fn put_into(&self, template: &mut Template, class: Class) {
        if let Some(label) = &self.label {
            template.set(CKA_LABEL, label.as_bytes());
        }
        if let Some(Bytes(id)) = &self.id {
            template.set(CKA_ID, id.as_slice());
        }
        if !self.usage.is_empty() {
            for (attribute, words) in uses(class) {
                template.set_flag(*attribute, words.iter().any(|word| self.usage.contains(word)));
            }
        }
        for (value, attribute, classes) in self.flags() {
            if let Some(value) = value.filter(|_| classes.contains(&class)) {
                template.set_flag(attribute, value);
            }
        }
    }

    fn flags(&self) -> [(Option<bool>, u64, &'static [Class]); 7] {
        const SECRET: &[Class] = &[Class::SecretKey, Class::PrivateKey];
        const ALL: &[Class] = &[Class::SecretKey, Class::PrivateKey, Class::PublicKey];
        [
            (self.extractable, CKA_EXTRACTABLE, SECRET),
            (self.sensitive, CKA_SENSITIVE, SECRET),
            (self.private, CKA_PRIVATE, SECRET),
            (self.modifiable, CKA_MODIFIABLE, ALL),
            (self.wrap_with_trusted, CKA_WRAP_WITH_TRUSTED, SECRET),
            (self.always_authenticate, CKA_ALWAYS_AUTHENTICATE, &[Class::PrivateKey]),
            (self.maskable, CKA_KEYSTEAD_MASKABLE, SECRET),
        ]
    }
}

/// Reads bytes in hexadecimal digits.
pub fn digits(text: &str) -> Result<Bytes, String> {
    select::bytes(text).map(Bytes).ok_or_else(|| "pairs of hexadecimal digits are needed".to_owned())
}

/// The attributes of a class that say what its keys may do, each with the words that ask for it.
fn uses(class: Class) -> &'static [(u64, &'static [Usage])] {
    use Usage::*;
    match class {
        Class::SecretKey => &[
            (CKA_ENCRYPT, &[Encrypt]),
            (CKA_DECRYPT, &[Decrypt]),
            (CKA_SIGN, &[Sign]),
            (CKA_VERIFY, &[Verify]),
            (CKA_WRAP, &[Wrap]),
            (CKA_UNWRAP, &[Unwrap]),
            (CKA_DERIVE, &[Derive]),
        ],
        Class::PrivateKey => &[
            (CKA_DECRYPT, &[Encrypt, Decrypt]),
            (CKA_SIGN, &[Sign, Verify]),
            (CKA_SIGN_RECOVER, &[SignRecover, VerifyRecover]),
            (CKA_UNWRAP, &[Wrap, Unwrap]),
            (CKA_DERIVE, &[Derive]),
        ],
        Class::PublicKey => &[
            (CKA_ENCRYPT, &[Encrypt, Decrypt]),
            (CKA_VERIFY, &[Sign, Verify]),
            (CKA_VERIFY_RECOVER, &[SignRecover, VerifyRecover]),
            (CKA_WRAP, &[Wrap, Unwrap]),
        ],
        _ => &[],
    }
}
