"""Our written grid references against PROJ and the `mgrs` package, and a hand-worked angle."""

from __future__ import annotations

import mgrs
import numpy as np
import pytest
from pyproj import Transformer

from pipelines.demo.coordinates import to_dms, to_mgrs, to_utm


@pytest.mark.parametrize("digits", [5, 4, 3])
def test_mgrs_equals_the_mgrs_package_over_the_three_countries(digits: int) -> None:
    rng = np.random.default_rng(1)
    latitude, longitude = rng.uniform(-13.5, 12.5, 600), rng.uniform(12.0, 36.0, 600)
    converter = mgrs.MGRS()
    theirs = [
        converter.toMGRS(a, o, MGRSPrecision=digits)
        for a, o in zip(latitude, longitude, strict=True)
    ]
    assert to_mgrs(latitude, longitude, digits).tolist() == theirs


def test_utm_agrees_with_proj_to_a_thousandth_of_a_millimetre() -> None:
    rng = np.random.default_rng(2)
    latitude, longitude = rng.uniform(-79, 83, 2000), rng.uniform(-180, 180, 2000)
    found = to_utm(latitude, longitude)
    for zone in range(1, 61):
        for is_south in (False, True):
            here = (found.zone == zone) & ((latitude < 0) == is_south)
            crs = f"EPSG:{(32700 if is_south else 32600) + zone}"
            project = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
            easting_m, northing_m = project.transform(longitude[here], latitude[here])
            assert found.easting_m[here] == pytest.approx(easting_m, rel=0, abs=1e-6)
            assert found.northing_m[here] == pytest.approx(northing_m, rel=0, abs=1e-6)


def test_dms_rounds_up_through_minutes_and_degrees() -> None:
    assert to_dms([4.86, -3.99999999, 30.0], "N", "S").tolist() == [
        "04°51'36.0\"N",
        "04°00'00.0\"S",
        "30°00'00.0\"N",
    ]
