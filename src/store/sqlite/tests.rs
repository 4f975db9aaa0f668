//! What the engine promises beyond the suite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::SqliteFolder;
use crate::store::suite;

/// A folder that does not exist yet, in a place that is removed at the end.
struct Place {
    folder: SqliteFolder,
    _directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { folder: SqliteFolder::new(directory.path().join("above/tokens")), _directory: directory }
    }
}

mod engine {
    use super::*;
    suite::every_engine!(Place::new().folder);
}
