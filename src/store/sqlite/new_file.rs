//! How files and folders come to be: with a mode that no umask cuts, and as whose they have to be.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
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
    fn of_folder(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Group => 0o2770,
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
        Some((user, group)) => std::os::unix::fs::fchown(&file, Some(user), Some(group)),
        None => Ok(()),
    };
    given.and_then(|()| file.set_permissions(Permissions::from_mode(rights.mode))).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

/// Creates a folder. False: it was there.
pub(super) fn create_folder(path: &Path, access: Access) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => return Ok(false),
        created => created?,
    }
    if let Some((user, group)) = path.parent().map(fs::metadata).transpose()?.as_ref().and_then(somebody_else) {
        chown(path, Some(user), Some(group))?;
    }
    fs::set_permissions(path, Permissions::from_mode(access.of_folder()))?;
    Ok(true)
}
