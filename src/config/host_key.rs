//! Reading the host key.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{HostKey, Surroundings};
use crate::secret::Secret;
use crate::system::{FileAccess, open_file};

/// Reads the key from a file by its absolute path, or from a credential that systemd gives to the service: `credential:NAME`, see
/// systemd.exec(5), "Credentials".
pub(super) fn read(place: &str, around: &Surroundings) -> HostKey {
    let refuse = |why: &str| Err(format!("the host key {place}: {why}").into());
    let credential = place.strip_prefix("credential:");
    let path = match credential {
        Some(name) if name.is_empty() || name.contains('/') || name.starts_with('.') => {
            return refuse("no credential has such a name");
        }
        Some(name) => match around.variable("CREDENTIALS_DIRECTORY") {
            Some(folder) => PathBuf::from(folder).join(name),
            None => return refuse("systemd has given no credentials"),
        },
        None => PathBuf::from(place),
    };
    if !path.is_absolute() {
        return refuse("the path is not absolute");
    }
    // systemd lets the service's user in by an access list, whose mask stands where the group's rights do.
    let allowed = if credential.is_some() { 0o740 } else { 0o700 };
    from_file(&path, around.user, allowed).or_else(|why| refuse(&why))
}

fn from_file(path: &Path, user: u32, allowed: u32) -> Result<Secret, String> {
    // Secrets are often links: into a folder of the moment that they were last exchanged, say.
    let mut file = open_file(path, FileAccess::ReadThroughLink).map_err(|error| error.to_string())?;
    let about = file.metadata().map_err(|error| error.to_string())?;
    if ![user, 0].contains(&about.uid()) {
        return Err(format!("it belongs to uid {}", about.uid()));
    }
    if about.mode() & 0o777 & !allowed != 0 {
        return Err(format!("others than its owner may use it (mode {:04o})", about.mode() & 0o7777));
    }
    match usize::try_from(about.len()) {
        Ok(length) if (LEAST..=MOST).contains(&length) => {
            let mut key = Secret::zeroed(length);
            file.read_exact(key.expose_mut()).map_err(|error| error.to_string())?;
            Ok(key)
        }
        _ => Err(format!("it has {} bytes, and must have {LEAST} to {MOST}", about.len())),
    }
}

/// In bytes. As strong as the master key, if they are random.
const LEAST: usize = 32;
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::system;

    fn around(variables: fn(&str) -> Option<std::ffi::OsString>) -> Surroundings {
        Surroundings { variables, folder: None, user: system::effective_user() }
    }

    fn write(path: &Path, bytes: &[u8], mode: u32) {
        fs::write(path, bytes).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_is_read_from_its_owners_file_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let read = || read(path.to_str().unwrap(), &around(|_| None));
        let refused = |why: &str| matches!(read(), Err(reason) if reason.contains(why) && reason.contains("key"));
        assert!(refused("No such file"));
        for mode in [0o600, 0o400] {
            write(&path, &[7; 32], mode);
            assert!(read().unwrap() == Secret::from_slice(&[7; 32]));
            fs::remove_file(&path).unwrap();
        }
        for mode in [0o640, 0o604, 0o620, 0o601] {
            write(&path, &[7; 32], mode);
            assert!(refused("others than its owner"), "{mode:o}");
        }
        for length in [0, 31, 4097] {
            write(&path, &vec![7; length], 0o600);
            assert!(refused("must have 32 to 4096"), "{length}");
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(refused("not a file"));
        fs::remove_dir(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().unwrap().success());
        assert!(refused("not a file"), "and nobody waits for its other end");
    }

    #[test]
    fn a_credential_may_be_read_by_its_group_and_nobody_else() {
        static FOLDER: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
        let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path();
        let directory = |name: &str| {
            (name == "CREDENTIALS_DIRECTORY").then(|| FOLDER.get().map(|folder| folder.path().into())).flatten()
        };
        let place = folder.join("key");
        for (mode, good) in [
            (0o400, true),
            (0o440, true),
            (0o640, true),
            (0o460, false),
            (0o450, false),
            (0o404, false),
            (0o444, false),
        ] {
            write(&place, &[7; 32], mode);
            let read = read("credential:key", &around(directory));
            assert_eq!(read.is_ok(), good, "{mode:o}");
            fs::remove_file(&place).unwrap();
        }
        let _ = fs::remove_dir(folder);
    }

    #[test]
    fn a_place_that_makes_no_sense_is_refused() {
        for (place, why) in [
            ("relative/key", "not absolute"),
            ("", "not absolute"),
            ("credential:", "no credential has such a name"),
            ("credential:../key", "no credential has such a name"),
            ("credential:..", "no credential has such a name"),
            ("credential:key", "systemd has given no credentials"),
        ] {
            assert!(matches!(read(place, &around(|_| None)), Err(reason) if reason.contains(why)), "{place}");
        }
        let elsewhere = around(|name| (name == "CREDENTIALS_DIRECTORY").then(|| "/nowhere".into()));
        assert!(matches!(read("credential:key", &elsewhere), Err(reason) if reason.contains("No such file")));
    }
}
