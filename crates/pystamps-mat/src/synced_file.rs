//! Brings a file to the disk while it is written, so that who publishes it need not wait for all of it.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle};

/// Bytes written between two synchronisations: smaller files have none before their end.
const SYNC_BYTES: usize = 8 << 20;

/// A file whose data are synchronised by a second thread, again and again.
pub(crate) struct SyncedFile {
    file: File,
    unsynced_bytes: usize,
    helper: Option<Helper>,
}

/// The thread that synchronises whenever it is told to, and what came of it.
struct Helper {
    orders: Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl SyncedFile {
    pub(crate) const fn new(file: File) -> Self {
        Self { file, unsynced_bytes: 0, helper: None }
    }

    /// Has the helper synchronise what is written. Where there can be none, all is left.
    fn order_sync(&mut self) {
        self.unsynced_bytes = 0;
        if self.helper.is_none() {
            self.helper = self.file.try_clone().and_then(Helper::start).ok();
        }
        if let Some(helper) = &self.helper {
            // A helper that has failed listens no more and is heard at the end.
            let _ = helper.orders.send(());
        }
    }

    /// Waits for what is under way and says what failed: the system tells of it only once. The rest
    /// is left to who publishes the file.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.helper.map_or(Ok(()), Helper::finish)
    }
}

impl Helper {
    fn start(file: File) -> io::Result<Self> {
        let (orders, ordered) = channel();
        let synchronise = move || ordered.iter().try_for_each(|()| file.sync_data());
        let thread = Builder::new().name("sync".to_owned()).spawn(synchronise)?;
        Ok(Self { orders, thread })
    }

    fn finish(self) -> io::Result<()> {
        let Self { orders, thread } = self;
        drop(orders);
        thread.join().unwrap_or_else(|_| Err(io::Error::other("synchronising panicked")))
    }
}

impl Write for SyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced_bytes += written;
        if self.unsynced_bytes >= SYNC_BYTES {
            self.order_sync();
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for SyncedFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_synchronised_on_the_way_is_all_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let mut file = SyncedFile::new(fs_err::File::create(&path).unwrap().into_parts().0);
        let block = vec![7_u8; SYNC_BYTES / 4];
        for number in 0..9_u8 {
            file.write_all(&[number]).unwrap();
            file.write_all(&block).unwrap();
            assert_eq!(file.helper.is_some(), number >= 3);
        }
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(&[9]).unwrap();
        file.finish().unwrap();
        let read = fs_err::read(&path).unwrap();
        assert_eq!(read.len(), 9 * (block.len() + 1));
        assert!(read.chunks(block.len() + 1).skip(1).zip(1..).all(|(part, n)| part[0] == n));
        assert_eq!(read[0], 9);
    }

    #[test]
    fn what_fails_on_the_way_is_said_at_the_end() {
        let mut file = SyncedFile::new(fs_err::File::create("/dev/null").unwrap().into_parts().0);
        // A device cannot be synchronised.
        file.order_sync();
        assert!(file.finish().is_err());
    }
}
