//! Ends the program together with the one that started it (`--stop-with-stdin`).

use std::io::{ErrorKind, Read};

/// Exit code of a program that was told to stop: 128 + SIGTERM, as shells report it.
const STOPPED: i32 = 143;

/// Starts a thread that ends the process as soon as standard input ends.
///
/// The end comes like a kill: nothing is tidied up, a publication is either not begun or is completed by
/// whoever opens the folder next, and locks vanish with the process.
pub(super) fn stop_with_stdin() {
    std::thread::spawn(|| {
        wait_for_the_end(std::io::stdin().lock());
        #[expect(clippy::exit, reason = "whoever waited for the results is gone")]
        std::process::exit(STOPPED);
    });
}

/// Reads until there is nothing more to come; what is read does not matter.
fn wait_for_the_end(mut input: impl Read) {
    let mut buffer = [0; 512];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // An input that cannot be read will not say when it ends.
            Err(_) => return,
        }
    }
}
