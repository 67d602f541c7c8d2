//! Reads bytes of a level-5 file, plain or inflated, through one interface.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// A forward stream of bytes with a known position.
pub(super) trait ByteStream {
    /// Bytes from the start of the stream.
    fn position(&self) -> u64;

    /// Fills `out` or fails.
    fn read_exact(&mut self, out: &mut [u8]) -> io::Result<()>;

    /// Moves `count` bytes forward.
    fn skip(&mut self, count: u64) -> io::Result<()>;

    /// Moves to `position` if the stream can also go back; `false` if it cannot.
    fn seek_to(&mut self, position: u64) -> io::Result<bool>;

    /// Whether the bytes lie in the file as they are, so that their count bounds their memory.
    fn is_plain(&self) -> bool;
}

/// The bytes of the file itself.
pub(super) struct PlainStream<R> {
    reader: BufReader<R>,
    position: u64,
}

impl<R: Read + Seek> PlainStream<R> {
    /// Starts at the beginning of `reader`; also gives its length.
    pub(super) fn new(reader: R) -> io::Result<(Self, u64)> {
        let mut reader = BufReader::with_capacity(1 << 16, reader);
        let length = reader.seek(SeekFrom::End(0))?;
        reader.rewind()?;
        Ok((Self { reader, position: 0 }, length))
    }

    /// The next bytes as a zlib stream; afterwards seek to where it ends.
    pub(super) fn inflate(&mut self, compressed_bytes: u64) -> InflatedStream<&mut BufReader<R>> {
        let decoder = flate2::bufread::ZlibDecoder::new((&mut self.reader).take(compressed_bytes));
        InflatedStream { decoder, position: 0 }
    }

    /// Moves to `position`, wherever it is.
    pub(super) fn move_to(&mut self, position: u64) -> io::Result<()> {
        let offset = i64::try_from(i128::from(position) - i128::from(self.position));
        match offset {
            Ok(offset) => self.reader.seek_relative(offset)?,
            Err(_) => _ = self.reader.seek(SeekFrom::Start(position))?,
        }
        self.position = position;
        Ok(())
    }

    /// Moves to `position` after an inflated stream has taken an unknown number of bytes.
    pub(super) fn resume_at(&mut self, position: u64) -> io::Result<()> {
        self.position = self.reader.stream_position()?;
        self.move_to(position)
    }
}

impl<R: Read + Seek> ByteStream for PlainStream<R> {
    fn position(&self) -> u64 {
        self.position
    }

    fn read_exact(&mut self, out: &mut [u8]) -> io::Result<()> {
        self.reader.read_exact(out)?;
        self.position += out.len() as u64;
        Ok(())
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        self.move_to(self.position.saturating_add(count))
    }

    fn seek_to(&mut self, position: u64) -> io::Result<bool> {
        self.move_to(position)?;
        Ok(true)
    }

    fn is_plain(&self) -> bool {
        true
    }
}

/// The bytes of one compressed element after inflation.
pub(super) struct InflatedStream<R> {
    decoder: flate2::bufread::ZlibDecoder<io::Take<R>>,
    position: u64,
}

impl<R: BufRead> InflatedStream<R> {
    /// Reads on to the checksum at the end of the zlib stream, which must follow here.
    pub(super) fn finish(&mut self) -> io::Result<bool> {
        Ok(self.decoder.read(&mut [0])? == 0)
    }
}

impl<R: BufRead> ByteStream for InflatedStream<R> {
    fn position(&self) -> u64 {
        self.position
    }

    fn read_exact(&mut self, out: &mut [u8]) -> io::Result<()> {
        self.decoder.read_exact(out)?;
        self.position += out.len() as u64;
        Ok(())
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.decoder).take(count), &mut io::sink())?;
        self.position += skipped;
        if skipped == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn seek_to(&mut self, _position: u64) -> io::Result<bool> {
        Ok(false)
    }

    fn is_plain(&self) -> bool {
        false
    }
}
