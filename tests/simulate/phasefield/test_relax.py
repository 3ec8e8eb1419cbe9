from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.film.materials import built_in
from nanotexture.simulate.phasefield.energy import functional_of
from nanotexture.simulate.phasefield.relax import Outcome, relax
from nanotexture.simulate.phasefield.settings import Electrical, Settings, Stepping, Surroundings
from nanotexture.simulate.phasefield.starts import noise, stripes, uniform

from .superlattices import bulk, lead_titanate, superlattice

COARSE = {"step": 8.0, "cells_per_node": 2}


def test_a_free_crystal_relaxes_to_the_published_polarization_and_its_tetragonal_cell() -> None:
    settings = bulk()
    end = relax(settings, uniform(settings, (0.0, 0.0, 1.0)))
    assert end.outcome is Outcome.CONVERGED
    assert np.abs(end.polarization[2]).mean() == pytest.approx(0.757, abs=5e-4)
    assert np.abs(end.polarization[:2]).max() < 1e-3
    # less the electrostriction: a = 3.957 (1 - 0.026 P^2), c = 3.957 (1 + 0.089 P^2), within 0.02 of the measured cell
    strain = end.strain.mean((1, 2, 3))
    np.testing.assert_allclose(strain[:3], 0.7571**2 * np.array([-0.026, -0.026, 0.089]), rtol=2e-3)
    np.testing.assert_allclose(3.957 * (1 + strain[[0, 2]]), [3.905, 4.156], atol=0.01)
    assert np.abs(end.stress).max() < 1e-4 * 175e9 * 0.05


CASES = {
    "vortices": superlattice(**COARSE),
    "three dimensions": superlattice(cells=4, period=48.0, width=40.0, **COARSE, in_plane=3.92),
    "single precision": superlattice(**COARSE, dtype="float32"),
    "film": Settings(
        layers=(lead_titanate(10),),
        in_plane=3.905,
        period=60.0,
        surroundings=Surroundings(built_in("SrTiO3").elastic, 8, 4),  # type: ignore[arg-type]
        electrical=Electrical.OPEN,
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("start", ["stripes", "noise"])
def test_energy_never_rises_and_the_clamp_holds(case: str, start: str) -> None:
    settings = CASES[case]
    field = stripes(settings) if start == "stripes" else noise(settings, 0.3)
    end = relax(settings, field)
    energies = end.energies.sum(1)
    slack = 1e-6 if settings.dtype == "float32" else 1e-8
    assert (np.diff(energies[:-1]) <= 1e-14 * np.abs(end.energies[-1]).sum()).all()
    assert energies[-1] <= energies[-2] + slack * np.abs(end.energies[-1]).sum()
    assert energies[0] - energies[-1] > 1e5
    np.testing.assert_allclose(end.strain.mean((1, 2, 3))[[0, 1, 5]], (*settings.strain, 0.0), atol=1e-7)
    assert end.divergence < (1e-6 if settings.dtype == "float64" else 1e-3)
    assert len(end.times) == len(end.energies)
    assert (np.diff(end.times) > 0.0).all()


def test_a_first_short_step_follows_the_equation_of_motion() -> None:
    settings = superlattice(cells=4, period=24.0)
    functional = functional_of(settings)
    state = functional.evaluate(
        functional.grid.tensor(stripes(settings)), functional.elasticity.start(), 1e-8
    )
    resistance = 1e7
    change = functional.step(state, resistance) - state.polarization
    np.testing.assert_allclose(change * resistance, -state.slope, atol=1e-4)
    short = relax(replace(settings, stepping=Stepping(mobility=1e3, first_step=1e-15, most_steps=1)))
    assert short.outcome is Outcome.STEPS
    np.testing.assert_allclose(short.times, [0.0, 1e-15])
    # P moves by -mobility dt slope, in SI: the slope in GPa per C/m^2 is 1e9 V/m
    moved = short.polarization - stripes(settings)
    explicit = -1e3 * 1e-15 * 1e9 * state.slope.numpy()
    assert np.linalg.norm(moved - explicit) < 0.05 * np.linalg.norm(explicit)


def test_single_precision_agrees_with_double() -> None:
    settings = superlattice(**COARSE)
    ends = [relax(replace(settings, dtype=dtype)) for dtype in ("float64", "float32")]
    assert ends[1].energy == pytest.approx(ends[0].energy, rel=1e-5)
    assert ends[1].outcome in (Outcome.CONVERGED, Outcome.ROUNDING)
    assert np.abs(ends[0].polarization - ends[1].polarization).max() < 0.02


def test_one_seed_gives_one_texture_and_another_seed_another() -> None:
    first, again, other = (relax(superlattice(**COARSE, seed=seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.polarization, again.polarization)
    np.testing.assert_array_equal(first.energies, again.energies)
    assert np.abs(first.polarization - other.polarization).max() > 1e-6


def test_strain_is_the_symmetric_gradient_of_the_displacement() -> None:
    settings = superlattice(period=120.0)
    end = relax(settings)
    hx, _, hz = settings.spacing
    u = end.displacement[:, :, 0] * 0.1
    waves = [2 * np.pi * np.fft.fftfreq(n, h) for n, h in ((u.shape[1], hx), (u.shape[2], hz))]
    waves[0][u.shape[1] // 2] = 0.0
    along_x = np.fft.ifft(1j * waves[0][:, None] * np.fft.fft(u, axis=1), axis=1).real
    np.testing.assert_allclose(along_x[0], end.strain[0, :, 0], atol=1e-10)
    rise = u[2] - end.strain[2].mean() * (np.arange(u.shape[2]) + 0.5) * hz
    wave = np.where(np.arange(u.shape[2]) == u.shape[2] // 2, 0.0, waves[1])
    along_z = np.fft.ifft(1j * wave * np.fft.fft(rise, axis=1), axis=1).real
    np.testing.assert_allclose(along_z + end.strain[2].mean(), end.strain[2, :, 0], atol=1e-10)


def test_displacement_of_an_even_strain_rises_from_the_lower_face_of_the_first_node() -> None:
    settings = replace(bulk(), strain=(0.01, 0.01), clamped=True)
    end = relax(settings, np.zeros((3, *settings.shape)))
    rise = -2 * 79.4 / 175 * 0.01
    heights = (np.arange(4) + 0.5) * 3.957
    np.testing.assert_allclose(end.displacement[2, 0, 0], rise * heights, rtol=1e-9)
    np.testing.assert_allclose(end.displacement[:2], 0.0, atol=1e-12)


def test_progress_is_told_at_every_step_and_a_start_of_another_shape_is_refused() -> None:
    seen: list[tuple[int, float, float]] = []
    settings = superlattice(**COARSE, stepping=Stepping(force=1e-2))
    end = relax(settings, progress=lambda *numbers: seen.append(numbers))
    assert [step for step, _, _ in seen] == list(range(1, end.steps + 1))
    assert seen[-1][2] < 1e-2
    assert seen[-1][1] == pytest.approx(end.energy, rel=1e-6)
    with pytest.raises(UserError, match=r"start: expected shape \(3, 15, 1, 16\), found \(3, 4, 1, 4\)"):
        relax(settings, np.zeros((3, 4, 1, 4)))


def test_an_energy_without_a_lower_bound_is_refused_instead_of_followed() -> None:
    settings = bulk()
    material = settings.layers[0].material
    assert material.landau is not None
    endless = replace(material, landau=replace(material.landau, a112=-6.1e8))
    settings = replace(settings, layers=(replace(settings.layers[0], material=endless),))
    with pytest.raises(UserError, match="no lower bound"):
        relax(settings, uniform(settings, (1.0, 1.0, 1.0), amplitude=1.5))
