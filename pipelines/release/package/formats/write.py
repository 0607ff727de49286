"""Which formats there are, what each one can hold, and writing one.

Not here: how a format is written (a module each beside this one).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from pipelines.release.errors import ReleaseError
from pipelines.release.package.formats import (
    columnar,
    commas,
    geojson,
    geopackage,
    workbook,
)
from pipelines.release.package.formats.content import Content

WRITERS: dict[str, Callable[[Content, Path], None]] = {
    "csv": commas.write,
    "xlsx": workbook.write,
    "parquet": columnar.write,
    "geojson": geojson.write,
    "gpkg": geopackage.write,
}
FORMATS = tuple(WRITERS)
WITH_POINTS = ("geojson", "gpkg")
# By the extra of that name, which brings GDAL: format → extra, package.
EXTRAS = {"gpkg": ("geopackage", "pyogrio")}


def can_write(name: str) -> bool:
    """True where this installation has what writes the format."""
    return name not in EXTRAS or find_spec(EXTRAS[name][1]) is not None


def require_format(name: str, columns: list[str], point: tuple[str, ...]) -> None:
    """Raise ReleaseError for a format not known, not installed, or unfit to show these columns.

    A map file whose agreement opens no coordinates would be an empty map. The codes of areas, which
    join to any layer of boundaries, are in the other formats just as well. `point` are the columns
    of latitude and longitude.
    """
    if name not in FORMATS:
        raise ReleaseError("REL-111", name=name, known=list(FORMATS))
    if name in WITH_POINTS and not (point and set(point) <= set(columns)):
        raise ReleaseError("REL-115", format=name)
    if not can_write(name):
        raise ReleaseError("REL-126", format=name, extra=f"passerelle[{EXTRAS[name][0]}]")


def require_room(name: str, row_count: int) -> None:
    """Raise ReleaseError for more rows than the format holds."""
    if name == "xlsx" and row_count > workbook.MOST_ROWS:
        raise ReleaseError("REL-109", rows=row_count, format=name, limit=workbook.MOST_ROWS)


def write_data(format_name: str, content: Content, path: Path) -> None:
    """Write the rows of an extract. Raises ReleaseError where the format cannot hold them."""
    require_room(format_name, content.row_count)
    if format_name == "xlsx" and (longest := workbook.longest_cell(content)) > LONGEST:
        raise ReleaseError("REL-109", "cell", length=longest, format=format_name, limit=LONGEST)
    WRITERS[format_name](content, path)


LONGEST = workbook.LONGEST_CELL
