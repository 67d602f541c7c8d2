//! The readiness inventory.
