"""``config show``: the settings that would hold, where each comes from, and which kernels run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from pystamps_shim.commands.settings import add_settings, settings_of
from pystamps_shim.config.files import as_tables
from pystamps_shim.kernels.names import KERNELS

_DESCRIPTION = """\
Print the settings that a run with these options would have, as a TOML file with the source of
every value. Redirected into a file and changed, it is what --config takes. The last lines say which
kernels can be computed here, and by what (see --kernel).
"""
_EPILOG = """\
examples
  python -m pystamps_shim config show > settings.toml
  python -m pystamps_shim config show --config settings.toml --workers 4
"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "config",
        help="show the settings and where they come from",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=("show",), help="what to do")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_settings(parser)
    return parser


def run(options: argparse.Namespace) -> None:
    """Print the settings and the backends of kernels."""
    from pystamps_shim.kernels.accelerated import describe_backends  # noqa: PLC0415 - with NumPy

    config, sources = settings_of(options)
    tables = as_tables(config)
    if options.json:
        origin = {
            section: {name: sources.get((section, name), "default") for name in values}
            for section, values in tables.items()
        }
        told = {"settings": tables, "sources": origin, "kernel_backends": describe_backends()}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    for section, values in tables.items():
        sys.stdout.write(f"[{section}]\n")
        for name, value in values.items():
            source = sources.get((section, name), "default")
            line = f"# {name} is not set" if value is None else f"{name} = {_toml(value)}"
            sys.stdout.write(f"{line:<44} # {source}\n")
        sys.stdout.write("\n")
    sys.stdout.write("# kernels that can be computed here\n")
    described = describe_backends()
    for backend in ("native", "numpy"):
        sys.stdout.write(f"# {backend}: {_kernels(described.get(backend, {}))}\n")


def _kernels(origins: Mapping[str, str]) -> str:
    """Return which kernels a backend has, and where they come from."""
    if not origins:
        return "none; 'make native' builds the extension"
    missing = [name for name in KERNELS if name not in origins]
    which = f"all but {', '.join(missing)}" if missing else f"all {len(KERNELS)}"
    return f"{which}, by {', '.join(sorted(set(origins.values())))}"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    # Texts, numbers and truth are written as in JSON.
    return json.dumps(value)
