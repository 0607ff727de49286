"""The formats of extracts, in the order in which people are offered them.

Not here: what one is and how it is written (a module each beside this one).
"""

from __future__ import annotations

from pathlib import Path

from pipelines.release.errors import ReleaseError
from pipelines.release.package.formats import csv, geojson, gpkg, parquet, xlsx
from pipelines.release.package.formats.content import Content
from pipelines.release.package.formats.format import Format

FORMATS: dict[str, Format] = {
    one.name: one for one in (xlsx.FORMAT, csv.FORMAT, parquet.FORMAT, geojson.FORMAT, gpkg.FORMAT)
}


def require_format(name: str, columns: list[str], point: tuple[str, ...]) -> None:
    """Raise ReleaseError for a format not known, not installed, or unfit to show these columns.

    A map file whose agreement opens no coordinates would be an empty map. The codes of areas, which
    join to any layer of boundaries, are in the other formats just as well. `point` are the columns
    of latitude and longitude.
    """
    if name not in FORMATS:
        raise ReleaseError("REL-111", name=name, known=list(FORMATS))
    wanted = FORMATS[name]
    if wanted.has_geometry and not (point and set(point) <= set(columns)):
        raise ReleaseError("REL-115", format=name)
    if not wanted.is_installed:
        raise ReleaseError("REL-126", format=name, extra=f"passerelle[{wanted.extra}]")


def write_data(name: str, content: Content, path: Path) -> None:
    """Write the rows of an extract. Raises ReleaseError where the format cannot hold them."""
    wanted = FORMATS[name]
    wanted.require_room(content.row_count)
    wanted.write(content, path)
