//! Which libraries of ours p11-kit loads. Two at once are safe for the store, but hardly what anybody wants: every token is
//! there twice, and after an upgrade one of them is old.

use std::env::var_os;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Patient, Report};

pub fn check(_: &Patient, report: &mut Report) {
    let registered = registered();
    let mut seen: Vec<Library> = Vec::new();
    for (module, library) in registered {
        let at = format!("{} (by {})", library.display(), module.display());
        let Ok(about) = fs::metadata(&library) else {
            let finding = format!("{at} is registered and cannot be read");
            report.warning("library", finding, "`make install`, or remove the module file");
            continue;
        };
        let identity = (about.dev(), about.ino());
        if seen.iter().any(|known| known.identity == identity) {
            let next = "one module file is enough: remove this one";
            report.warning("library", format!("{at} is registered twice"), next);
            continue;
        }
        seen.push(Library { at, path: library, identity });
    }
    match &seen[..] {
        [] => report.note(
            "library",
            "p11-kit knows no library of ours",
            "`make install` registers it, where that is wanted",
        ),
        [one] => report.ok("library", format!("p11-kit loads {}", one.at)),
        [first, others @ ..] => {
            for other in others {
                let same = fs::read(&first.path).ok() == fs::read(&other.path).ok();
                let what = if same { "two copies of the same" } else { "two different ones, perhaps of two versions" };
                let finding = format!("p11-kit loads {} and {}: {what}", first.at, other.at);
                report.warning("library", finding, "each token shows up twice: remove one library and its module file");
            }
        }
    }
}

struct Library {
    at: String,
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

/// Where p11-kit looks for module files, and where for libraries that they name without a path: `pkcs11.conf(5)`.
const SYSTEM: [&str; 4] = [
    "/etc/pkcs11/modules",
    "/usr/share/p11-kit/modules",
    "/usr/local/share/p11-kit/modules",
    "/usr/lib/pkcs11/modules",
];
const LIBRARIES: [&str; 5] = [
    "/usr/lib/x86_64-linux-gnu/pkcs11",
    "/usr/lib/aarch64-linux-gnu/pkcs11",
    "/usr/lib64/pkcs11",
    "/usr/lib/pkcs11",
    "/usr/local/lib/pkcs11",
];

/// Module files that name a library of ours, and that library.
fn registered() -> Vec<(PathBuf, PathBuf)> {
    let users = var_os("XDG_CONFIG_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    let users = users.or_else(|| Some(PathBuf::from(var_os("HOME")?).join(".config")));
    let folders = users.map(|folder| folder.join("pkcs11/modules")).into_iter().chain(SYSTEM.map(PathBuf::from));
    let mut found = Vec::new();
    for folder in folders {
        let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|end| end == "module")).collect();
        files.sort();
        for file in files {
            let text = fs::read_to_string(&file).unwrap_or_default();
            found.extend(
                named(&text).filter(|library| is_ours(library)).map(|library| (file.clone(), located(library))),
            );
        }
    }
    found
}

/// The libraries that a module file names.
fn named(text: &str) -> impl Iterator<Item = &Path> {
    let lines = text.lines().filter_map(|line| line.trim().split_once(':'));
    lines.filter(|(key, _)| key.trim() == "module").map(|(_, value)| Path::new(value.trim()))
}

fn is_ours(library: &Path) -> bool {
    library.file_name().is_some_and(|name| name.to_string_lossy().contains("keystead"))
}

fn located(library: &Path) -> PathBuf {
    let places = LIBRARIES.iter().map(|folder| Path::new(folder).join(library));
    places.into_iter().find(|path| path.exists()).unwrap_or_else(|| library.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_file_names_its_library() {
        let text = "# a comment: module: /no.so\nmodule: /usr/lib/pkcs11/libkeystead.so\n  module :x\ncritical: no\n";
        let names: Vec<&Path> = named(text).collect();
        assert_eq!(names, [Path::new("/usr/lib/pkcs11/libkeystead.so"), Path::new("x")]);
        assert_eq!(names.into_iter().map(is_ours).collect::<Vec<_>>(), [true, false]);
    }
}
