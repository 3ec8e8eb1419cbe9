"""From simulated counts to orders: what was put in comes out of the preparation."""

import numpy as np
import pytest
import torch
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.materials import built_in
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.places import Disorder
from nanotexture.simulate.stripes import Stripes
from nanotexture.stages.models import (
    BrightConfig,
    CountsConfig,
    PrepareConfig,
    ReferenceConfig,
    SimulateConfig,
)
from nanotexture.stages.prepare import prepared
from nanotexture.stages.reference import reference
from nanotexture.stages.simulate import simulate_bright, simulate_map, simulate_texture

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
    motif = simulate_texture(config=SimulateConfig(film=FILM, texture=Stripes(period=120.0, amplitude=0.12)))
    told = {
        "film": FILM, "axis_period": 120.0, "orders": 3.5, "voxels": (401, 121), "film_gap": 0.0, "seed": 1,
        "disorder": Disorder(cumulative=0.06, coherence=1500.0, places=400), "instrument": Instrument(background=3.0),
    }  # fmt: skip
    brights = [simulate_bright(motif, config=BrightConfig(hkl=hkl, **told)) for hkl in HKL]
    counted = {"peak_counts": 1e6, "instrument": told["instrument"], "temperature": None, "seed": 1}
    maps = [simulate_map(brights, config=CountsConfig(hkl=hkl, **counted)) for hkl in HKL]
    return prepared(maps, PrepareConfig(film=FILM, period=None, seed=0))


def test_period_c_and_thickness_are_those_of_the_film(orders):
    assert float(orders["period"]) == pytest.approx(120.0, abs=max(3 * float(orders["period_std"]), 0.1))
    assert float(orders["c"]) == pytest.approx(4.08, abs=4e-3)
    assert float(orders["thickness"]) == pytest.approx(
        163.2, abs=max(2 * float(orders["thickness_std"]), 3.0)
    )
    assert float(orders["in_plane"]) == pytest.approx(3.905, abs=3e-3)


def test_the_correlation_length_is_that_of_the_paracrystal(orders):
    """Period over 2 pi^2 sigma^2; the line is that of 400 places of 1500 angstrom, not of endless ones."""
    assert 0.6 < float(orders["correlation_length"]) / (120.0 / (2 * np.pi**2 * 0.06**2)) < 1.4


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
