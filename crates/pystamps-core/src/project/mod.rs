//! A processing folder on disk: its names, parameters, ledger and atomic publication.

pub mod layout;
