from __future__ import annotations

import numpy as np
import pytest
import torch
from nanotexture.film.materials import built_in
from nanotexture.simulate.phasefield.energy import functional_of
from nanotexture.simulate.phasefield.settings import Electrical, Settings, Surroundings
from torch import Tensor

from .superlattices import lead_titanate, superlattice

STIFFNESS = 10.0 * 8.8541878128e-3  # (C/m^2)^2 / GPa


def electric_energy(settings: Settings, field: Tensor) -> float:
    """Electric part of the mean energy density in GPa."""
    functional = functional_of(settings)
    return functional.evaluate(field, functional.elasticity.start(), 1e-3).parts[3]


def slab(settings: Settings, nodes: slice, component: int = 2) -> Tensor:
    """P of 0.5 C/m^2 within some nodes along z."""
    field = torch.zeros(3, *settings.shape, dtype=torch.float64)
    field[component, :, :, nodes] = 0.5
    return field


@pytest.mark.parametrize(
    ("electrical", "expected"),
    [(Electrical.SHORT, 0.5 * 0.25 * 0.75 * 0.25), (Electrical.OPEN, 0.5 * 0.25 * 0.25)],
)
def test_a_slab_has_the_energy_of_a_plate_capacitor(electrical: Electrical, expected: float) -> None:
    settings = superlattice(cells=8, electrical=electrical)
    field = slab(settings, slice(10, 14))
    assert electric_energy(settings, field) == pytest.approx(expected / STIFFNESS, rel=1e-9)
    assert electric_energy(settings, slab(settings, slice(10, 14), 0)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("component", "share"), [(0, 1.0), (1, 0.0), (2, 0.0)])
def test_a_wave_of_polarization_costs_energy_only_head_to_head(component: int, share: float) -> None:
    settings = superlattice(cells=4, period=80.0)
    field = torch.zeros(3, *settings.shape, dtype=torch.float64)
    wave = 0.4 * np.cos(2 * np.pi * np.arange(settings.shape[0]) / settings.shape[0])
    field[component] = torch.as_tensor(wave)[:, None, None]
    expected = share * 0.25 * 0.4**2 / STIFFNESS
    assert electric_energy(settings, field) == pytest.approx(expected, abs=1e-12)


def film(electrical: Electrical) -> Settings:
    """Ten cells of PbTiO3 on a substrate below vacuum."""
    elastic = built_in("SrTiO3").elastic
    assert elastic is not None
    return Settings(
        layers=(lead_titanate(10),),
        in_plane=3.905,
        period=60.0,
        surroundings=Surroundings(elastic, 10, 8),
        electrical=electrical,
    )


def test_electrodes_take_the_field_of_a_uniform_film_away_and_an_open_circuit_does_not() -> None:
    settings = film(Electrical.ELECTRODES)
    field = slab(settings, slice(10, 20))
    opened = electric_energy(film(Electrical.OPEN), field)
    assert opened == pytest.approx(0.5 * 0.25 / STIFFNESS * 10 / 28, rel=1e-9)
    assert 0.0 <= electric_energy(settings, field) < 0.005 * opened


def test_the_potential_is_the_same_on_both_electrodes_at_every_place() -> None:
    functional = functional_of(film(Electrical.ELECTRODES))
    electrodes = functional.electrodes
    assert electrodes is not None
    field = torch.as_tensor(np.random.default_rng(0).normal(0, 0.3, (3, *functional.grid.shape)))
    modes = functional.grid.forward(field * functional.coefficients.polar)
    _, pull = electrodes.energy_and_slope(modes)
    # slope of the free charge is i k potential: its potential must cancel that of the bound charge on the planes
    wave, square = electrodes.wave, (electrodes.wave**2).sum(0)
    answer = torch.where(square > 0, (-1j * (wave * pull).sum(0)) / square.clamp_min(1e-9), 0.0)
    bound = -1j * (wave * modes).sum(0) * electrodes.inverse_square
    on_planes = [
        functional.grid.backward(part * electrodes.half)[:, :, electrodes.planes] for part in (answer, bound)
    ]
    total = on_planes[0] + on_planes[1]
    assert float((total - total.mean()).abs().max()) < 1e-9 * float(on_planes[1].abs().max())
