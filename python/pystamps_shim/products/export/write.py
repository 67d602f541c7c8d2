"""Write one export: into its place all at once, with its description."""

from __future__ import annotations

from pathlib import Path

from pystamps_shim.products.export.formats import Format
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.metadata import metadata_text
from pystamps_shim.products.publish import FOLDER_MARK, published


def write_export(chosen: Format, export: Export, out: Path, *, force: bool) -> None:
    """Write an export in the format `chosen` to `out`.

    Raises
    ------
    PystampsError
        It does not suit the format, `out` may not be replaced, or the disk does not take it;
        nothing half-written is left.
    """
    whole = not chosen.suffix
    with published(out, force=force, is_folder=whole, suffix=chosen.suffix) as path:
        chosen.write(export, path)
        text = metadata_text(export.table.metadata)
        if not chosen.suffix:
            (path / FOLDER_MARK).write_text(text, encoding="utf-8")
        elif not chosen.describes_itself:
            path.with_name(f"{path.name}.json").write_text(text, encoding="utf-8")
