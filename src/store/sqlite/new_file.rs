//! How files and folders come to be: with a mode that no umask cuts, and as whose they have to be.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use super::system;

/// Who may use what is made: the owner alone, or his group too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Access {
    #[default]
    Owner,
    Group,
}

impl Access {
    /// The mode of a file of this folder.
    fn of_file(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group => 0o660,
        }
    }

    /// The mode of the folder. What is made in a group's folder belongs to that group, whoever makes it.
    pub(super) fn of_folder(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Group => 0o2770,
        }
    }

    /// The mode of a folder on the way to that: the group passes, and makes nothing.
    pub(super) fn of_way(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Group => 0o2750,
        }
    }
}

/// The mode of a new file, and whose it will be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rights {
    mode: u32,
    /// User and group, where these are not those of the process: of what root makes for somebody else.
    owner: Option<(u32, u32)>,
}

impl Rights {
    /// Of a file in this folder. What root makes belongs to whom the folder belongs to: the one who works with it.
    pub(super) fn within(folder: &Path, access: Access) -> io::Result<Self> {
        let about = fs::metadata(folder)?;
        Ok(Self { mode: access.of_file(), owner: somebody_else(&about) })
    }

    /// Of a file that goes with another one: as those of that.
    pub(super) fn like(file: &Path) -> io::Result<Self> {
        let about = fs::metadata(file)?;
        Ok(Self { mode: about.mode() & 0o777, owner: somebody_else(&about) })
    }
}

/// Root's own files stay root's, and nobody but root can give files away.
fn somebody_else(about: &fs::Metadata) -> Option<(u32, u32)> {
    (system::user() == 0 && about.uid() != 0).then_some((about.uid(), about.gid()))
}

/// Creates an empty file that was not there.
pub(super) fn create(path: &Path, rights: Rights) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(rights.mode & 0o600).open(path)?;
    let given = match rights.owner {
        Some((user, group)) => fchown(&file, Some(user), Some(group)),
        None => Ok(()),
    };
    given.and_then(|()| file.set_permissions(Permissions::from_mode(rights.mode))).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

/// Creates a folder of that mode. False: it was there.
pub(super) fn create_folder(path: &Path, mode: u32) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => return Ok(false),
        created => created?,
    }
    let parent = path.parent().map(fs::metadata).transpose()?;
    give(path, parent.as_ref().and_then(somebody_else), mode)?;
    Ok(true)
}

/// Whoever may write above the folder can put something else in its place at any moment: what root gives away is the folder that is open.
fn give(folder: &Path, owner: Option<(u32, u32)>, mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let folder = options.read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(folder)?;
    if folder.metadata()?.uid() != system::user() {
        return Err(io::Error::other("somebody has put another folder in its place"));
    }
    if let Some((user, group)) = owner {
        fchown(&folder, Some(user), Some(group))?;
    }
    folder.set_permissions(Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs::File;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_put_in_the_place_of_a_new_folder_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let (other, link, file) = (place.path().join("other"), place.path().join("link"), place.path().join("file"));
        fs::create_dir(&other).unwrap();
        let before = fs::metadata(&other).unwrap().mode();
        symlink(&other, &link).unwrap();
        fs::write(&file, b"").unwrap();
        assert!(give(&link, None, 0o2770).is_err() && give(&file, None, 0o2770).is_err());
        assert_eq!(fs::metadata(&other).unwrap().mode(), before);
        give(&other, None, 0o2770).unwrap();
        assert_eq!(fs::metadata(&other).unwrap().mode() & 0o7777, 0o2770);
        if system::user() == 0 {
            fchown(File::open(&other).unwrap(), Some(65_534), None).unwrap();
            assert!(give(&other, Some((1, 1)), 0o700).is_err(), "it is somebody else's");
        }
    }
}
