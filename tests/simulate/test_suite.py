"""The benchmark suite: what it covers, that its numbers are fixed, and that its satellites fade as they should."""

from dataclasses import replace

import numpy as np
import pytest
from nanotexture.film.materials import built_in
from nanotexture.film.structure_factor import structure_factor
from nanotexture.simulate.axes import Axes
from nanotexture.simulate.counting import Measured
from nanotexture.simulate.suite import (
    COUNTS,
    DISORDERS,
    Case,
    brightness_of,
    cases,
    films,
    measure,
    motif_of,
    rotated_cell,
    satellite_visibility,
)


@pytest.fixture(scope="module")
def film():
    whole = next(film for film in films() if film.name == "closure_50")
    return replace(whole, reflections=whole.reflections[1::3])


def test_the_suite_covers_the_textures_periods_and_thicknesses_it_promises():
    listed = films()
    assert len(listed) >= 12
    assert len({film.name for film in listed}) == len({film.seed for film in listed}) == len(listed)
    assert {f.texture.kind for f in listed} >= {"vortices", "closure", "a_c_domains", "laminate", "random"}
    periods = [film.texture.period for film in listed]
    assert (min(periods), max(periods)) == (50.0, 300.0)
    thick = [film.stack.thickness for film in listed]
    assert 150.0 <= min(thick) < 200.0
    assert 500.0 < max(thick) <= 600.0
    assert all(len(film.reflections) >= 5 for film in listed)
    assert len(cases()) == len(listed) * len(COUNTS) * len(DISORDERS)
    assert len({case.name for case in cases()}) == len(cases())


def test_every_texture_of_the_suite_can_be_made_and_lies_on_its_films_planes():
    for film in films():
        motif = motif_of(film)
        assert motif.displacement.shape[3] == len(film.stack.heights)
        assert 0.01 < np.abs(motif.displacement).max() < 1.5
        assert motif.periods[0] == pytest.approx(film.texture.period, rel=0.05)


def test_a_case_is_the_same_each_time_and_its_counts_peak_where_they_were_told(film):
    motif = motif_of(film)
    few = Case(film, 1e5, 0.06)
    one, other = (measure(few, motif=motif) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.intensity, b.intensity)
    assert max(m.intensity.max() for m in one) == pytest.approx(1e5, rel=0.02)
    assert [m.hkl for m in one] == list(film.reflections)


def test_satellites_rise_with_counts_and_fade_with_disorder(film):
    motif = motif_of(film)

    def seen(counts, disorder, order):
        found = measure(Case(film, counts, disorder), motif=motif, brights=brights[disorder])
        told = {"in_plane": film.stack.in_plane, "period": motif.periods[0], "order": order}
        return np.max([satellite_visibility(m, **told) for m in found], axis=0)

    brights = {d: brightness_of(film, disorder=d, motif=motif) for d in (0.02, 0.15)}
    for order in (1, 2):
        assert seen(1e6, 0.02, order)[1] > 2 * seen(1e4, 0.02, order)[1]
        assert seen(1e6, 0.15, order)[0] < 0.8 * seen(1e6, 0.02, order)[0]


def test_visibility_is_the_signal_over_its_own_noise():
    qx, qz = np.linspace(-0.2, 0.2, 81), np.linspace(3.0, 3.2, 41)
    counts = np.full((81, 41), 4.0)
    counts[40 + 20, 20] = 404.0
    quiet = Measured((0, 0, 2), Axes(qx, qz), 8.0, counts, counts, np.zeros((81, 41), np.uint8))
    told = {"in_plane": 4.0, "period": 2 * np.pi / 0.1}
    peak, ratio = satellite_visibility(quiet, order=1, **told)
    near = 2 * 11 * 41
    assert peak == pytest.approx(100.0)
    assert ratio == pytest.approx(400 / np.sqrt(4 * near + 400))
    assert satellite_visibility(quiet, order=2, **told)[0] == 0.0
    assert satellite_visibility(quiet, order=9, **told) == (0.0, 0.0)


def test_a_turned_cell_scatters_two_formula_units_at_the_same_q():
    """(h k) of the pseudocubic cell is (h + k, k - h) of the turned one; odd sums of its indices are extinct."""
    small = built_in("LaAlO3")
    big = rotated_cell(small)
    qz = np.array([3.3, 4.7])

    def factor(material, h, k, a):
        return structure_factor(
            material=material, h=np.array(float(h)), k=float(k), qz=qz, in_plane=a, c=3.79, energy_kev=8.0
        )

    for h, k in ((1, 0), (1, 1), (2, -1)):
        twice = factor(big, h + k, k - h, 3.79 * 2**0.5)
        np.testing.assert_allclose(np.abs(twice), 2 * np.abs(factor(small, h, k, 3.79)), rtol=1e-9)
    assert np.abs(factor(big, 1, 0, 3.79 * 2**0.5)).max() < 1e-9
