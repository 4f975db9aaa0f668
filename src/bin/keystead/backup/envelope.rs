//! What hides and authenticates a backup: the age format, <https://age-encryption.org/v1>, as the crate `age` writes it.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use age::secrecy::SecretString;
use age::stream::StreamWriter;
use age::{DecryptError, Decryptor, Encryptor, Identity, IdentityFile, Recipient, scrypt, x25519};
use keystead::secret::Secret;
use keystead::store::backup::{Reader, unreadable, unwritable};

use super::passphrase::KeySource;
use crate::failure::{Failure, Result};
use crate::file;

/// Who can open a backup.
pub struct Lock(Vec<Box<dyn Recipient>>);

impl Lock {
    /// Who knows the passphrase.
    pub fn passphrase(passphrase: &Secret) -> Result<Self> {
        let mut recipient = scrypt::Recipient::new(text(passphrase)?);
        recipient.set_work_factor(WORK);
        Ok(Self(vec![Box::new(recipient)]))
    }

    /// Who has the key to one of these.
    pub fn recipients(names: &[String]) -> Result<Self> {
        let recipient = |name: &String| match name.parse::<x25519::Recipient>() {
            Ok(recipient) => Ok(Box::new(recipient) as Box<dyn Recipient>),
            Err(_) => {
                let failure = Failure::new(format!("{name:?} is no recipient"));
                Err(failure.with_next("one begins with age1; `age-keygen -y FILE` prints it"))
            }
        };
        names.iter().map(recipient).collect::<Result<_>>().map(Self)
    }

    /// Begins to encrypt to `output`.
    pub fn close<W: Write>(&self, output: W) -> Result<StreamWriter<W>> {
        let encryptor = Encryptor::with_recipients(self.0.iter().map(|recipient| &**recipient));
        let encryptor = encryptor.map_err(|error| Failure::of("the backup cannot be encrypted", error))?;
        Ok(encryptor.wrap_output(output).map_err(|error| unwritable(&error))?)
    }
}

/// Opens the backup in a file, with the passphrase or the keys that it needs.
pub fn open(path: &Path, keys: &KeySource) -> Result<Reader<impl Read>> {
    if path.as_os_str() == "-" && keys.passphrase.is_standard_input() {
        crate::misused("standard input cannot be both the backup and the passphrase");
    }
    let decryptor = Decryptor::new_buffered(file::input(path)?).map_err(refused)?;
    let identities: Vec<Box<dyn Identity>> = match (decryptor.is_scrypt(), keys.identity.is_empty()) {
        (true, true) => {
            let mut identity = scrypt::Identity::new(text(&keys.passphrase.existing()?)?);
            identity.set_max_work_factor(MOST_WORK);
            vec![Box::new(identity)]
        }
        (true, false) => return Err(Failure::new("the backup needs a passphrase, and no identity")),
        (false, true) => {
            let failure = Failure::new("the backup is encrypted to the holder of a key");
            return Err(failure.with_next("name the file with the key with --identity FILE"));
        }
        (false, false) => {
            let files = keys.identity.iter().map(|path| identities(path)).collect::<Result<Vec<_>>>()?;
            files.into_iter().flatten().collect()
        }
    };
    let stream = decryptor.decrypt(identities.iter().map(|identity| &**identity)).map_err(refused)?;
    Ok(Reader::begin(stream)?)
}

/// The cost of guessing at a passphrase: scrypt with N = 2^18, r = 8, p = 1, a second and 256 MiB. The same everywhere, not as the
/// machine is fast: a backup is made to be opened on another.
const WORK: u8 = 18;

/// No more is done for a backup that others may have made: 4 GiB.
const MOST_WORK: u8 = 22;

fn identities(path: &Path) -> Result<Vec<Box<dyn Identity>>> {
    let failed = |error: &dyn std::fmt::Display| Failure::of(path.display(), error);
    let file = File::open(path).map_err(|error| failed(&error))?;
    let parsed = IdentityFile::from_buffer(BufReader::new(file)).map_err(|error| failed(&error))?;
    parsed.into_identities().map_err(|error| failed(&error))
}

fn refused(error: DecryptError) -> Failure {
    let damaged = |why| Failure::of("the backup is damaged", why);
    match error {
        DecryptError::Io(error) => Failure::new(unreadable(&error).to_string()),
        DecryptError::NoMatchingKeys => Failure::new("the backup is encrypted to others than the given identities"),
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            Failure::new("the passphrase or identity is wrong, or the backup is damaged")
        }
        DecryptError::ExcessiveWork { .. } => damaged("nobody would make the passphrase so expensive"),
        DecryptError::UnknownFormat | DecryptError::InvalidHeader => damaged("it does not begin as an age file does"),
        _ => damaged("it is not as it was written"),
    }
}

/// A copy that is wiped as well.
fn text(passphrase: &Secret) -> Result<SecretString> {
    let text = str::from_utf8(passphrase.expose());
    text.map(|text| SecretString::from(text.to_owned())).map_err(|_| Failure::new("the passphrase is not UTF-8"))
}
