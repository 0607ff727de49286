"""Our written grid references against the `mgrs` package and a hand-worked angle."""

from __future__ import annotations

import mgrs
import numpy as np
import pytest

from pipelines.demo.grids import to_dms, to_mgrs, to_utm


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


def test_utm_of_the_central_meridian_on_the_equator() -> None:
    utm = to_utm([0.0], [27.0])
    assert (utm.zone[0], utm.band[0]) == (35, "N")
    assert utm.easting_m[0] == pytest.approx(500_000, abs=1e-3)
    assert utm.northing_m[0] == pytest.approx(0, abs=1e-3)


def test_dms_rounds_up_through_minutes_and_degrees() -> None:
    assert to_dms([4.86, -3.99999999, 30.0], "N", "S").tolist() == [
        "04°51'36.0\"N",
        "04°00'00.0\"S",
        "30°00'00.0\"N",
    ]
