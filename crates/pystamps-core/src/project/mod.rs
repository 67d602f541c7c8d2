//! A processing folder on disk: its names, parameters, ledger and atomic publication.

pub mod artifacts;
pub mod checksums;
pub mod commit;
pub mod dataset;
pub mod layout;
pub mod ledger;
pub mod lock;
pub mod parameters;
pub mod stack;
