"""Positions as the services write them: degrees-minutes-seconds, UTM and MGRS grid references.

Not here: reading them (`pipelines/harmonise/macros.py`), which is another program on purpose.

Projection by the series of Krüger to the fourth order (Karney 2011, "Transverse Mercator with an
accuracy of a few nanometers"), which tests hold against PROJ; the letters of a grid reference by
the scheme of NGA.STND.0037, Universal Grids, without the exceptions of Norway, Svalbard and the
poles.
"""

from __future__ import annotations

import math
from collections.abc import Mapping as Values
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from schemas.feed import Mapping

_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_COLUMN_SETS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")  # by zone modulo 3
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_SQUARE_M = 100_000


# WGS 84: the third flattening, the eccentricity, and the radius of a meridian of its length, scaled
# as UTM scales it; then what the series takes of each multiple of the angles.
_N = 1 / (2 * 298.257223563 - 1)
_E = 2 * math.sqrt(_N) / (1 + _N)
_RADIUS_M = 0.9996 * 6_378_137 / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_SERIES = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16 + 41 * _N**4 / 180,
    13 * _N**2 / 48 - 3 * _N**3 / 5 + 557 * _N**4 / 1440,
    61 * _N**3 / 240 - 103 * _N**4 / 140,
    49561 * _N**4 / 161280,
)


def position_texts(
    mapping: Mapping, latitude_deg: pd.Series, longitude_deg: pd.Series
) -> Values[str, pd.Series]:
    """Positions in the notation and the number of cells of a mapping, None where there is none."""
    import numpy as np
    import pandas as pd

    here = (latitude_deg.notna() & longitude_deg.notna()).to_numpy()
    north, east = latitude_deg.to_numpy()[here], longitude_deg.to_numpy()[here]
    if mapping.notation == "mgrs":
        whole = pd.Series(to_mgrs(north, east), dtype=object)
        parts = [whole.str.slice(0, -10), whole.str.slice(-10, -5), whole.str.slice(-5)]
    elif mapping.notation == "utm":
        utm = to_utm(north, east)
        zone = np.char.add(np.char.mod("%02d", utm.zone), np.where(north < 0, "S", "N"))
        metres = (np.rint(metres).astype(int) for metres in (utm.easting_m, utm.northing_m))
        parts = [pd.Series(zone), *(pd.Series(np.char.mod("%d", one)) for one in metres)]
    elif mapping.notation == "dms":
        parts = [pd.Series(to_dms(north, "N", "S")), pd.Series(to_dms(east, "E", "W"))]
    else:
        parts = [pd.Series(np.char.mod("%.5f", one)) for one in (north, east)]
    texts = {source: pd.Series(None, latitude_deg.index, dtype=object) for source in mapping.source}
    parts = [part.astype(object) for part in parts]
    if len(texts) == 1:
        parts = [reduce(lambda left, right: left + " " + right, parts)]
    for source, part in zip(texts, parts, strict=True):
        texts[source][here] = part.to_numpy()
    return texts


class Utm(NamedTuple):
    """Arrays of zone number, latitude band letter, easting and northing in metres."""

    zone: Any
    band: Any
    easting_m: Any
    northing_m: Any


def to_utm(latitude_deg: Any, longitude_deg: Any) -> Utm:
    """UTM on WGS 84 of arrays of positions between 80° south and 84° north."""
    import numpy as np

    latitude, longitude = np.asarray(latitude_deg, float), np.asarray(longitude_deg, float)
    zone = (np.floor((longitude + 180) / 6).astype(int) % 60) + 1
    sine, east = np.sin(np.radians(latitude)), np.radians(longitude - (6 * zone - 183))
    conformal = np.sinh(np.arctanh(sine) - _E * np.arctanh(_E * sine))
    y = np.arctan2(conformal, np.cos(east))
    x = np.arcsinh(np.sin(east) / np.hypot(conformal, np.cos(east)))
    terms = list(enumerate(_SERIES, start=1))
    up = y + sum(share * np.sin(2 * k * y) * np.cosh(2 * k * x) for k, share in terms)
    right = x + sum(share * np.cos(2 * k * y) * np.sinh(2 * k * x) for k, share in terms)
    northing_m = _RADIUS_M * up + np.where(latitude < 0, 10_000_000, 0)
    index = np.clip(np.floor((latitude + 80) / 8).astype(int), 0, 19)
    return Utm(zone, np.array(list(_BANDS))[index], 500_000 + _RADIUS_M * right, northing_m)


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
