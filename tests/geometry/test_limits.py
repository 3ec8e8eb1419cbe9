"""A map must cover the reflection that it names; and xrayutilities has one door."""

from __future__ import annotations

import re
from pathlib import Path

import nanotexture
import numpy as np
import pytest
from nanotexture.errors import InputError
from nanotexture.geometry import check_map_near_hkl
from nanotexture.quantities import ReciprocalMap
from nanotexture.schema import MAP, labelled

PACKAGE = Path(nanotexture.__file__).parent


def made(qx: tuple[float, float], qz: tuple[float, float], hkl: tuple[int, int, int]) -> ReciprocalMap:
    values = {"qx": np.linspace(*qx, 5), "qz": np.linspace(*qz, 6), "hkl": np.array(hkl)}
    values |= {"intensity": np.ones((5, 6)), "variance": np.ones((5, 6)), "mask": np.zeros((5, 6), np.uint8)}
    values |= {"temperature": np.nan, "energy": 8.0, "scale": 1.0}
    return ReciprocalMap(labelled(values, MAP, {"file": "a.nxs"}))


def test_a_map_about_its_reflection_passes() -> None:
    check_map_near_hkl(made((-1.7, -1.4), (4.6, 4.9), (-1, 0, 3)), 3.9885, (3.8, 4.2))


@pytest.mark.parametrize(
    ("qx", "qz", "hkl", "field"),
    [
        ((1.4, 1.7), (4.6, 4.9), (-1, 0, 3), "qx: expected -1 0 3 at qx = -1.5753"),
        ((-1.7, -1.4), (4.6, 4.9), (-2, 0, 3), "qx"),
        ((-1.7, -1.4), (4.6, 4.9), (-1, 0, 2), "qz: expected -1 0 2 at qz = 2.9920 to 3.3069"),
    ],
)
def test_a_map_elsewhere_is_refused(
    qx: tuple[float, float], qz: tuple[float, float], hkl: tuple[int, int, int], field: str
) -> None:
    with pytest.raises(InputError, match=field):
        check_map_near_hkl(made(qx, qz, hkl), 3.9885, (3.8, 4.2))


def test_only_the_backend_imports_xrayutilities() -> None:
    importing = re.compile(r"^\s*(import|from) xrayutilities", re.MULTILINE)
    found = {
        p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py") if importing.search(p.read_text())
    }
    assert found == {"geometry/backend.py"}
