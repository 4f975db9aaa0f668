//! All functions, in the order of the tables: what each takes, what it needs before, and where the standard speaks of it.

use cryptoki_sys::*;

use super::key::Kind;
use super::operation::Purpose;

use Argument::*;
use Kind::{Aes, Generic, Wrapper};
use Purpose::{Decrypt, Digest, Encrypt, Sign, Verify};

/// A function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its section in PKCS#11 3.2, or the chapter.
    pub section: &'static str,
    /// The operations that are begun before it is called.
    pub begun: &'static [Purpose],
    /// What it takes.
    pub arguments: &'static [Argument],
    /// Codes that are as right as the one for a wrong argument, for the state in which it is called.
    pub also: &'static [CK_RV],
}

/// An argument: what a good one is, and so what a wrong one is.
#[derive(Clone, Copy, PartialEq)]
pub enum Argument {
    /// A session.
    Session,
    /// A slot.
    Slot,
    /// A key of this kind, the public half or the secret key; and the code for one that does not exist.
    Key(Kind, CK_RV),
    /// An object that the caller may do everything to.
    Object,
    /// A number, as it is.
    Word(usize),
    /// What must be NULL.
    Reserved,
    /// So many bytes to read; their length follows.
    Input(usize),
    /// A PIN; its length follows.
    Pin,
    /// The length or count of what is before it.
    Length(usize),
    /// A buffer whose length is behind the pointer that follows. NULL asks for the length.
    Output,
    /// The pointer to the length of a buffer.
    OutputLength,
    /// A buffer; its length or count follows.
    Room,
    /// Where one result is written, or one value is read.
    Place,
    /// A mechanism.
    Mechanism(CK_MECHANISM_TYPE),
    /// A mechanism of an Init function, where NULL ends the operation.
    InitMechanism(CK_MECHANISM_TYPE),
    /// A template; its count follows.
    Template(Rows),
}

/// What is in a template.
#[derive(Clone, Copy, PartialEq)]
pub enum Rows {
    /// A new data object.
    Data,
    /// A new AES key.
    AesKey,
    /// The label, to be set or searched for.
    Label,
    /// The label, to be filled in.
    Empty,
}

impl Function {
    const fn also(self, also: &'static [CK_RV]) -> Self {
        Self { also, ..self }
    }

    /// Whether the module may be asked before it is initialised. PKCS#11 3.2, section 5.4.
    pub fn is_for_all_times(&self) -> bool {
        ["C_Initialize", "C_GetFunctionList", "C_GetInterfaceList", "C_GetInterface"].contains(&self.name)
    }

    /// Whether the function goes on with an operation that an Init function began.
    pub fn continues(&self) -> bool {
        !self.begun.is_empty() || self.also == NOT_BEGUN
    }
}

const fn row(
    name: &'static str,
    section: &'static str,
    begun: &'static [Purpose],
    arguments: &'static [Argument],
) -> Function {
    Function { name, section, begun, arguments, also: &[] }
}

const CIPHER: Argument = Key(Aes, CKR_KEY_HANDLE_INVALID);
const MAC: Argument = Key(Generic, CKR_KEY_HANDLE_INVALID);
const WRAPPED: Argument = Key(Aes, CKR_KEY_HANDLE_INVALID);
const WRAPPING: Argument = Key(Wrapper, CKR_WRAPPING_KEY_HANDLE_INVALID);
const UNWRAPPING: Argument = Key(Wrapper, CKR_UNWRAPPING_KEY_HANDLE_INVALID);
const ECB: Argument = InitMechanism(CKM_AES_ECB);
const HMAC: Argument = InitMechanism(CKM_SHA256_HMAC);
/// The operation has not been begun, for there is no way yet to begin it here.
const NOT_BEGUN: &[CK_RV] = &[CKR_OPERATION_NOT_INITIALIZED];
const LOGGED_IN: &[CK_RV] = &[CKR_USER_ALREADY_LOGGED_IN];
/// The mechanism of the row is one that no module has for this function.
const NO_MECHANISM: &[CK_RV] = &[CKR_MECHANISM_INVALID];
const IN: Argument = Input(16);
const LEN: Argument = Length(16);
const NEW_KEY: Argument = Template(Rows::AesKey);
const PIN_LENGTH: Argument = Length(0);

/// The functions.
#[rustfmt::skip]
pub const FUNCTIONS: [Function; 104] = [
    row("C_Initialize", "5.4.1", &[], &[Place]),
    row("C_Finalize", "5.4.2", &[], &[Reserved]),
    row("C_GetInfo", "5.4.3", &[], &[Place]),
    row("C_GetFunctionList", "5.4.4", &[], &[Place]),
    row("C_GetSlotList", "5.5.1", &[], &[Word(1), Output, OutputLength]),
    row("C_GetSlotInfo", "5.5.2", &[], &[Slot, Place]),
    row("C_GetTokenInfo", "5.5.3", &[], &[Slot, Place]),
    row("C_GetMechanismList", "5.5.5", &[], &[Slot, Output, OutputLength]),
    row("C_GetMechanismInfo", "5.5.6", &[], &[Slot, Word(CKM_AES_ECB as usize), Place]),
    row("C_InitToken", "5.5.7", &[], &[Slot, Pin, PIN_LENGTH, Place]).also(&[CKR_SESSION_EXISTS]),
    row("C_InitPIN", "5.5.8", &[], &[Session, Pin, PIN_LENGTH]).also(&[CKR_USER_NOT_LOGGED_IN]),
    row("C_SetPIN", "5.5.9", &[], &[Session, Pin, PIN_LENGTH, Pin, PIN_LENGTH]),
    row("C_OpenSession", "5.6.1", &[], &[Slot, Word((CKF_SERIAL_SESSION | CKF_RW_SESSION) as usize), Word(0), Word(0), Place]),
    row("C_CloseSession", "5.6.2", &[], &[Session]),
    row("C_CloseAllSessions", "5.6.3", &[], &[Slot]),
    row("C_GetSessionInfo", "5.6.4", &[], &[Session, Place]),
    row("C_GetOperationState", "5.6.6", &[Digest], &[Session, Output, OutputLength]).also(&[CKR_STATE_UNSAVEABLE]),
    row("C_SetOperationState", "5.6.7", &[], &[Session, IN, LEN, Word(0), Word(0)]).also(&[CKR_SAVED_STATE_INVALID]),
    row("C_Login", "5.6.8", &[], &[Session, Word(CKU_USER as usize), Pin, PIN_LENGTH]).also(LOGGED_IN),
    row("C_Logout", "5.6.10", &[], &[Session]),
    row("C_CreateObject", "5.7.1", &[], &[Session, Template(Rows::Data), Length(0), Place]),
    row("C_CopyObject", "5.7.2", &[], &[Session, Object, Template(Rows::Label), Length(0), Place]),
    row("C_DestroyObject", "5.7.3", &[], &[Session, Object]),
    row("C_GetObjectSize", "5.7.4", &[], &[Session, Object, Place]).also(&[CKR_INFORMATION_SENSITIVE]),
    row("C_GetAttributeValue", "5.7.5", &[], &[Session, Object, Template(Rows::Empty), Length(0)]),
    row("C_SetAttributeValue", "5.7.6", &[], &[Session, Object, Template(Rows::Label), Length(0)]),
    row("C_FindObjectsInit", "5.7.7", &[], &[Session, Template(Rows::Label), Length(0)]),
    row("C_FindObjects", "5.7.8", &[Purpose::Find], &[Session, Room, Length(4), Place]),
    row("C_FindObjectsFinal", "5.7.9", &[Purpose::Find], &[Session]),
    row("C_EncryptInit", "5.8.1", &[], &[Session, ECB, CIPHER]),
    row("C_Encrypt", "5.8.2", &[Encrypt], &[Session, IN, LEN, Output, OutputLength]),
    row("C_EncryptUpdate", "5.8.3", &[Encrypt], &[Session, IN, LEN, Output, OutputLength]),
    row("C_EncryptFinal", "5.8.4", &[Encrypt], &[Session, Output, OutputLength]),
    row("C_DecryptInit", "5.10.1", &[], &[Session, ECB, CIPHER]),
    row("C_Decrypt", "5.10.2", &[Decrypt], &[Session, IN, LEN, Output, OutputLength]),
    row("C_DecryptUpdate", "5.10.3", &[Decrypt], &[Session, IN, LEN, Output, OutputLength]),
    row("C_DecryptFinal", "5.10.4", &[Decrypt], &[Session, Output, OutputLength]),
    row("C_DigestInit", "5.12.1", &[], &[Session, InitMechanism(CKM_SHA256)]),
    row("C_Digest", "5.12.2", &[Digest], &[Session, IN, LEN, Output, OutputLength]),
    row("C_DigestUpdate", "5.12.3", &[Digest], &[Session, IN, LEN]),
    row("C_DigestKey", "5.12.4", &[Digest], &[Session, CIPHER]),
    row("C_DigestFinal", "5.12.5", &[Digest], &[Session, Output, OutputLength]),
    row("C_SignInit", "5.13.1", &[], &[Session, HMAC, MAC]),
    row("C_Sign", "5.13.2", &[Sign], &[Session, IN, LEN, Output, OutputLength]),
    row("C_SignUpdate", "5.13.3", &[Sign], &[Session, IN, LEN]),
    row("C_SignFinal", "5.13.4", &[Sign], &[Session, Output, OutputLength]),
    row("C_SignRecoverInit", "5.13.5", &[], &[Session, HMAC, MAC]).also(NO_MECHANISM),
    row("C_SignRecover", "5.13.6", &[], &[Session, IN, LEN, Output, OutputLength]).also(NOT_BEGUN),
    row("C_VerifyInit", "5.15.1", &[], &[Session, HMAC, MAC]),
    row("C_Verify", "5.15.2", &[Verify], &[Session, IN, LEN, Input(32), Length(32)]),
    row("C_VerifyUpdate", "5.15.3", &[Verify], &[Session, IN, LEN]),
    row("C_VerifyFinal", "5.15.4", &[Verify], &[Session, Input(32), Length(32)]),
    row("C_VerifyRecoverInit", "5.15.5", &[], &[Session, HMAC, MAC]).also(NO_MECHANISM),
    row("C_VerifyRecover", "5.15.6", &[], &[Session, IN, LEN, Output, OutputLength]).also(NOT_BEGUN),
    row("C_DigestEncryptUpdate", "5.17.1", &[], &[Session, IN, LEN, Output, OutputLength]).also(NOT_BEGUN),
    row("C_DecryptDigestUpdate", "5.17.2", &[], &[Session, IN, LEN, Output, OutputLength]).also(NOT_BEGUN),
    row("C_SignEncryptUpdate", "5.17.3", &[], &[Session, IN, LEN, Output, OutputLength]).also(NOT_BEGUN),
    row("C_DecryptVerifyUpdate", "5.17.4", &[], &[Session, IN, LEN, Output, OutputLength]).also(NOT_BEGUN),
    row("C_GenerateKey", "5.18.1", &[], &[Session, Mechanism(CKM_AES_KEY_GEN), NEW_KEY, Length(0), Place]),
    row("C_GenerateKeyPair", "5.18.2", &[], &[Session, Mechanism(CKM_AES_KEY_GEN), NEW_KEY, Length(0), NEW_KEY, Length(0), Place, Place]).also(NO_MECHANISM),
    row("C_WrapKey", "5.18.3", &[], &[Session, Mechanism(CKM_AES_KEY_WRAP), WRAPPING, WRAPPED, Output, OutputLength]),
    row("C_UnwrapKey", "5.18.4", &[], &[Session, Mechanism(CKM_AES_KEY_WRAP), UNWRAPPING, Input(24), Length(24), NEW_KEY, Length(0), Place]),
    row("C_DeriveKey", "5.18.5", &[], &[Session, Mechanism(CKM_AES_KEY_GEN), CIPHER, NEW_KEY, Length(0), Place]).also(NO_MECHANISM),
    row("C_SeedRandom", "5.20.1", &[], &[Session, IN, LEN]).also(&[CKR_RANDOM_SEED_NOT_SUPPORTED]),
    row("C_GenerateRandom", "5.20.2", &[], &[Session, Room, Length(64)]),
    row("C_GetFunctionStatus", "5.21.1", &[], &[Session]).also(&[CKR_FUNCTION_NOT_PARALLEL]),
    row("C_CancelFunction", "5.21.2", &[], &[Session]).also(&[CKR_FUNCTION_NOT_PARALLEL]),
    row("C_WaitForSlotEvent", "5.5.4", &[], &[Word(CKF_DONT_BLOCK as usize), Place, Reserved]).also(&[CKR_NO_EVENT]),
    row("C_GetInterfaceList", "5.4.5", &[], &[Output, OutputLength]),
    row("C_GetInterface", "5.4.6", &[], &[Word(0), Word(0), Place, Word(0)]),
    row("C_LoginUser", "5.6.9", &[], &[Session, Word(CKU_USER as usize), Pin, PIN_LENGTH, IN, LEN]).also(LOGGED_IN),
    row("C_SessionCancel", "5.6.5", &[], &[Session, Word(CKF_DIGEST as usize)]),
    row("C_MessageEncryptInit", "5.9.1", &[], &[Session, InitMechanism(CKM_AES_ECB), CIPHER]).also(NO_MECHANISM),
    row("C_EncryptMessage", "5.9.2", &[], &[Session, IN, LEN, IN, LEN, IN, LEN, Output, OutputLength]).also(NOT_BEGUN),
    row("C_EncryptMessageBegin", "5.9.3", &[], &[Session, IN, LEN, IN, LEN]).also(NOT_BEGUN),
    row("C_EncryptMessageNext", "5.9.4", &[], &[Session, IN, LEN, IN, LEN, Output, OutputLength, Word(0)]).also(NOT_BEGUN),
    row("C_MessageEncryptFinal", "5.9.5", &[], &[Session]).also(NOT_BEGUN),
    row("C_MessageDecryptInit", "5.11.1", &[], &[Session, InitMechanism(CKM_AES_ECB), CIPHER]).also(NO_MECHANISM),
    row("C_DecryptMessage", "5.11.2", &[], &[Session, IN, LEN, IN, LEN, IN, LEN, Output, OutputLength]).also(NOT_BEGUN),
    row("C_DecryptMessageBegin", "5.11.3", &[], &[Session, IN, LEN, IN, LEN]).also(NOT_BEGUN),
    row("C_DecryptMessageNext", "5.11.4", &[], &[Session, IN, LEN, IN, LEN, Output, OutputLength, Word(0)]).also(NOT_BEGUN),
    row("C_MessageDecryptFinal", "5.11.5", &[], &[Session]).also(NOT_BEGUN),
    row("C_MessageSignInit", "5.14.1", &[], &[Session, HMAC, MAC]).also(NO_MECHANISM),
    row("C_SignMessage", "5.14.2", &[], &[Session, IN, LEN, IN, LEN, Output, OutputLength]).also(NOT_BEGUN),
    row("C_SignMessageBegin", "5.14.3", &[], &[Session, IN, LEN]).also(NOT_BEGUN),
    row("C_SignMessageNext", "5.14.4", &[], &[Session, IN, LEN, IN, LEN, Output, Place]).also(NOT_BEGUN),
    row("C_MessageSignFinal", "5.14.5", &[], &[Session]).also(NOT_BEGUN),
    row("C_MessageVerifyInit", "5.16.1", &[], &[Session, HMAC, MAC]).also(NO_MECHANISM),
    row("C_VerifyMessage", "5.16.2", &[], &[Session, IN, LEN, IN, LEN, IN, LEN]).also(NOT_BEGUN),
    row("C_VerifyMessageBegin", "5.16.3", &[], &[Session, IN, LEN]).also(NOT_BEGUN),
    row("C_VerifyMessageNext", "5.16.4", &[], &[Session, IN, LEN, IN, LEN, IN, LEN]).also(NOT_BEGUN),
    row("C_MessageVerifyFinal", "5.16.5", &[], &[Session]).also(NOT_BEGUN),
    row("C_EncapsulateKey", "5.18", &[], &[Session, Mechanism(CKM_AES_KEY_GEN), CIPHER, NEW_KEY, Length(0), Output, OutputLength, Place]).also(NO_MECHANISM),
    row("C_DecapsulateKey", "5.18", &[], &[Session, Mechanism(CKM_AES_KEY_GEN), CIPHER, NEW_KEY, Length(0), IN, LEN, Place]).also(NO_MECHANISM),
    row("C_VerifySignatureInit", "5.15.7", &[], &[Session, HMAC, MAC, Input(32), Length(32)]),
    row("C_VerifySignature", "5.15", &[], &[Session, IN, LEN]).also(NOT_BEGUN),
    row("C_VerifySignatureUpdate", "5.15", &[], &[Session, IN, LEN]).also(NOT_BEGUN),
    row("C_VerifySignatureFinal", "5.15", &[], &[Session]).also(NOT_BEGUN),
    row("C_GetSessionValidationFlags", "5.6", &[], &[Session, Word(1), Place]),
    row("C_AsyncComplete", "5", &[], &[Session, Place, Place]).also(NOT_BEGUN),
    row("C_AsyncGetID", "5", &[], &[Session, Place, Place]).also(NOT_BEGUN),
    row("C_AsyncJoin", "5", &[], &[Session, Place, Word(1), IN, LEN]).also(NOT_BEGUN),
    row("C_WrapKeyAuthenticated", "5.18", &[], &[Session, Mechanism(CKM_AES_KEY_WRAP), WRAPPING, WRAPPED, IN, LEN, Output, OutputLength]).also(NO_MECHANISM),
    row("C_UnwrapKeyAuthenticated", "5.18", &[], &[Session, Mechanism(CKM_AES_KEY_WRAP), UNWRAPPING, Input(24), Length(24), NEW_KEY, Length(0), IN, LEN, Place]).also(NO_MECHANISM),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_stands_behind_what_it_is_of() {
        for function in &FUNCTIONS {
            for pair in function.arguments.windows(2) {
                let [first, next] = pair else { continue };
                let wants = match first {
                    Input(size) => Some(Length(*size)),
                    Output => None,
                    Pin | Template(_) => Some(Length(0)),
                    _ => continue,
                };
                match wants {
                    Some(wants) => assert!(*next == wants, "{}", function.name),
                    None => assert!([OutputLength, Place].contains(next), "{}", function.name),
                }
            }
        }
    }
}
