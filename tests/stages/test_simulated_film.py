"""From simulated counts to orders: what was put in comes out of the preparation."""

import numpy as np
import pytest
import torch
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.materials import built_in
from nanotexture.stages.models import PrepareConfig, ReferenceConfig, SimulateConfig
from nanotexture.stages.prepare import prepare
from nanotexture.stages.reference import reference
from nanotexture.stages.simulate import simulate_map

HKL = ((0, 0, 2), (-1, 0, 3))
FILM = FilmConfig(
    in_plane=3.905,
    layers=(LayerConfig(material=built_in("PbTiO3"), cells=None, c=4.08),),
    thickness=163.2,
    substrate=SubstrateConfig(material=built_in("SrTiO3"), c=3.905),
)


@pytest.fixture(scope="module")
def orders():
    torch.set_num_threads(1)
    told = {
        "film": FILM, "reflections": HKL, "period": 120.0, "amplitude": 0.12, "tilt": 15.0, "duty": 0.5, "wall": 20.0,
        "correlation_length": 800.0, "peak_counts": 1e6, "background": 3.0, "energy": 8.048, "seed": 1,
    }  # fmt: skip
    maps = [simulate_map(config=SimulateConfig(hkl=hkl, **told)) for hkl in HKL]
    return prepare(maps, config=PrepareConfig(film=FILM, period=None, seed=0))


def test_period_c_and_thickness_are_those_of_the_film(orders):
    assert float(orders["period"]) == pytest.approx(120.0, abs=max(3 * float(orders["period_std"]), 0.1))
    assert float(orders["c"]) == pytest.approx(4.08, abs=4e-3)
    assert float(orders["thickness"]) == pytest.approx(
        163.2, abs=max(2 * float(orders["thickness_std"]), 3.0)
    )
    assert float(orders["in_plane"]) == pytest.approx(3.905, abs=3e-3)


def test_the_correlation_length_is_the_simulated_one_but_for_the_resolution(orders):
    """The simulation adds the resolution to a Lorentzian's width, the preparation removes it in quadrature."""
    assert 0.6 * 800 < float(orders["correlation_length"]) < 1.1 * 800


def test_held_out_values_are_satellites(orders):
    held = orders["held_out"].values != 0
    assert held.any()
    assert not held[:, orders["order"].values == 0].any()
    assert np.isfinite(orders["intensity"].values[held]).all()


def test_the_reference_lattice_is_the_recipes(orders):
    found = reference([orders], config=ReferenceConfig(film=FILM))
    assert float(found["thickness"]) == pytest.approx(163.2)
    np.testing.assert_allclose(found["spacing"], 4.08)
    np.testing.assert_allclose(np.diff(found["z"]), 4.08)
