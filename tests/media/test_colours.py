"""The yardstick itself: pairs published with the formula."""

from __future__ import annotations

import numpy as np
import pytest

from tests.media.colours import delta_e

# From the test data of Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula" (2005), table 1.
PAIRS = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "expected"), PAIRS)
def test_the_colour_difference_formula_gives_the_published_values(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    assert float(delta_e(np.array(first), np.array(second))) == pytest.approx(expected, abs=1e-4)
