"""Where a certificate comes from: our code, the oracle, the machine."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pystamps_shim._binary import package_version
from pystamps_shim.errors import PystampsError

REPOSITORY = Path(__file__).resolve().parents[2]
#: What the certificates are about: a change of it that is not committed has no name.
_CODE = ("crates", "parity", "python", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml")
_NOT_CODE = ("parity/certificates",)
_NO_REPOSITORY = "unknown"
_VECTORS = ("avx2", "fma", "avx512f", "avx512dq", "avx512vl")


@dataclass(frozen=True)
class Code:
    """Our code as it was certified.

    Attributes
    ----------
    version
        Version of the package.
    commit, date
        Commit, and its day and time; no clock is read.
    clean
        Whether nothing of the code was changed since.
    """

    version: str
    commit: str
    date: str
    clean: bool

    @classmethod
    def here(cls) -> Code:
        """Describe the working tree; without a repository, commit and date are unknown."""
        try:
            commit, date = _git("show", "-s", "--format=%H %cI", "HEAD").split()
            excluded = [f":(exclude){path}" for path in _NOT_CODE]
            changes = _git("status", "--porcelain", "--", *_CODE, *excluded)
        except (OSError, subprocess.CalledProcessError):
            return cls(package_version(), _NO_REPOSITORY, _NO_REPOSITORY, clean=False)
        return cls(package_version(), commit, date, clean=not changes)


@dataclass(frozen=True)
class Oracle:
    """The original's results that we are judged by.

    Attributes
    ----------
    engine
        What made them.
    data
        ``full`` for the oracle's folder, ``golden`` for the project's own part of it, ``own`` for
        somebody else's run.
    identity_sha256
        Of the description that lies beside them.
    """

    engine: str
    data: str
    identity_sha256: str

    @classmethod
    def full(cls, folder: Path) -> Oracle:
        """Describe the oracle's folder by its README."""
        path = folder / "README.md"
        try:
            content = path.read_bytes()
        except OSError as error:
            cause = f"{path}: {error.strerror}"
            raise PystampsError(
                cause, "name the folder of the oracle with --oracle, or use --golden"
            ) from error
        found = re.search(r"^Engine: (.+?)\.(?:\s|$)", content.decode("utf-8"), flags=re.MULTILINE)
        engine = "unknown" if found is None else found[1]
        return cls(engine, "full", hashlib.sha256(content).hexdigest())

    @classmethod
    def golden(cls, manifest: Path) -> Oracle:
        """Describe the project's own data by their manifest."""
        content = manifest.read_bytes()
        archives = json.loads(content)["archives"]
        engine = archives["T6"]["provenance"]["producer"]
        return cls(engine, "golden", hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class Machine:
    """The type of machine, without any name of it.

    Attributes
    ----------
    architecture, processor, system
        Such as ``x86_64``, the processor's model, ``Linux``.
    vector
        The vector instructions that our code and libraries choose among.
    """

    architecture: str
    processor: str
    system: str
    vector: str

    @classmethod
    def here(cls) -> Machine:
        """Describe this machine."""
        return cls(platform.machine(), _processor(), platform.system(), _vector())


def code_digests(program: Path) -> Mapping[str, str]:
    """Return the digest of the code of every certificate, as the program was built from it."""
    result = subprocess.run(
        [str(program), "readiness", "--json"], capture_output=True, text=True, check=True
    )
    inventory = json.loads(result.stdout)
    records = [*inventory["scopes"], *inventory["further_evidence"]]
    return {record["certificate_name"]: record["code_sha256"] for record in records}


def as_plain(value: Code | Oracle | Machine) -> dict[str, object]:
    """Return a record as an object of JSON."""
    return asdict(value)


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(REPOSITORY), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout.strip()


def _processor() -> str:
    """Return the model of the processor; Python itself does not know it on Linux."""
    found = re.search(r"^model name\s*: (.+)$", _processor_text(), flags=re.MULTILINE)
    return found[1].strip() if found else platform.processor() or "unknown"


def _vector() -> str:
    """Return those of the processor's vector instructions that results might depend on."""
    found = re.search(r"^flags\s*: (.+)$", _processor_text(), flags=re.MULTILINE)
    flags = set(found[1].split()) if found else set()
    return " ".join(name for name in _VECTORS if name in flags) or "unknown"


def _processor_text() -> str:
    """Return what Linux says of the processors; nothing elsewhere."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
