//! The command-line program; everything is in [`pystamps_core::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(pystamps_core::cli::run(std::env::args_os()))
}
