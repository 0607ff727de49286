"""Positions as the services write them: degrees-minutes-seconds, UTM and MGRS grid references.

Not here: reading them (`pipelines/harmonise/macros.py`), which is another program on purpose.

Projection by pyproj; the letters of a grid reference by the scheme of NGA.STND.0037, Universal
Grids, without the exceptions of Norway, Svalbard and the poles.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_COLUMN_SETS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")  # by zone modulo 3
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_SQUARE_M = 100_000


class Utm(NamedTuple):
    """Arrays of zone number, latitude band letter, easting and northing in metres."""

    zone: Any
    band: Any
    easting_m: Any
    northing_m: Any


def to_utm(latitude_deg: Any, longitude_deg: Any) -> Utm:
    """UTM on WGS 84 of arrays of positions between 80° south and 84° north."""
    import numpy as np
    from pyproj import Transformer

    latitude, longitude = np.asarray(latitude_deg, float), np.asarray(longitude_deg, float)
    zone = (np.floor((longitude + 180) / 6).astype(int) % 60) + 1
    easting, northing = np.empty_like(latitude), np.empty_like(latitude)
    for number in np.unique(zone):
        for is_south in (False, True):
            here = (zone == number) & ((latitude < 0) == is_south)
            if here.any():
                crs = f"EPSG:{(32700 if is_south else 32600) + number}"
                project = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
                easting[here], northing[here] = project.transform(longitude[here], latitude[here])
    index = np.clip(np.floor((latitude + 80) / 8).astype(int), 0, 19)
    return Utm(zone, np.array(list(_BANDS))[index], easting, northing)


def to_mgrs(latitude_deg: Any, longitude_deg: Any, digits: int = 5) -> Any:
    """Grid references such as `35NQA1234567890`; `digits` each way (5 = a square of 1 m)."""
    import numpy as np

    utm = to_utm(latitude_deg, longitude_deg)
    columns = np.array([list(letters) for letters in _COLUMN_SETS])
    column = columns[utm.zone % 3, (utm.easting_m // _SQUARE_M).astype(int) - 1]
    shift = np.where(utm.zone % 2 == 0, 5, 0)
    row = np.array(list(_ROWS))[((utm.northing_m // _SQUARE_M).astype(int) + shift) % 20]
    step = 10 ** (5 - digits)
    letters = np.char.add(np.char.add(utm.band.astype(str), column), row)
    text = np.char.add(np.char.mod("%d", utm.zone), letters)
    for metres in (utm.easting_m, utm.northing_m):
        part = ((metres % _SQUARE_M) // step).astype(int)
        text = np.char.add(text, np.char.mod(f"%0{digits}d", part))
    return text


def to_dms(angle_deg: Any, positive: str, negative: str) -> Any:
    """Angles such as `04°51'36.0"N`, to a tenth of a second of arc (about 3 m)."""
    import numpy as np

    angle = np.asarray(angle_deg, float)
    tenths = np.rint(np.abs(angle) * 36_000).astype(int)
    seconds = np.char.mod("%04.1f", tenths % 600 / 10)
    text = np.char.add(np.char.mod("%02d", tenths // 36_000), "°")
    text = np.char.add(np.char.add(text, np.char.mod("%02d", tenths // 600 % 60)), "'")
    text = np.char.add(np.char.add(text, seconds), '"')
    return np.char.add(text, np.where(angle >= 0, positive, negative))
