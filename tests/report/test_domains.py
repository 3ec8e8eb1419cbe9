"""Domains, energies and the series in the report: what is known is shown and said, what is not is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from nanotexture.film.config import FilmConfig, LayerConfig
from nanotexture.film.materials import built_in
from nanotexture.report.domain_text import NO_WALLS, domains_text
from nanotexture.report.figures import domains_figure, energy_figure, trend_figure
from nanotexture.report.summary import summary_rows
from nanotexture.schema import REFERENCE, labelled
from nanotexture.stages.domains import domains
from nanotexture.stages.energy import energy
from nanotexture.stages.models import DomainsConfig, EnergyConfig, SeriesConfig
from nanotexture.stages.series import series

FILM = FilmConfig(
    in_plane=3.9885, layers=(LayerConfig(material=built_in("PbTiO3"), cells=80, c=3.96),), thickness=316.8
)


def known(result, trees):
    """The result with the groups that follow from its textures."""
    z = trees.heights()
    lattice = {
        "z": z,
        "spacing": 0 * z + trees.C_FILM,
        "layer": np.zeros(len(z), np.int64),
        "in_plane": trees.A_IN,
    }
    reference = labelled(lattice | {"c": trees.C_FILM, "thickness": 316.8, "period": 234.0}, REFERENCE)
    textures = [result.texture.isel(temperature=t) for t in range(len(result.temperatures))]
    found = domains(textures, reference, config=DomainsConfig(seed=0))
    energies = energy(textures, reference, config=EnergyConfig(film=FILM, seed=0))
    return replace(result, domains=found, energy=energies, series=_series(textures, reference, found))


def _series(textures, reference, found):
    orders = []
    for one in textures:
        numbers = {name: one[name] for name in ("c", "c_std", "period")}
        numbers |= {"in_plane": one["c"] * 0 + 3.9885, "in_plane_std": one["c_std"]}
        orders.append(one.drop_vars([n for n in numbers if n in one]).assign(numbers).assign(_satellites()))
    return series(orders, textures, reference, found, config=SeriesConfig())


def _satellites():
    bright = np.array([1.0, 10.0, 1.0])[None, :, None] * np.ones(4)
    dims = ("reflection", "order", "row")
    return {
        "hkl": (("reflection", "index"), np.array([[0, 0, 2]])),
        "order": ("order", np.array([-1, 0, 1])),
        "intensity": (dims, bright),
        "variance": (dims, bright),
    }


@pytest.fixture(scope="module")
def three(results, trees):
    return known(results["three"], trees)


@pytest.fixture(scope="module")
def several(results, trees):
    return known(results["series"], trees)


@pytest.fixture(scope="module")
def failed(results, trees):
    return known(results["failed"], trees)


def test_walls_cores_and_areas_are_told_with_errors_and_units(three):
    text = domains_text(three.domains.isel(temperature=0))
    assert text.startswith("Domains by the direction of P: +x ")
    assert "2 walls in one period: at " in text
    assert text.count("from the film normal") == 2
    assert text.count(" Å wide") == 2
    # P = (sin x cos z, cos x sin z) is a saddle wherever it vanishes inside the film
    assert "Layer 1 from below: 0 vortices and 2 antivortices in one period" in text


def test_a_strain_along_q_tells_domains_where_nothing_else_is_known(several):
    text = domains_text(several.domains.isel(temperature=0))
    assert text.startswith("Domains by the s")
    assert "u along Q" in text
    assert "vort" not in text


def test_what_is_not_determined_has_no_picture_and_says_so(failed):
    one, texture = failed.domains.isel(temperature=0), failed.texture.isel(temperature=0)
    assert domains_figure(one, texture) is None
    assert energy_figure(failed.energy.isel(temperature=0), texture) is None
    assert NO_WALLS in domains_text(one)


def test_vorticity_stands_beside_the_domains_where_p_is_known(three, several):
    figure = domains_figure(three.domains.isel(temperature=0), three.texture.isel(temperature=0))
    assert [ax.get_title(loc="left") for ax in figure.axes[:2]] == ["domains and walls", "vorticity of P"]
    single = domains_figure(several.domains.isel(temperature=0), several.texture.isel(temperature=0))
    assert len(single.axes) == 1


def test_a_wall_is_drawn_once_in_every_period(three):
    figure = domains_figure(three.domains.isel(temperature=0), three.texture.isel(temperature=0))
    position = 0.1 * three.domains["wall_position"].values[0, 0]
    period = 0.1 * float(three.texture["period"][0])
    drawn = [line.get_xdata() for line in figure.axes[0].lines if len(line.get_xdata()) == len(position)]
    ends = {round(float(line[np.isfinite(line)][0]), 6) for line in drawn}
    first = position[np.isfinite(position)][0]
    assert {round(float(first + k * period), 6) for k in range(2)} <= ends


def test_energy_densities_are_drawn_in_their_own_scales(three):
    figure = energy_figure(three.energy.isel(temperature=0), three.texture.isel(temperature=0))
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.images]
    assert titles == ["elastic energy", "Landau energy", "gradient energy"]


def test_a_series_shows_what_it_knows_and_says_how_many_temperatures_a_transition_needs(several, text):
    figure = trend_figure(several.series)
    labels = [ax.get_ylabel() for ax in figure.axes if ax.get_visible()]
    assert labels[:2] == ["order parameter", "satellite amplitude"]
    assert not any("|P|" in label for label in labels)
    page = text(several)
    assert "Order parameter and walls against temperature" in page
    assert "5 or more known temperatures" in page


def test_one_temperature_has_domains_and_no_series(three, text):
    page = text(three)
    assert "Domains, walls and energy" in page
    assert "Order parameter and walls against temperature" not in page
    names = [row.name for row in summary_rows(three)]
    assert {"duty", "wall width", "elastic energy density", "Landau energy density"} <= set(names)


def test_a_result_of_an_earlier_version_has_no_such_section(results, text):
    assert "Domains, walls and energy" not in text(results["three"])
