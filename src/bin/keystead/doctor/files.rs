//! The folder of tokens: where it lies, who may do what in it, what should not be there, who holds its locks.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use keystead::store::sqlite::{Entry, Survey, What};
use keystead::system;

use super::{Patient, Report};

pub fn check(patient: &Patient, report: &mut Report) {
    let Some(folder) = patient.folder() else { return };
    let place = folder.display();
    if let Err(reason) = &patient.store {
        report.error("folder", reason.to_string(), "docs/store.md says what a folder of tokens needs");
    }
    let Some(survey) = &patient.survey else {
        if !folder.exists() && patient.store.is_ok() {
            report.note("folder", format!("{place} does not exist yet"), "the first token makes it");
        }
        return;
    };
    report.ok("folder", format!("{place} has {} tokens", tokens(survey).count()));
    folder_rights(folder, survey, report);
    for entry in &survey.entries {
        file(entry, survey, report);
    }
    medium(folder, survey, report);
}

/// Locks that somebody holds now. Both are short, so to find one twice means something.
pub fn check_locks(patient: &Patient, report: &mut Report) {
    let Some(survey) = &patient.survey else { return };
    let mut free = true;
    for (slot, process) in survey.turns() {
        free = false;
        let who = match process {
            Some(process) => format!("process {process}{}", described(process)),
            None => "a process that is not known".into(),
        };
        let next = "that is usual for some milliseconds; if it is still so, look whether that process is stopped";
        report.note("locks", format!("{who} commits to the token of slot {slot}, or waits to"), next);
    }
    if survey.is_locked() {
        free = false;
        let next =
            "that is usual for some milliseconds; if it is still so, look for a stopped `keystead` or PKCS#11 program";
        report.note("locks", "a process makes or removes a token", next);
    }
    if free {
        report.ok("locks", "nobody holds one");
    }
}

fn tokens(survey: &Survey) -> impl Iterator<Item = &Entry> {
    survey.entries.iter().filter(|entry| matches!(entry.what, What::Token(_)))
}

fn folder_rights(folder: &Path, survey: &Survey, report: &mut Report) {
    let place = folder.display();
    let mode = survey.about.mode() & 0o7777;
    let chmod = format!("chmod 0700 {place}, or 2770 for a group");
    if mode & 0o002 != 0 {
        report.error("folder", format!("{place} has mode {mode:04o}: everybody can remove tokens"), chmod);
    } else if mode & 0o005 != 0 {
        report.warning("folder", format!("{place} has mode {mode:04o}: everybody sees which tokens there are"), chmod);
    } else if mode & 0o070 != 0 && mode & 0o2000 == 0 {
        let finding = format!("{place} has mode {mode:04o}: new files get the group of whoever makes them");
        report.warning("folder", finding, format!("chmod g+s {place} for a group, else chmod 0700"));
    }
    if mode & 0o222 == 0 {
        report.note(
            "folder",
            format!("{place} has mode {mode:04o}: tokens are read-only"),
            "chmod u+w where that is not meant",
        );
    }
    let user = system::effective_user();
    if survey.about.uid() != user {
        let finding = format!("{place} belongs to uid {}, and this is uid {user}", survey.about.uid());
        report.note("folder", finding, "run this as the user whose programs use the tokens");
    }
    for above in folder.ancestors().skip(1) {
        let Ok(about) = std::fs::metadata(above) else { continue };
        // Others may make files there, but a sticky folder lets them rename only their own.
        if about.mode() & 0o002 != 0 && about.mode() & 0o1000 == 0 {
            let above = above.display();
            let finding =
                format!("{above} can be written by everybody: another folder can be put in the place of {place}");
            report.error("folder", finding, format!("chmod o-w {above}"));
        }
    }
}

fn file(entry: &Entry, survey: &Survey, report: &mut Report) {
    let path = entry.path.display();
    match entry.what {
        What::Remains => {
            let finding = format!("{path} is what a killed process has left");
            report.warning(
                "files",
                finding,
                "the next token that is made or destroyed removes what it knows; the rest can be removed",
            );
            return;
        }
        What::Foreign => {
            report.note(
                "files",
                format!("{path} is no file of the store"),
                "it is left alone; a backup belongs elsewhere",
            );
            return;
        }
        What::Token(_) | What::Beside(_) | What::FolderLock if !entry.about.is_file() => {
            report.error("files", format!("{path} is not a file"), "remove it, or put the file back");
            return;
        }
        What::Token(_) | What::Beside(_) | What::FolderLock => (),
    }
    let mode = entry.about.mode() & 0o7777;
    if mode & 0o007 != 0 {
        let harm = if mode & 0o002 != 0 { "change it" } else { "read it and guess its PINs" };
        report.error("files", format!("{path} has mode {mode:04o}: everybody can {harm}"), format!("chmod o= {path}"));
    } else if mode & 0o070 != 0 && survey.about.mode() & 0o070 == 0 {
        let finding = format!("{path} has mode {mode:04o}, and the folder keeps the group out");
        report.warning("files", finding, format!("chmod g= {path}, or open the folder to the group"));
    }
    let owner = entry.about.uid();
    if owner != survey.about.uid() {
        let finding = format!("{path} belongs to uid {owner}, its folder to uid {}", survey.about.uid());
        report.warning(
            "files",
            finding,
            format!("chown {} {path}, if its programs run as that user", survey.about.uid()),
        );
    }
    if let What::Beside(slot) = entry.what
        && let Some(token) = survey.entries.iter().find(|token| token.what == What::Token(slot))
        && (token.about.uid(), token.about.mode() & 0o777) != (owner, mode & 0o777)
    {
        let (owner, mode) = (token.about.uid(), token.about.mode() & 0o777);
        let finding = format!("{path} has not the owner and mode of its token: uid {owner}, {mode:04o}");
        report.warning("files", finding, "who may use the token may be kept from this file, or the other way round");
    }
}

fn medium(folder: &Path, survey: &Survey, report: &mut Report) {
    let place = folder.display();
    match survey.file_system() {
        Some(TMPFS) => {
            report.warning(
                "disk",
                format!("{place} lies in memory (tmpfs)"),
                "the tokens are gone when the machine stops",
            );
        }
        Some(OVERLAY) => {
            report.note(
                "disk",
                format!("{place} lies on overlayfs"),
                "in a container, tokens go with it: mount a volume",
            );
        }
        _ => (),
    }
    let Ok(free) = system::free_space(folder) else { return };
    let mebibytes = free / (1 << 20);
    match free {
        0..ROOM => {
            let finding = format!("{mebibytes} MiB are left where {place} lies");
            report.warning("disk", finding, "on a full disk nothing is made or destroyed; make room");
        }
        _ => report.ok("disk", format!("{mebibytes} MiB are left")),
    }
}

/// `magic.h` of the kernel.
const TMPFS: u64 = 0x0102_1994;
const OVERLAY: u64 = 0x794c_7630;

/// Bytes that a log of changes may need before it is folded back, and some tokens.
const ROOM: u64 = 64 << 20;

/// What a process is, where the system says it.
fn described(process: u32) -> String {
    match std::fs::read_to_string(format!("/proc/{process}/comm")) {
        Ok(name) => format!(" ({})", name.trim_end()),
        Err(_) => String::new(),
    }
}
