//! The machine, as far as it matters for figures. Nothing that tells whose it is.

use std::fs;

use serde_json::{Value, json};

/// What figures depend on.
pub struct Machine {
    processor: String,
    processors: usize,
    kernel: String,
}

impl Machine {
    /// The one that this runs on.
    pub fn this() -> Self {
        let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = known.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: model.map_or(std::env::consts::ARCH, |(_, name)| name).trim().to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: release.trim().to_owned(),
        }
    }

    /// A line for people.
    pub fn line(&self) -> String {
        format!("{}, {} processors, Linux {}", self.processor, self.processors, self.kernel)
    }

    /// For a program.
    pub fn json(&self) -> Value {
        json!({ "cpu": self.processor, "cores": self.processors, "kernel": self.kernel })
    }
}
