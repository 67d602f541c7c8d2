"""Write the artefacts of a reference stage as files."""

from __future__ import annotations

from pathlib import Path

from pystamps_shim.io import mat
from pystamps_shim.reference.parameters import update_parameters
from pystamps_shim.reference.stage1 import Array, Artefacts


def write_artefacts(patch_dir: Path | str, artefacts: Artefacts) -> list[Path]:
    """Write `artefacts` into the patch; names starting with ``../`` go to the dataset.

    ``parms.mat`` is updated in place of being replaced. Returns the files written.
    """
    patch = Path(patch_dir)
    written = []
    for name, variables in artefacts.items():
        path = patch / name if not name.startswith("../") else patch.parent / name[3:]
        if path.name == "parms.mat":
            update_parameters(path, variables)
        elif path.suffix == ".list":
            path.write_text(_ascii_table(variables["pairs"]), encoding="ascii")
        elif any(hasattr(values, "tocsc") for values in variables.values()):
            # The native codec reads sparse matrices, but does not write them.
            import scipy.io  # noqa: PLC0415 - where there is a sparse matrix, there is SciPy

            scipy.io.savemat(path, variables, oned_as="column")
        else:
            mat.write(path, variables)
        written.append(path)
    return written


def _ascii_table(values: Array) -> str:
    """Format numbers as Octave's ``save -ascii`` does."""
    rows = values.tolist()
    return "".join("".join(f"    {value:.7e}" for value in row) + "\n" for row in rows)
