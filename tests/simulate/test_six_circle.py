"""Six circles: xrayutilities' Q of every pixel, reflections where the rocking scan was told, refusals."""

import re

import numpy as np
import pytest
import xrayutilities as xu
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.errors import UserError
from nanotexture.simulate.six_circle import (
    Angles,
    AreaDetector,
    pixel_q,
    rocking_angles,
    rotation,
)

NAMES = ("mu", "eta", "chi", "phi", "nu", "delta")


def authority(angles, detector, energy):
    """Q in the film's axes by xrayutilities, as psic at 6-ID-B is described to it: x up, y along the beam."""
    rows, columns = detector.shape
    geometry = xu.QConversion(["x+", "z-", "y+", "z-"], ["x+", "z-"], [0, 1, 0], en=1000 * energy)
    geometry.init_area(
        "x-", "z-", cch1=detector.centre[0], cch2=detector.centre[1], Nch1=rows, Nch2=columns,
        distance=detector.distance, pwidth1=detector.pixel, pwidth2=detector.pixel,
    )  # fmt: skip
    up, beam, side = geometry.area(*(getattr(angles, n) for n in NAMES), UB=np.identity(3))
    return np.stack([beam, side, up], axis=-1)


@settings(max_examples=25)
@given(
    st.lists(st.floats(-100, 100), min_size=12, max_size=12),
    st.floats(5.0, 25.0),
    st.tuples(st.floats(-20, 40), st.floats(-20, 40)),
)
def test_every_pixel_is_where_xrayutilities_says(turns, energy, centre):
    angles = Angles(*np.reshape(turns, (6, 2)))
    detector = AreaDetector((5, 4), 0.3, 450.0, centre)
    found = pixel_q(angles=angles, detector=detector, energy_kev=energy)
    np.testing.assert_allclose(found, authority(angles, detector, energy), atol=1e-12)


@pytest.mark.parametrize("q", [(0.0, 3.0), (1.6, 4.6), (-1.6, 4.6)])
def test_a_rocking_scan_has_the_reflection_in_its_middle_frames_direct_beam_pixel(q):
    angles = rocking_angles(q=q, energy_kev=9.0, width=1.0, frames=5)
    detector = AreaDetector(centre=(60.0, 40.0))
    found = pixel_q(angles=angles, detector=detector, energy_kev=9.0)[2, 60, 40]
    np.testing.assert_allclose(found, [q[0], 0.0, q[1]], atol=1e-12)
    assert np.ptp(angles.eta) == pytest.approx(1.0)


def test_a_scan_along_l_holds_the_pixel_on_the_rod():
    angles = rocking_angles(q=(1.6, 4.6), energy_kev=9.0, width=0.0, frames=7, qz_range=0.2)
    found = pixel_q(angles=angles, detector=AreaDetector(centre=(60.0, 40.0)), energy_kev=9.0)[:, 60, 40]
    np.testing.assert_allclose(found[:, 0], 1.6)
    np.testing.assert_allclose(found[:, 2], np.linspace(4.4, 4.8, 7))


@given(st.floats(-180, 180), st.floats(-180, 180))
def test_turns_about_one_axis_add_up_and_keep_lengths(one, other):
    axis = (0.6, 0.0, -0.8)
    a, b, both = (rotation(axis=axis, degrees=np.array([d]))[0] for d in (one, other, one + other))
    np.testing.assert_allclose(a @ b, both, atol=1e-12)
    np.testing.assert_allclose(both @ both.T, np.eye(3), atol=1e-12)


def test_a_quarter_turn_is_right_handed():
    found = rotation(axis=(0.0, 0.0, 1.0), degrees=np.array([90.0]))[0] @ [1.0, 0.0, 0.0]
    np.testing.assert_allclose(found, [0.0, 1.0, 0.0], atol=1e-15)


def test_energy_that_does_not_reach_is_refused_with_one_that_does():
    told = {"q": (1.6, 4.6), "width": 0.1, "frames": 3}
    with pytest.raises(UserError, match="keV or more, got 4") as refused:
        rocking_angles(energy_kev=4.0, **told)
    works = float(re.search(r"needs ([\d.]+) keV", str(refused.value))[1])
    rocking_angles(energy_kev=1.01 * works, **told)


def test_a_beam_through_the_substrate_is_refused():
    with pytest.raises(UserError, match="below the film's surface"):
        rocking_angles(q=(4.6, 1.6), energy_kev=12.0, width=0.1, frames=3)


@pytest.mark.parametrize(
    ("told", "words"),
    [({"pixel": 0.0}, "pixel"), ({"distance": -1.0}, "distance"), ({"shape": (0, 5)}, "shape")],
)
def test_detectors_that_cannot_be_are_refused(told, words):
    with pytest.raises(UserError, match="detector." + words):
        AreaDetector(**told)
