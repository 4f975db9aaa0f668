//! TODO
pub fn checks() -> Vec<super::suite::Check> { Vec::new() }
