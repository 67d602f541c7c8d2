"""GAMMA style text files: the token search of ``readparm`` (parameters.md section 6)."""

from __future__ import annotations

from pathlib import Path

from pystamps_shim.errors import PystampsError


class GammaText:
    """The tokens of one ``.par`` or ``.base`` file.

    Parameters
    ----------
    path
        The file to read, once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._tokens = path.read_text(encoding="utf-8", errors="replace").split()
        except OSError as error:
            cause = f"{path}: cannot be read ({error.strerror})"
            raise PystampsError(cause, "check the paths in rsc.txt and pscphase.in") from error

    def strings(self, key: str, count: int = 1) -> list[str]:
        """Return the `count` tokens after the first token that starts with `key`.

        StaMPS tests a case-sensitive prefix, not equality; the first hit in the file wins.
        """
        for position, token in enumerate(self._tokens):
            if token.startswith(key):
                found = self._tokens[position + 1 : position + 1 + count]
                if len(found) == count:
                    return found
                cause = f"{self.path}: '{key}' is followed by {len(found)} values, expected {count}"
                raise PystampsError(cause, "export the scene again; the file is cut short")
        cause = f"{self.path}: key '{key}' not found"
        raise PystampsError(cause, "export the scene again or add the key")

    def numbers(self, key: str, count: int = 1) -> list[float]:
        """Return the values after `key` as doubles."""
        try:
            return [float(token) for token in self.strings(key, count)]
        except ValueError as error:
            cause = f"{self.path}: value of '{key}' is not a number ({error})"
            raise PystampsError(cause, "correct the value in the file") from error

    def number(self, key: str) -> float:
        """Return the single value after `key` as a double."""
        return self.numbers(key)[0]
