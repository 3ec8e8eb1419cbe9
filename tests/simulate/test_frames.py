"""Frames: converted by xrayutilities they give the map back, and hold the counts they were told."""

from dataclasses import replace

import numpy as np
import pytest
import xrayutilities as xu
from nanotexture.errors import UserError
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack
from nanotexture.simulate.axes import Axes, middle
from nanotexture.simulate.brightness import bright_map
from nanotexture.simulate.frames import frames_from_map, intensity_at
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.places import Disorder
from nanotexture.simulate.six_circle import AreaDetector, pixel_q, rocking_angles

from .test_six_circle import authority
from .textured import BELOW, ENERGY, A

HKL = (1, 0, 3)
STACK = Stack(A, (Layer(built_in("PbTiO3"), 16, 4.08),))
PERIOD = 40 * A
CENTRE = (2 * np.pi / A, 6 * np.pi / 4.08)
INSTRUMENT = Instrument(energy_kev=ENERGY, resolution=(3e-3, 3e-3), qy_width=0.012, background=0.5)
MIDDLE, REACH = (CENTRE[0], 0.0, CENTRE[1]), np.array([0.09, 0.03, 0.06])
DETECTOR = AreaDetector((96, 64), 0.2, 500.0, (48.0, 32.0))
ANGLES = rocking_angles(q=CENTRE, energy_kev=ENERGY, width=2.2, frames=90)


@pytest.fixture(scope="module")
def bright():
    u = np.zeros((3, 24, 1, 16))
    x = 2 * np.pi * np.arange(24) / 24
    u[2] = 0.25 * np.sin(x)[:, None, None] + 0.1 * np.cos(2 * x)[:, None, None]
    axes = Axes(CENTRE[0] + np.linspace(-0.13, 0.13, 261), CENTRE[1] + np.linspace(-0.13, 0.13, 201))
    return bright_map(
        motif=Motif((PERIOD, A), u, None), stack=STACK, substrate=None, hkl=HKL, axes=axes,
        disorder=Disorder(coherence=200.0, places=8, cumulative=0.05), instrument=INSTRUMENT, seed=1,
    )  # fmt: skip


def take(bright, **told):
    told = {"peak_counts": 1e3, "seed": 3, "instrument": INSTRUMENT} | told
    return frames_from_map(bright, stack=STACK, angles=ANGLES, detector=DETECTOR, **told)


def gridded(q, values):
    """Mean of values (points,) in each voxel about the reflection, and hits, by xrayutilities' own gridder."""
    grid = xu.Gridder3D(120, 41, 120)
    low, high = np.array(MIDDLE) - REACH, np.array(MIDDLE) + REACH
    grid.dataRange(low[0], high[0], low[1], high[1], low[2], high[2], fixed=True)
    grid(*(np.ascontiguousarray(q[:, i]) for i in range(3)), np.ascontiguousarray(values, dtype=float))
    return grid.data.copy(), grid._gnorm.copy()


def test_xrayutilities_turns_the_frames_back_into_the_map(bright):
    """Mean counts of each voxel against the map at the mean Q of its pixels: chi2 per voxel is that of Poisson, 1."""
    frames = take(bright)
    q = authority(ANGLES, DETECTOR, ENERGY)
    inside = (np.abs(q - MIDDLE) <= REACH).all(axis=-1)
    q, counts = q[inside], frames.counts[inside].astype(float)
    mean, hits = gridded(q, counts)
    seen = hits > 0
    where = np.stack([gridded(q, q[:, i])[0][seen] for i in range(3)], axis=-1)
    ours = pixel_q(angles=ANGLES, detector=DETECTOR, energy_kev=ENERGY)
    flux = 1e3 / intensity_at(bright, ours, centre=0.0, instrument=INSTRUMENT)[0].max()
    expected = (
        flux * intensity_at(bright, where, centre=0.0, instrument=INSTRUMENT)[0] + INSTRUMENT.background
    )
    assert (mean * hits).sum() == pytest.approx(frames.counts[inside].sum(), rel=1e-12)
    assert seen.sum() > 2e5
    assert ((mean[seen] - expected) ** 2 * hits[seen] / expected).mean() == pytest.approx(1.0, abs=0.05)


def test_counts_are_those_expected_of_every_pixel(bright):
    frames = take(bright)
    q = pixel_q(angles=ANGLES, detector=DETECTOR, energy_kev=ENERGY)
    signal, _ = intensity_at(bright, q, centre=0.0, instrument=INSTRUMENT)
    expected = 1e3 / signal.max() * signal + 0.5
    assert frames.counts.sum() == pytest.approx(expected.sum(), abs=5 * np.sqrt(expected.sum()))
    assert ((frames.counts - expected) ** 2 / expected).mean() == pytest.approx(1.0, abs=0.02)


def test_outside_the_map_is_background_alone(bright):
    q = np.array(
        [[CENTRE[0] + 0.2, 0.0, CENTRE[1]], [CENTRE[0], 0.0, CENTRE[1]], [CENTRE[0], 0.024, CENTRE[1]]]
    )
    found, hidden = intensity_at(bright, q, centre=0.0, instrument=INSTRUMENT)
    assert found[0] == 0.0
    assert found[1] == pytest.approx(bright.intensity[130, 100], rel=1e-6)
    assert found[2] == pytest.approx(found[1] * np.exp(-2.0))
    assert not hidden.any()


def test_the_monitor_counts_the_beam_that_made_the_frames(bright):
    drifting = replace(INSTRUMENT, drift=0.2, background=20.0)
    frames = take(bright, instrument=drifting)
    still = take(bright, instrument=replace(drifting, drift=0.0))
    ratio = frames.counts.sum(axis=(1, 2)) / still.counts.sum(axis=(1, 2))
    np.testing.assert_allclose(ratio, frames.monitor / 1e6, rtol=0.03)
    assert np.ptp(frames.monitor) > 2e5


def test_a_substrates_peak_saturates_and_dead_pixels_count_nothing():
    flat = Motif((PERIOD, A), np.zeros((3, 4, 1, 16)), None)
    axes = Axes(CENTRE[0] + np.linspace(-0.02, 0.02, 41), np.linspace(CENTRE[1] - 0.1, 4.9, 201))
    told = replace(INSTRUMENT, stop=(0.02, 0.02), dead=0.02)
    found = bright_map(
        motif=flat, stack=STACK, substrate=BELOW, hkl=HKL, axes=axes, disorder=Disorder(coherence=200.0, places=1),
        instrument=told, seed=1,
    )  # fmt: skip
    angles = rocking_angles(q=(CENTRE[0], 6 * np.pi / BELOW.c), energy_kev=ENERGY, width=0.5, frames=20)
    frames = frames_from_map(
        found, stack=STACK, angles=angles, detector=DETECTOR, instrument=told, peak_counts=500.0, saturation=2000,
        seed=0,
    )  # fmt: skip
    assert frames.counts.max() == frames.saturation == 2000
    assert (frames.counts == 2000).any(axis=0).sum() >= 1
    assert frames.counts[:, frames.pixel_mask != 0].max() == 0
    assert frames.pixel_mask.mean() == pytest.approx(0.02, rel=0.4)


def test_the_same_seed_takes_the_same_frames(bright):
    np.testing.assert_array_equal(take(bright).counts, take(bright).counts)
    assert (take(bright).counts != take(bright, seed=4).counts).any()


def test_frames_that_cannot_be_are_refused(bright):
    with pytest.raises(UserError, match="peak_counts: expected above 0, at most saturation = 1048576"):
        take(bright, peak_counts=2e6)
    away = rocking_angles(q=(0.0, 3.0), energy_kev=ENERGY, width=0.5, frames=3)
    with pytest.raises(UserError, match=r"angles: no pixel sees the map; its centre is at qx = 1\.6"):
        frames_from_map(
            bright,
            stack=STACK,
            angles=away,
            detector=DETECTOR,
            instrument=INSTRUMENT,
            peak_counts=10.0,
            seed=0,
        )


def test_the_middle_of_the_line_along_qy_is_the_reflections_own():
    assert middle(2, A) == pytest.approx(4 * np.pi / A)
