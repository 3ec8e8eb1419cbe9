"""The published vortices of (PbTiO3)16/(SrTiO3)16: periods, polarization, and what thin layers do instead."""

from __future__ import annotations

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.simulate.phasefield.period import find_period, period_scan
from nanotexture.simulate.phasefield.relax import Equilibrium, relax
from nanotexture.simulate.phasefield.settings import Stepping

from .superlattices import superlattice

COARSE = {"step": 8.0, "cells_per_node": 2}


@pytest.fixture(scope="module")
def found() -> tuple[float, Equilibrium]:
    return find_period(superlattice(period=100.0))


def test_the_period_of_least_energy_is_the_published_one(found: tuple[float, Equilibrium]) -> None:
    assert found[0] == pytest.approx(117.0, rel=0.15)


def test_polarization_has_the_published_size(found: tuple[float, Equilibrium]) -> None:
    px, py, pz = np.abs(found[1].polarization[:, :, 0])
    assert pz[:, 23:25].mean(1).max() == pytest.approx(0.60, abs=0.06)
    assert px[:, 16:20].max() == pytest.approx(0.48, abs=0.08)
    assert px[:, 28:32].max() == pytest.approx(0.48, abs=0.08)
    assert 0.05 < pz[:, :16].max(0).mean() < 0.17
    assert py.max() < 0.05


def circulation(end: Equilibrium) -> np.ndarray:
    """Circulation of P along loops of half the layer's height at every x, (nx,)."""
    px, _, pz = end.polarization[:, :, 0]
    reach = px.shape[0] // 8
    along = px[:, 18:21].mean(1) - px[:, 27:30].mean(1)
    upward = pz[:, 20:28].mean(1)
    return along + np.roll(upward, -reach) - np.roll(upward, reach)


def test_vortices_turn_in_turn_clockwise_and_anticlockwise(found: tuple[float, Equilibrium]) -> None:
    turning = np.sign(circulation(found[1]))
    assert (np.diff(np.append(turning, turning[0])) != 0).sum() == 2
    assert abs(turning.mean()) < 0.2
    mid = found[1].polarization[2, :, 0, 24]
    assert mid.max() == pytest.approx(-mid.min(), abs=0.05)


def test_mean_strain_is_the_substrates_and_stress_has_no_divergence(found: tuple[float, Equilibrium]) -> None:
    end = found[1]
    np.testing.assert_allclose(end.strain.mean((1, 2, 3))[[0, 1, 5]], 0.0, atol=1e-12)
    assert end.divergence < 1e-6
    assert np.abs(end.stress.mean((1, 2, 3))[2:5]).max() < 1e-6 * np.abs(end.stress).max()


def test_periods_grow_as_the_square_root_of_the_layer_thickness() -> None:
    cells = np.array([8, 12, 16, 20])
    # vortices down to 8 cells need a little compression; on DyScO3 thin layers polarize in the plane (next test)
    periods = [
        find_period(superlattice(n, 28.0 * n**0.5, in_plane=3.94, stepping=Stepping(force=1e-4)))[0]
        for n in cells
    ]
    slope = np.polyfit(np.log(cells), np.log(periods), 1)[0]
    assert 0.4 < slope < 0.6


def test_layers_of_eight_cells_on_dyscandate_polarize_in_the_plane_as_observed() -> None:
    end = relax(superlattice(8, 82.0))
    assert np.abs(end.polarization[2]).max() < 0.02
    assert np.abs(end.polarization[:2, ..., 12]).mean() > 0.2
    with pytest.raises(UserError, match="does not depend on the period"):
        find_period(superlattice(8, 82.0))


def test_a_scan_and_a_search_agree_and_two_periods_in_a_box_are_one_in_half_of_it() -> None:
    settings = superlattice(**COARSE, stepping=Stepping(force=1e-4))
    scan = period_scan(settings, [104.0, 112.0, 120.0, 128.0])
    period, _ = find_period(settings)
    assert scan.period == pytest.approx(period, rel=0.03)
    assert (scan.energies >= scan.equilibrium.energy).all()
    double = period_scan(settings, [200.0, 220.0, 240.0, 260.0, 280.0], pairs=2)
    assert double.period == pytest.approx(period, rel=0.05)


def test_a_scan_that_ends_at_its_minimum_is_refused_with_that_end() -> None:
    settings = superlattice(**COARSE, stepping=Stepping(force=1e-3))
    with pytest.raises(UserError, match="at the end, 70 angstrom"):
        period_scan(settings, [50.0, 60.0, 70.0])
    with pytest.raises(UserError, match="3 or more"):
        period_scan(settings, [100.0, 120.0])
    with pytest.raises(UserError, match="start from another box"):
        find_period(superlattice(**{**COARSE, "period": 60.0}, stepping=Stepping(force=1e-3)))
