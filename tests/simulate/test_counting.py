"""Counts: Poisson, one flux for all reflections, drift taken off, masked voxels, seeds."""

from dataclasses import replace

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.simulate.axes import Axes
from nanotexture.simulate.brightness import Brightness
from nanotexture.simulate.counting import flux_drift, measured_maps
from nanotexture.simulate.instrument import Instrument, detector_mask

PLAIN = Instrument(background=0.0)


def bright(level=1.0, hkl=(0, 0, 2), shape=(120, 90), mask=None):
    qx, qz = np.linspace(-0.1, 0.1, shape[0]), np.linspace(3.0, 3.2, shape[1])
    intensity = level * np.exp(-0.5 * ((qx[:, None] / 0.03) ** 2 + ((qz - 3.1) / 0.03) ** 2))
    return Brightness(hkl, Axes(qx, qz), intensity, np.zeros(shape, np.uint8) if mask is None else mask)


def measure(*maps, peak=1e4, instrument=PLAIN, seed=0):
    return measured_maps(maps or (bright(),), peak_counts=peak, instrument=instrument, seed=seed)


def test_the_counts_are_those_expected_and_scatter_as_poisson():
    flux = 1e4 / bright().intensity.max()
    (found,) = measure(instrument=replace(PLAIN, background=3.0))
    expected = flux * bright().intensity + 3.0
    assert found.intensity.sum() == pytest.approx(expected.sum(), abs=5 * np.sqrt(expected.sum()))
    chi2 = ((found.intensity - expected) ** 2 / expected).mean()
    assert chi2 == pytest.approx(1.0, abs=5 * np.sqrt(2.2 / expected.size))
    np.testing.assert_array_equal(found.intensity, np.rint(found.intensity))
    np.testing.assert_array_equal(found.variance, np.maximum(found.intensity, 1.0))


def test_all_reflections_share_one_flux_and_the_brightest_of_all_expects_the_peak():
    strong, weak = measure(bright(8.0), bright(0.5, (1, 0, 3)), peak=1e6)
    assert strong.intensity.max() == pytest.approx(1e6, rel=0.01)
    assert weak.intensity.sum() / strong.intensity.sum() == pytest.approx(1 / 16, rel=0.01)


def test_the_peak_is_that_of_the_voxels_that_are_measured():
    hidden = np.zeros((120, 90), np.uint8)
    hidden[40:80, 30:60] = 1
    (found,) = measure(bright(mask=hidden))
    assert found.intensity.max() == pytest.approx(1e4, rel=0.05)
    np.testing.assert_array_equal(found.mask, hidden)
    assert found.intensity[40:80, 30:60].max() == found.variance[40:80, 30:60].max() == 0.0
    assert found.variance[hidden == 0].min() >= 1.0


def test_the_monitor_takes_the_drift_off_and_the_variance_knows():
    told = replace(PLAIN, background=100.0, drift=0.2)
    runs = np.stack([[m.intensity, m.variance] for s in range(60) for m in measure(instrument=told, seed=s)])
    steady = 1e4 / bright().intensity.max() * bright().intensity + 100.0
    assert (runs[:, 0].mean(axis=0) / steady).mean() == pytest.approx(1.0, abs=2e-3)
    pulls = (runs[:, 0] - steady) ** 2 / runs[:, 1]
    assert pulls.mean() == pytest.approx(1.0, abs=0.03)
    factors = runs[:, 0] / runs[:, 1]
    assert 0.1 < factors[:, :, 0].std() < 0.3
    assert np.ptp(factors, axis=2).max() < 1e-9


def test_the_flux_drifts_slowly_by_what_was_told():
    many = np.stack([flux_drift(number=200, drift=0.05, rng=np.random.default_rng(s)) for s in range(400)])
    assert many.std() == pytest.approx(0.05, rel=0.1)
    assert np.abs(np.diff(many, axis=1)).max() < 0.02
    np.testing.assert_array_equal(flux_drift(number=9, drift=0.0, rng=np.random.default_rng(1)), np.ones(9))


def test_dead_voxels_and_a_gap_are_masked():
    told = replace(PLAIN, dead=0.02, gap=5)
    (found,) = measure(instrument=told)
    rows = found.mask.all(axis=0)
    assert rows.sum() == 5
    assert np.ptp(np.flatnonzero(rows)) == 4
    assert found.mask[:, ~rows].mean() == pytest.approx(0.02, rel=0.4)
    assert found.intensity[found.mask != 0].max() == 0.0


def test_gaps_keep_off_the_middle():
    for seed in range(50):
        mask = detector_mask(shape=(3, 80), instrument=replace(PLAIN, gap=6), rng=np.random.default_rng(seed))
        assert mask[0].sum() == 6
        assert not mask[0, 30:50].any()


def test_seeds_reproduce_and_reflections_differ():
    one, same, other = (measure(seed=s)[0].intensity for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    negative, positive = measure(bright(hkl=(-1, 0, 3)), bright(hkl=(1, 0, 3)))
    assert (negative.intensity != positive.intensity).any()


def test_a_reflections_noise_does_not_depend_on_its_neighbours():
    (alone,), (first, _) = measure(), measure(bright(), bright(0.5, (1, 0, 3)))
    np.testing.assert_array_equal(alone.intensity, first.intensity)


@pytest.mark.parametrize("peak", [0.0, -1.0, np.nan, np.inf, 1e16])
def test_counts_that_cannot_be_are_refused(peak):
    with pytest.raises(UserError, match="peak_counts: expected above 0 and at most 1e\\+15"):
        measure(peak=peak)


def test_a_film_without_light_is_refused():
    with pytest.raises(UserError, match="reflections: expected one that scatters"):
        measure(bright(0.0))
    with pytest.raises(UserError, match="reflections"):
        measured_maps([], peak_counts=1.0, instrument=PLAIN, seed=0)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"energy_kev": 8048.0}, "energy_kev: expected 0 to 200 keV, e.g. 8.048"),
        ({"energy_kev": 0.0}, "energy_kev"),
        ({"resolution": (0.1, -1.0)}, "resolution"),
        ({"stop": (np.nan, 1.0)}, "stop"),
        ({"qy_width": 0.0}, "qy_width"),
        ({"background": -1.0}, "background"),
        ({"dead": 0.9}, "dead: expected a share of 0 to 0.5"),
        ({"drift": -0.1}, "drift"),
        ({"gap": -2}, "gap"),
    ],
)
def test_instruments_that_cannot_be_are_refused(told, words):
    with pytest.raises(UserError, match="instrument." + words):
        Instrument(**told)
