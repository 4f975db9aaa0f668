//! What the system lets a process have.

use keystead::system::Limit;

use super::{Patient, Report};

pub fn check(_: &Patient, report: &mut Report) {
    descriptors(report);
    memory(report);
}

fn descriptors(report: &mut Report) {
    let Ok(limit) = Limit::Descriptors.of_process() else { return };
    match limit {
        Some(limit) if limit < FEW => {
            let finding = format!("a process may have {limit} descriptors (RLIMIT_NOFILE)");
            report.warning(
                "limits",
                finding,
                "each token in use takes 4 to 12; raise it with `ulimit -n` or LimitNOFILE=",
            );
        }
        Some(limit) => report.ok("limits", format!("a process may have {limit} descriptors")),
        None => report.ok("limits", "a process may have any number of descriptors"),
    }
}

/// Fewer do for this library, but a host has its own.
const FEW: u64 = 256;

/// No page is locked yet, so the limit says only what could be; what counts is whether there is swap space.
fn memory(report: &mut Report) {
    let limit = match Limit::LockedMemory.of_process() {
        Ok(Some(limit)) => format!("{} KiB", limit / 1024),
        Ok(None) => "no limit".into(),
        Err(_) => "unknown".into(),
    };
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    // The first line is a heading.
    let areas = swaps.lines().skip(1).filter(|line| !line.starts_with("/dev/zram")).count();
    if areas == 0 {
        return report.ok(
            "limits",
            format!("there is no swap space on a disk for keys in memory to get to (RLIMIT_MEMLOCK: {limit})"),
        );
    }
    let finding = format!(
        "there is swap space, and this version does not keep keys in locked memory (RLIMIT_MEMLOCK: {limit}): \
         keys in use can get to the disk"
    );
    report.note("limits", finding, "encrypt the swap space, or do without");
}
