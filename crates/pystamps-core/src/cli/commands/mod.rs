//! One file a command.

pub(super) mod adopt;
pub(super) mod inspect;
pub(super) mod params;
pub(super) mod plan;
pub(super) mod prep;
pub(super) mod product;
pub(super) mod readiness;
pub(super) mod stage;
pub(super) mod status;
pub(super) mod verify_unwrap;
