//! What can go wrong: one enum, one variant per meaning, with the sentence that the log gives to people.
//!
//! The variants follow the return codes of PKCS#11 3.2, section 5.1, because those are the meanings a caller can be
//! told; the number itself is `abi`'s business. A variant carries what the sentence needs: the attribute, mechanism or
//! argument by name, or the reason from a lower layer.

use std::fmt;

/// The outcome of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One meaning of failure. See the module's documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The object forbids the action, by its attributes (`CKA_MODIFIABLE`, `CKA_COPYABLE`, `CKA_DESTROYABLE`) or by what it is;
    /// why is said.
    ActionProhibited(&'static str),
    /// `C_Initialize` was called twice.
    AlreadyInitialized,
    /// An argument that no caller may pass, named.
    ArgumentsBad(&'static str),
    /// The attribute, named, may not be given or changed here.
    AttributeReadOnly(&'static str),
    /// The value of the attribute, named, is never shown.
    AttributeSensitive(&'static str),
    /// No attribute of this number exists, or this object has none.
    AttributeTypeInvalid(u64),
    /// The attribute, named, has an impossible value.
    AttributeValueInvalid(&'static str),
    /// A backup cannot be read or written; the sentence says why.
    Backup(Box<str>),
    /// The caller's buffer is too small; the length that suffices has been written.
    BufferTooSmall,
    /// The host offers only lock callbacks of its own.
    CantLock,
    /// The curve is none that this token knows.
    CurveNotSupported,
    /// A request to join a domain, or an answer to one, cannot be made or used; the sentence says why.
    DomainRefused(Box<str>),
    /// The plaintext, or what is to be signed, is none that the mechanism takes.
    DataInvalid,
    /// The plaintext has a length that the mechanism does not take.
    DataLenRange,
    /// The store failed: input or output, a lock that never came, damage.
    DeviceError(Box<str>),
    /// The store is full.
    DeviceMemory(Box<str>),
    /// Domain parameters are malformed, or of a form that is not taken.
    DomainParamsInvalid,
    /// The ciphertext is damaged.
    EncryptedDataInvalid,
    /// The ciphertext has an impossible length.
    EncryptedDataLenRange,
    /// The call could not be carried out, for a reason outside the caller's arguments.
    FunctionFailed(Box<str>),
    /// The functions for parallel execution do not exist any more.
    FunctionNotParallel,
    /// This version has no behaviour for the function.
    FunctionNotSupported,
    /// A fault of this library itself.
    GeneralError(Box<str>),
    /// No memory, or no file descriptor.
    HostMemory(&'static str),
    /// The key's own attributes forbid this use; the attribute is named.
    KeyFunctionNotPermitted(&'static str),
    /// No such key, or not visible now.
    KeyHandleInvalid,
    /// The key's own dates forbid this use today; the attribute is named.
    KeyOutOfDate(&'static str),
    /// The value of the key cannot be digested.
    KeyIndigestible,
    /// A key was given to a saved state that needs none.
    KeyNotNeeded,
    /// The key cannot be wrapped by this mechanism, or not under this wrapping key.
    KeyNotWrappable(&'static str),
    /// The key's size does not fit the mechanism.
    KeySizeRange,
    /// The key's class or type does not fit the mechanism.
    KeyTypeInconsistent,
    /// `CKA_EXTRACTABLE` is false.
    KeyUnextractable,
    /// A later version of the library wrote something about the object that this one has to understand and does not.
    LaterVersion,
    /// Unknown mechanism, or one that does not do this.
    MechanismInvalid(u64),
    /// What a token was to take from another of its domain is damaged, or not for it; the sentence says why.
    MaskedInvalid(Box<str>),
    /// The mechanism's parameter is wrong; what about it is said.
    MechanismParamInvalid(&'static str),
    /// No slot event is waiting.
    NoEvent,
    /// `C_Initialize` has not been called, or not in this process.
    NotInitialized,
    /// An object in the store does not authenticate; which one and why is said.
    ObjectDamaged(Box<str>),
    /// No such object, or not visible now.
    ObjectHandleInvalid,
    /// An operation of this kind runs already in the session.
    OperationActive,
    /// No operation of this kind runs in the session.
    OperationNotInitialized,
    /// The PIN is wrong.
    PinIncorrect,
    /// A new PIN is too short or too long.
    PinLenRange,
    /// Too many wrong PINs.
    PinLocked,
    /// The other side's public key is none: not on the curve, or one with which no secret can be shared.
    PublicKeyInvalid,
    /// The module takes no seed.
    RandomSeedNotSupported,
    /// The saved state is not one of this process, token and login.
    SavedStateInvalid,
    /// The token has sessions open.
    SessionExists,
    /// No such session.
    SessionHandleInvalid,
    /// A session was asked for without `CKF_SERIAL_SESSION`.
    SessionParallelNotSupported,
    /// The session is read-only.
    SessionReadOnly,
    /// A read-only session stands against the login of the SO.
    SessionReadOnlyExists,
    /// The SO is logged in, so no read-only session can be opened.
    SessionReadWriteSoExists,
    /// The signature or MAC does not hold.
    SignatureInvalid,
    /// The signature or MAC has an impossible length.
    SignatureLenRange,
    /// No such slot.
    SlotIdInvalid,
    /// What runs in the session cannot be saved.
    StateUnsaveable,
    /// The attribute, named, is required and missing.
    TemplateIncomplete(&'static str),
    /// The template contradicts itself, the mechanism or the class; the attribute is named.
    TemplateInconsistent(&'static str),
    /// The token in the slot cannot be opened; why is said.
    TokenNotRecognized(Box<str>),
    /// What another token's side says when tokens are synchronised cannot be used, or does not come; the sentence says why.
    Sync(Box<str>),
    /// The token has been removed, by whomever.
    TokenRemoved,
    /// Another token lies where this one was: it has been initialised anew, or its file was exchanged.
    TokenReplaced,
    /// More than the token sets aside for this; what is said.
    TokenResourceExceeded(&'static str),
    /// The token's store is read-only.
    TokenWriteProtected,
    /// No such unwrapping key.
    UnwrappingKeyHandleInvalid,
    /// The unwrapping key's size does not fit the mechanism.
    UnwrappingKeySizeRange,
    /// The unwrapping key's class or type does not fit the mechanism.
    UnwrappingKeyTypeInconsistent,
    /// The same user is logged in already.
    UserAlreadyLoggedIn,
    /// The other role is logged in.
    UserAnotherAlreadyLoggedIn,
    /// This needs a login.
    UserNotLoggedIn,
    /// The user's PIN has not been set yet.
    UserPinNotInitialized,
    /// No such kind of user.
    UserTypeInvalid,
    /// The wrapped key is damaged, or wrapped under another key.
    WrappedKeyInvalid,
    /// The wrapped key, or the key inside it, has an impossible length.
    WrappedKeyLenRange,
    /// No such wrapping key.
    WrappingKeyHandleInvalid,
    /// The wrapping key's size does not fit the mechanism.
    WrappingKeySizeRange,
    /// The wrapping key's class or type does not fit the mechanism.
    WrappingKeyTypeInconsistent,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Error::*;
        match self {
            ActionProhibited(reason) => write!(f, "the object forbids it: {reason}"),
            AlreadyInitialized => f.write_str("the library is initialised already"),
            ArgumentsBad(what) => write!(f, "bad argument: {what}"),
            AttributeReadOnly(name) => write!(f, "{name} may not be set here"),
            AttributeSensitive(name) => write!(f, "{name} of this object is never shown"),
            AttributeTypeInvalid(number) => write!(f, "attribute 0x{number:08x} is unknown or not one of this object"),
            AttributeValueInvalid(name) => write!(f, "{name} has a value that is not allowed"),
            Backup(sentence) | Sync(sentence) => f.write_str(sentence),
            BufferTooSmall => f.write_str("the output buffer is too small"),
            CantLock => f.write_str("only native locks are supported, and the caller forbids them"),
            CurveNotSupported => f.write_str("the curve is not supported, or not named by its identifier or name"),
            DataInvalid => f.write_str("the data is none that the mechanism takes with this key"),
            DataLenRange => f.write_str("the data has a length that the mechanism does not take"),
            DeviceError(reason) => write!(f, "the store failed: {reason}"),
            DeviceMemory(reason) => write!(f, "the store is full: {reason}"),
            DomainParamsInvalid => f.write_str("the domain parameters are malformed, or not an identifier or name"),
            EncryptedDataInvalid => f.write_str("the encrypted data is damaged"),
            EncryptedDataLenRange => f.write_str("the encrypted data has an impossible length"),
            FunctionFailed(reason) => write!(f, "the call failed: {reason}"),
            FunctionNotParallel => f.write_str("functions do not run in parallel"),
            FunctionNotSupported => f.write_str("this function is not supported"),
            GeneralError(reason) => write!(f, "a fault of the library: {reason}"),
            HostMemory(what) => write!(f, "out of memory or descriptors: {what}"),
            KeyFunctionNotPermitted(attribute) => write!(f, "the key may not do this: {attribute} is false"),
            KeyHandleInvalid => f.write_str("no such key is visible to the session"),
            KeyOutOfDate(attribute) => write!(f, "the key may not do this today, by its {attribute}"),
            KeyIndigestible => f.write_str("the key cannot be digested by this mechanism"),
            KeyNotNeeded => f.write_str("the saved state needs no key"),
            KeyNotWrappable(reason) => write!(f, "the key cannot be wrapped so: {reason}"),
            KeySizeRange => f.write_str("the key's size does not fit the mechanism"),
            KeyTypeInconsistent => f.write_str("the key's class or type does not fit the mechanism"),
            KeyUnextractable => f.write_str("the key is not extractable"),
            LaterVersion => {
                f.write_str("a later version of Keystead made this object; use and change it with that one")
            }
            MechanismInvalid(number) => write!(f, "mechanism 0x{number:08x} is unknown or does not do this"),
            DomainRefused(sentence) | MaskedInvalid(sentence) => f.write_str(sentence),
            MechanismParamInvalid(what) => write!(f, "bad mechanism parameter: {what}"),
            NoEvent => f.write_str("no slot event is waiting"),
            NotInitialized => f.write_str("the library is not initialised in this process"),
            ObjectDamaged(reason) => f.write_str(reason),
            ObjectHandleInvalid => f.write_str("no such object is visible to the session"),
            OperationActive => f.write_str("an operation of this kind is active already"),
            OperationNotInitialized => f.write_str("no operation of this kind is active"),
            PinIncorrect => f.write_str("the PIN is wrong"),
            PinLenRange => f.write_str("the PIN is too short or too long"),
            PinLocked => f.write_str("the PIN is locked after too many failures"),
            PublicKeyInvalid => f.write_str("the public key is not one of the curve, or shares no secret"),
            RandomSeedNotSupported => f.write_str("the operating system seeds the generator, nobody else does"),
            SavedStateInvalid => f.write_str("the saved state is not one of this process, token and login"),
            SessionExists => f.write_str("the token has open sessions"),
            SessionHandleInvalid => f.write_str("no such session"),
            SessionParallelNotSupported => f.write_str("CKF_SERIAL_SESSION is missing"),
            SessionReadOnly => f.write_str("the session is read-only"),
            SessionReadOnlyExists => f.write_str("a read-only session is open, so the SO cannot log in"),
            SessionReadWriteSoExists => f.write_str("the SO is logged in, so no read-only session can be opened"),
            SignatureInvalid => f.write_str("the signature does not hold"),
            SignatureLenRange => f.write_str("the signature has an impossible length"),
            SlotIdInvalid => f.write_str("no such slot"),
            StateUnsaveable => f.write_str("an operation runs whose key would have to be saved with it"),
            TemplateIncomplete(name) => write!(f, "the template lacks {name}"),
            TemplateInconsistent(name) => write!(f, "the template is inconsistent about {name}"),
            TokenNotRecognized(reason) => write!(f, "the token cannot be opened: {reason}"),
            TokenRemoved => f.write_str("the token has been removed"),
            TokenReplaced => f.write_str("another token lies where this session's token was"),
            TokenResourceExceeded(what) => write!(f, "too long for what is set aside: {what}"),
            TokenWriteProtected => f.write_str("the token's store is read-only"),
            UnwrappingKeyHandleInvalid => f.write_str("no such unwrapping key is visible to the session"),
            UnwrappingKeySizeRange => f.write_str("the unwrapping key's size does not fit the mechanism"),
            UnwrappingKeyTypeInconsistent => {
                f.write_str("the unwrapping key's class or type does not fit the mechanism")
            }
            UserAlreadyLoggedIn => f.write_str("this user is logged in already"),
            UserAnotherAlreadyLoggedIn => f.write_str("the other role is logged in"),
            UserNotLoggedIn => f.write_str("nobody who may do this is logged in"),
            UserPinNotInitialized => f.write_str("the user PIN has not been set; the SO sets it with C_InitPIN"),
            UserTypeInvalid => f.write_str("no such kind of user"),
            WrappedKeyInvalid => f.write_str("the wrapped key is damaged or belongs to another wrapping key"),
            WrappedKeyLenRange => f.write_str("the wrapped key has an impossible length"),
            WrappingKeyHandleInvalid => f.write_str("no such wrapping key is visible to the session"),
            WrappingKeySizeRange => f.write_str("the wrapping key's size does not fit the mechanism"),
            WrappingKeyTypeInconsistent => f.write_str("the wrapping key's class or type does not fit the mechanism"),
        }
    }
}

impl std::error::Error for Error {}
