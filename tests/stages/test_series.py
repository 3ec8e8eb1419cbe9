"""Domains, energies and the series of several temperatures, from textures made with known numbers."""

import numpy as np
import pytest
from nanotexture.film.config import FilmConfig, LayerConfig
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack
from nanotexture.simulate.a_c_domains import ACDomains, motif_from_a_c_domains
from nanotexture.simulate.laminate import Laminate, lamellae, motif_from_laminate, order_parameter
from nanotexture.simulate.motif import Motif
from nanotexture.stages.domains import domains
from nanotexture.stages.energy import energy
from nanotexture.stages.models import DomainsConfig, EnergyConfig, SeriesConfig
from nanotexture.stages.series import series

from .answers import NAN, answer, orders_of, reference_of

RUTHENATE = Stack(5.36, (Layer(built_in("Ca2RuO4"), 20, 12.1),))
TITANATE = Stack(3.905, (Layer(built_in("PbTiO3"), 30, 4.06),))
SUPERLATTICE = Stack(3.905, (Layer(built_in("SrTiO3"), 6, 3.9), Layer(built_in("PbTiO3"), 8, 4.03)), repeat=2)
KELVIN = (10.0, 60.0, 110.0, 150.0, 180.0, 200.0, 212.0, 240.0, 270.0, 300.0)
ONSET = 220.0


def texture_at(kelvin):
    return Laminate(
        period=100.0, period_onset=120.0, duty=0.4, wall=15.0, order=0.3, onset=ONSET, spread=4.0,
        temperature=kelvin, points=48,
    )  # fmt: skip


def laminate(kelvin):
    return answer(motif_from_laminate(stack=RUTHENATE, texture=texture_at(kelvin)), RUTHENATE, kelvin)


def config(stack):
    layers = tuple(LayerConfig(material=one.material, cells=one.cells, c=one.c) for one in stack.layers)
    film = FilmConfig(in_plane=stack.in_plane, layers=layers, repeat=stack.repeat)
    return EnergyConfig(film=film, seed=0)


@pytest.fixture(scope="module")
def laminates():
    return [laminate(kelvin) for kelvin in KELVIN]


@pytest.fixture(scope="module")
def found(laminates):
    return domains(laminates, reference_of(RUTHENATE), config=DomainsConfig(seed=0))


@pytest.fixture(scope="module")
def trend(laminates, found):
    orders = [
        orders_of(kelvin, 12.1 * (1 + 1e-5 * kelvin), 5.36, 0.02 * true_order(kelvin) ** 2)
        for kelvin in KELVIN
    ]
    return series(orders, laminates, reference_of(RUTHENATE), found, config=SeriesConfig())


def true_order(kelvin):
    return order_parameter(temperature=kelvin, onset=ONSET, spread=4.0)


def test_one_strain_tells_the_domains_at_every_temperature(found):
    assert found.attrs["quantity"] == "strain_xx"
    assert list(found["state"].values) == ["low", "middle", "high"]
    cold = found.isel(temperature=0)
    assert float(cold["area_fraction"][2]) == pytest.approx(0.4, abs=0.025)
    assert float(cold["duty"]) == pytest.approx(0.6, abs=0.025)
    np.testing.assert_allclose(cold["wall_inclination"].values, -42.0, atol=0.6)


def test_above_the_onset_there_are_no_domains_and_all_is_nan(found):
    warm = found.sel(temperature=300.0)
    for name in ("domain", "duty", "area_fraction", "wall_position", "wall_width", "layer_vortices"):
        assert np.isnan(warm[name]).all(), name


def test_the_order_parameter_is_that_of_the_texture(trend):
    """The strain of the lamellae; a longer period grows a little more slowly from the substrate up."""
    expected = np.array([lamellae(texture_at(kelvin)).strain for kelvin in KELVIN])
    np.testing.assert_allclose(trend["order_parameter"], expected / expected[0], atol=0.03)
    assert trend.attrs["order_parameter"] == "strain_xx"
    assert (trend["order_parameter_std"] > 0).all()


def test_motif_and_satellites_show_the_transition_where_it_is(trend):
    for name in ("transition_temperature", "satellite_transition_temperature"):
        at, error = float(trend[name]), float(trend[f"{name}_std"])
        assert abs(at - ONSET) < max(3 * error, 6.0)
        assert error < 10.0
    assert "Transition at" in trend.attrs["transition"]


def test_period_width_and_mean_strain_run_along_the_temperatures(trend):
    assert float(trend["period"][0]) < float(trend["period"][4])
    np.testing.assert_allclose(trend["mean_strain"][:, 1], 1e-5 * np.array(KELVIN), atol=1e-9)
    np.testing.assert_allclose(trend["mean_strain"][:, 0], 0.0, atol=1e-12)
    assert float(trend["wall_width"][0]) == pytest.approx(1.04 * 15.0, rel=0.15)
    assert np.isnan(trend["polarization_rms"]).all()


def test_errors_of_the_series_are_those_of_the_fields(laminates, found):
    """The fields' standard deviations are widened by chi2 already."""
    poor = [one.copy() for one in laminates]
    poor[2]["strain_std"] = 5 * poor[2]["strain_std"]
    orders = [orders_of(kelvin, 12.1, 5.36, 0.01) for kelvin in KELVIN]
    good, bad = (
        series(orders, one, reference_of(RUTHENATE), found, config=SeriesConfig())
        for one in (laminates, poor)
    )
    ratio = bad["order_parameter_std"] / good["order_parameter_std"]
    np.testing.assert_allclose(ratio, np.where(np.arange(10) == 2, 5.0, 1.0))


def test_polarization_tells_the_domains_where_it_is_seen_and_strain_where_it_is_not():
    motif = motif_from_a_c_domains(stack=TITANATE, texture=ACDomains(period=160.0, duty=0.7, points=48))
    reference = reference_of(TITANATE)
    seen = domains([answer(motif, TITANATE)], reference, config=DomainsConfig(seed=0))
    assert seen.attrs["quantity"] == "polarization"
    shares = dict(zip(seen["state"].values, seen["area_fraction"].values[0], strict=True))
    assert shares["+z"] == pytest.approx(0.7, abs=0.02)
    assert np.isfinite(seen["vorticity"]).all()
    hidden = domains([answer(motif, TITANATE, polarization_std=5.0)], reference, config=DomainsConfig(seed=0))
    assert hidden.attrs["quantity"].startswith(("strain", "rotation"))
    assert np.isnan(hidden["layer_vortices"]).all()


def test_a_texture_that_is_not_determined_has_nothing_but_nan():
    motif = motif_from_laminate(stack=RUTHENATE, texture=Laminate(period=100.0, points=24))
    dark = answer(Motif(motif.periods, 0 * motif.displacement, None), RUTHENATE) * NAN
    dark["period"], dark["x"], dark["z"] = (
        0 * dark["period"].fillna(0) + 100.0,
        np.arange(24) / 24,
        RUTHENATE.heights,
    )
    found = domains([dark], reference_of(RUTHENATE), config=DomainsConfig(seed=0))
    assert found.attrs["quantity"] == "none"
    assert np.isnan(found["domain"]).all()


def test_one_domain_has_its_landau_energy_and_no_other():
    p = np.zeros((3, 16, 1, 30))
    p[2] = 0.757
    one = answer(Motif((100.0, 3.905), 0 * p, p), TITANATE, 298.15, strain_std=0.0, polarization_std=0.0)
    found = energy([one], reference_of(TITANATE), config=config(TITANATE))
    f = built_in("PbTiO3").landau
    depth = f.a1(298.15) * 0.757**2 + f.a11 * 0.757**4 + f.a111 * 0.757**6
    np.testing.assert_allclose(found["landau"], depth)
    np.testing.assert_allclose(found["gradient"], 0.0, atol=1e-3)
    np.testing.assert_allclose(found["elastic"], 0.0, atol=1e-3)
    assert float(found["landau_mean"][0]) == pytest.approx(depth)
    assert float(found["landau_mean_std"][0]) == 0.0
    assert found.attrs["eigenstrain"] == "subtracted"


def test_energies_use_each_layers_coefficients_and_errors_follow_from_the_fields():
    p = np.zeros((3, 16, 1, len(SUPERLATTICE.heights)))
    p[2] = 0.3
    one = answer(Motif((100.0, 3.905), 0 * p, p), SUPERLATTICE, NAN, polarization_std=0.02)
    found = energy([one], reference_of(SUPERLATTICE), config=config(SUPERLATTICE))
    layers = np.array(SUPERLATTICE.plane_materials)
    for k, layer in enumerate(SUPERLATTICE.layers):
        f = layer.material.landau
        depth = f.a1(298.15) * 0.3**2 + f.a11 * 0.3**4 + f.a111 * 0.3**6
        np.testing.assert_allclose(found["landau"].values[0][:, layers == k], depth)
    assert float(found["landau_mean_std"][0]) > 0


def test_energies_without_coefficients_or_fields_are_nan(laminates):
    found = energy(laminates[:1], reference_of(RUTHENATE), config=config(RUTHENATE))
    for name in ("elastic", "landau", "gradient", "elastic_mean", "landau_mean_std"):
        assert np.isnan(found[name]).all(), name
    assert "no electrostriction" in found.attrs["eigenstrain"]
