//! The command-line program; everything is in [`pystamps_core::cli`].

fn main() {}
