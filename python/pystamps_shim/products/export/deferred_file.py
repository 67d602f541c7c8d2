"""A file whose failures wait until the library that writes it has let go of it.

The HDF5 library cannot close a file on a full disk: it keeps the file, complains with every object
that goes, and may take the program with it. So it writes here, is told that all went well, and the
failure is raised once it is done.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class DeferredFile(io.RawIOBase):
    """A file to read and write, as HDF5 wants one.

    Parameters
    ----------
    path
        Where it is made.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        #: What went wrong first.
        self.failure: OSError | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; with zeros what has not come to the disk."""
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view) or 0
        view[count:] = bytes(len(view) - count)
        return len(view)

    def write(self, data: Any) -> int:
        """Write all of it, or remember why not."""
        view = memoryview(data).cast("B")
        size = len(view)
        try:
            while len(view) and self.failure is None:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            self.failure = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the size, or remember why not."""
        try:
            if self.failure is None:
                return self._file.truncate(size)
        except OSError as error:
            self.failure = error
        return size or 0

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


@contextmanager
def deferred(path: Path) -> Iterator[DeferredFile]:
    """Yield a new file, and raise in the end what went wrong with it, whatever else did."""
    with DeferredFile(path) as file:
        try:
            yield file
        finally:
            if file.failure is not None:
                raise file.failure
