"""Corrections: each formula against its closed form, weights that make frames alike, and what they lack named."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.errors import InputError, UserError
from nanotexture.geometry import PRESETS, Circle, Goniometer, Panel, place
from nanotexture.geometry.fuzzy import Axis
from nanotexture.gridding import (
    Correction,
    Detector,
    FrameSums,
    Grid,
    add_frames,
    choose_grid,
    extent,
    worth_of_block,
    worth_of_frames,
)
from nanotexture.gridding.accumulate import means_from_sums
from nanotexture.gridding.corrections import rotation_axes, solid_angle
from nanotexture.gridding.kernel import WEIGHT

from .scans import Scan, header_of, random_scan

SHAPE = (9, 7)
MOVES = {
    "mu": 0.0,
    "eta": 20 + np.array([0.0, 0.1, 0.25]),
    "chi": 0.0,
    "phi": 0.0,
    "nu": 10.0,
    "delta": [38.0, 40.0, 42.0],
}
PANEL = Panel("x-", "z-", (4.2, 3.1), (2.0, 2.5), 60.0)
ALL = slice(None)


def six_circle(**changes):
    header = header_of(MOVES, SHAPE, **changes)
    goniometer = replace(PRESETS["6idb_psic"], panel=PANEL)
    return Scan(header, place(header, goniometer, (1, 0, 0), (0, 0, 1)), np.ones((3, *SHAPE), "u2"))


def weights(scan, *corrections, detector=None):
    """Weight (frame, row, column) that the kernel gives each pixel: one pixel at a time, into one voxel."""
    told = {} if detector is None else {"detector": detector}
    worth = worth_of_frames(scan.header, scan.placement, corrections, **told)
    whole = Grid(tuple(Axis(limit.mean(), 2 * np.ptp(limit) + 1, 1) for limit in extent(scan.placement)))
    found = np.zeros(scan.frames.shape)
    for frame, row, column in np.ndindex(scan.frames.shape):
        one = worth_of_block(worth, frame, frame + 1)
        pixel = np.zeros(SHAPE)
        pixel[row, column] = one.pixel[row, column]
        sums = FrameSums.empty(whole)
        add_frames(
            sums, scan.frames[frame : frame + 1], scan.placement, one._replace(pixel=pixel), start=frame
        )
        found[frame, row, column] = sums.records[0, WEIGHT]
    return found


def looks(scan):
    """Directions (frame, row, column, 3) in the laboratory."""
    return np.einsum("fij,rcj->frci", scan.placement.detector_turn, scan.placement.directions)


def test_the_solid_angle_is_that_of_small_rectangles_seen_from_the_sample():
    rows, columns = np.meshgrid(np.linspace(-30, 25, 9), np.linspace(-20, 40, 7), indexing="ij")
    panel = np.stack([rows, columns, np.full((9, 7), 50.0)], axis=-1)
    distance = np.linalg.norm(panel, axis=-1)
    area_seen = 50.0 / distance / distance**2  # cos(a) / r^2
    found = solid_angle(directions=panel / distance[..., None], panel_normal=np.array([0, 0, 2.0]))
    np.testing.assert_allclose(found, area_seen * 50.0**2)


def test_polarization_follows_the_moving_detector():
    scan = six_circle()
    s = looks(scan)
    along_x = Detector(horizontal=0.9, polarization_axis="x+")
    expected = 0.9 * (1 - s[..., 0] ** 2) + 0.1 * (1 - s[..., 2] ** 2)  # the beam is y
    np.testing.assert_allclose(weights(scan, Correction.POLARIZATION, detector=along_x), expected, rtol=1e-12)


def test_light_without_polarization_has_the_factor_of_two_theta_alone():
    scan = six_circle()
    cosine = looks(scan)[..., 1]
    even = Detector(horizontal=0.5, polarization_axis=(1.0, 0.0, 2.0))
    np.testing.assert_allclose(
        weights(scan, Correction.POLARIZATION, detector=even), (1 + cosine**2) / 2, rtol=1e-12
    )


def test_the_lorentz_factor_in_the_plane_of_scattering_is_one_over_sin_two_theta():
    panel = Panel("x-", "z-", (1.0, 1.0), (0.1, 0.1), 500.0)
    moves = {"eta": 20 + 0.1 * np.arange(3), "delta": [30.0, 40.0, 50.0]}
    goniometer = Goniometer("two", (Circle("eta", "z-"),), (Circle("delta", "z-"),), "y+", panel)
    header = header_of(moves, SHAPE)
    scan = Scan(header, place(header, goniometer, (1, 0, 0), (0, 0, 1)), np.ones((3, *SHAPE), "u2"))
    found = weights(scan, Correction.LORENTZ)[:, 1, 1]
    np.testing.assert_allclose(found, 1 / np.sin(np.radians(moves["delta"])), rtol=1e-9)


def test_the_lorentz_factor_is_the_inverse_speed_of_a_point_through_the_sphere():
    scan = six_circle()
    placement = scan.placement
    found = weights(scan, Correction.LORENTZ)
    q = placement.q(ALL, ALL, ALL)[0]
    # The same crystal points a small turn later: how far off the Ewald sphere, per K and radian.
    step = np.radians(MOVES["eta"][1] - MOVES["eta"][0])
    turns = placement.matrix @ np.swapaxes(placement.detector_turn, 1, 2) / placement.wave_number
    beam = turns[0].T @ placement.offset[0]
    at = [np.linalg.norm(q @ turns[f] + beam, axis=-1) for f in (0, 1)]
    np.testing.assert_allclose(np.abs(at[1] - at[0]) / step / placement.wave_number, 1 / found[0], rtol=5e-3)


def test_the_axis_of_a_rocking_scan_is_found_from_the_placement():
    np.testing.assert_allclose(
        np.abs(rotation_axes(six_circle().placement)), np.tile([0, 0, 1.0], (3, 1)), atol=1e-9
    )


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_frames_of_any_exposure_and_attenuation_tell_the_same_intensity(seed):
    rng = np.random.default_rng(seed)
    scan = random_scan(seed, frames=5)
    flux, factor, flat = (
        rng.uniform(0.5, 2, 5),
        rng.choice([1.0, 10.0, 100.0], 5),
        rng.uniform(0.5, 1.5, SHAPE),
    )
    dark, pedestal, seconds = rng.uniform(0, 9, SHAPE), rng.uniform(0, 99, SHAPE), rng.uniform(1, 2, 5)
    truth = 1000.0 * flat / flat.mean() * (flux / np.median(flux) / factor)[:, None, None]
    frames = truth + pedestal + dark * seconds[:, None, None]
    told = {"monitor": 1e5 * flux, "attenuation": factor, "seconds": seconds}
    header = scan.header.assign({name: scan.header[name].copy(data=values) for name, values in told.items()})
    asked = [
        Correction.MONITOR,
        Correction.ATTENUATOR,
        Correction.FLAT_FIELD,
        Correction.DARK,
        Correction.PEDESTAL,
    ]
    worth = worth_of_frames(header, scan.placement, asked, Detector(flat, dark, pedestal))
    sums = add_frames(
        FrameSums.empty(choose_grid([scan.placement]), ground=True), frames, scan.placement, worth
    ).sums
    mean, variance, mask = means_from_sums(sums=sums, least=1)
    np.testing.assert_allclose(mean[mask == 0], 1000.0)
    assert (variance[mask == 0] > 0).all()


def test_masked_pixels_and_those_without_response_weigh_nothing():
    scan = random_scan(0)
    scan.header["mask"].values[2, 3] = 1
    flat = np.ones(SHAPE)
    flat[4, 4], flat[5, 5] = np.nan, 0.0
    worth = worth_of_frames(scan.header, scan.placement, [Correction.FLAT_FIELD], Detector(flat_field=flat))
    assert np.argwhere(worth.pixel == 0).tolist() == [[2, 3], [4, 4], [5, 5]]


@pytest.mark.parametrize(
    ("corrections", "detector", "field", "words"),
    [
        (
            [Correction.MONITOR],
            Detector(),
            "monitor",
            "a number above 0 at every frame, found nan at frame 0",
        ),
        ([Correction.FLAT_FIELD], Detector(), "flat_field", "an array of rows and columns"),
        ([Correction.DARK], Detector(dark=np.ones((3, 3))), "dark", r"\(9, 7\) rows and columns"),
        (
            [Correction.POLARIZATION],
            Detector(),
            "polarization_axis",
            "a direction across the beam, found none",
        ),
        ([Correction.POLARIZATION], Detector(polarization_axis="y-"), "polarization_axis", "across the beam"),
        (
            [Correction.POLARIZATION],
            Detector(horizontal=2.0, polarization_axis="x+"),
            "polarization",
            "0 to 1",
        ),
    ],
)
def test_corrections_that_lack_something_are_refused(corrections, detector, field, words):
    scan = six_circle()
    with pytest.raises(InputError, match=words) as refused:
        worth_of_frames(scan.header, scan.placement, corrections, detector)
    assert (refused.value.file, refused.value.field) == ("scan.spec", field)


def test_monitor_and_seconds_together_are_refused():
    scan = six_circle()
    with pytest.raises(UserError, match="a monitor counts time"):
        worth_of_frames(scan.header, scan.placement, [Correction.MONITOR, Correction.SECONDS])
