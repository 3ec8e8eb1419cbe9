from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack
from nanotexture.simulate.phasefield.film import (
    TexturedFilm,
    layer_spacings,
    motif_from_equilibrium,
    settings_of_stack,
    stack_with_spacings,
    textured_film,
)
from nanotexture.simulate.phasefield.relax import relax
from nanotexture.simulate.phasefield.settings import Surroundings

STACK = Stack(3.949, (Layer(built_in("SrTiO3"), 16, 3.905), Layer(built_in("PbTiO3"), 16, 4.0)), repeat=3)


@pytest.fixture(scope="module")
def film() -> TexturedFilm:
    return textured_film(STACK, settings_of_stack(STACK, period=120.0), search=False)


def test_a_recipes_film_is_ready_within_thirty_seconds_with_its_period_found() -> None:
    begun = time.perf_counter()
    settings = replace(settings_of_stack(STACK, period=110.0, step=8.0), cells_per_node=2)
    result = textured_film(STACK, settings)
    assert time.perf_counter() - begun < 30.0
    assert result.period == pytest.approx(117.0, rel=0.15)
    assert result.motif.periods == (result.period, 3.949)


def test_spacings_are_those_of_a_clamped_lattice(film: TexturedFilm) -> None:
    strontium, lead = (layer.c for layer in film.stack.layers)
    # SrTiO3 pulled to 3.949 in the plane: c = 3.905 (1 - 2 c12/c11 (3.949/3.905 - 1)), and little electrostriction
    assert strontium == pytest.approx(3.905 - 2 * 107 / 336 * 0.044, abs=0.004)
    assert 3.957 < lead < 4.156
    assert film.stack.repeat == 3
    assert layer_spacings(film.equilibrium) == (strontium, lead)


def test_the_texture_repeats_with_the_stack_and_its_mean_is_zero(film: TexturedFilm) -> None:
    motif = film.motif
    assert motif.displacement.shape == (3, 30, 1, 96)
    assert motif.polarization is not None
    for field in (motif.displacement, motif.polarization):
        np.testing.assert_allclose(field[..., :32], field[..., 32:64], atol=1e-9)
    np.testing.assert_allclose(motif.displacement.mean((1, 2, 3)), 0.0, atol=1e-12)
    np.testing.assert_array_equal(motif.polarization[..., :32], film.equilibrium.polarization)


def test_planes_of_the_texture_stand_where_the_strained_cells_stand(film: TexturedFilm) -> None:
    height = film.stack.heights + 0.5 * film.stack.spacings + film.motif.displacement[2].mean((0, 1))
    steps = np.diff(height)
    strained = 3.949 * (1 + film.equilibrium.strain[2].mean((0, 1)))
    inside = np.r_[2:14, 18:30]
    np.testing.assert_allclose(steps[inside], 0.5 * (strained[inside] + strained[inside + 1]), atol=0.01)
    assert height[64] - height[0] == pytest.approx(2 * strained.sum(), rel=1e-9)


def test_another_c_of_the_stack_becomes_a_drift_of_the_displacement(film: TexturedFilm) -> None:
    strontium, lead = (layer.c for layer in film.stack.layers)
    wrong = stack_with_spacings(film.stack, (strontium, lead - 0.01))
    drift = motif_from_equilibrium(film.equilibrium, wrong).displacement - film.motif.displacement
    steps = np.diff(drift[2].mean((0, 1)))
    np.testing.assert_allclose(steps[17:31], 0.01, atol=1e-9)
    np.testing.assert_allclose(steps[:15], 0.0, atol=1e-9)
    np.testing.assert_allclose(drift[0], 0.0, atol=1e-12)


def test_nodes_of_two_cells_give_the_same_texture_nearly() -> None:
    fine = relax(settings_of_stack(STACK, period=120.0))
    coarse = relax(replace(settings_of_stack(STACK, period=120.0, step=4.0), cells_per_node=2))
    agreed = stack_with_spacings(STACK, layer_spacings(fine))
    motifs = [motif_from_equilibrium(end, agreed) for end in (fine, coarse)]
    largest = [np.abs(motif.displacement).max() for motif in motifs]
    assert motifs[0].displacement.shape == motifs[1].displacement.shape
    assert largest[1] == pytest.approx(largest[0], rel=0.25)
    sizes = [np.sqrt((motif.polarization**2).mean()) for motif in motifs if motif.polarization is not None]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.1)


def test_stacks_that_are_not_the_runs_are_refused_with_what_was_expected(film: TexturedFilm) -> None:
    upside_down = replace(STACK, layers=STACK.layers[::-1])
    with pytest.raises(UserError, match="stack: layers: expected those of the phase field"):
        motif_from_equilibrium(film.equilibrium, upside_down)
    with pytest.raises(UserError, match=r"stack: in_plane: expected 3\.949"):
        motif_from_equilibrium(film.equilibrium, replace(STACK, in_plane=3.905))
    with pytest.raises(UserError, match="one for each c"):
        stack_with_spacings(STACK, (3.9,))
    with pytest.raises(UserError, match="material PbTiO3: expected the cubic lattice"):
        settings_of_stack(STACK, period=120.0, cubic={})


def test_a_film_with_surfaces_gives_its_own_planes_only() -> None:
    stack = Stack(3.905, (Layer(built_in("PbTiO3"), 12, 4.0),))
    elastic = built_in("SrTiO3").elastic
    assert elastic is not None
    settings = replace(settings_of_stack(stack, period=70.0), surroundings=Surroundings(elastic, 12, 4))
    result = textured_film(stack, settings, search=False)
    assert result.motif.displacement.shape[-1] == 12
    assert 3.957 < result.stack.layers[0].c < 4.2
    with pytest.raises(UserError, match="repeat"):
        motif_from_equilibrium(result.equilibrium, replace(stack, repeat=2))
