"""Films that the phase field relaxed: reproducible, in vertical domains, without the cells that are taken."""

from __future__ import annotations

import numpy as np
import pytest
from nanotexture.simulate.relaxed_film import (
    FILM_CELLS,
    UPRIGHT,
    Relaxed,
    relaxed_film,
    relaxed_superlattice,
)

TAKEN = frozenset(range(27, FILM_CELLS[1] + 1))


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.fixture(scope="module")
def film() -> Relaxed:
    return relaxed_film(generator(1), taken=TAKEN)


def test_a_relaxed_film_follows_from_its_generator_and_has_cells_that_are_not_taken(film: Relaxed) -> None:
    again = relaxed_film(generator(1), taken=TAKEN)
    assert film.texture == again.texture
    assert np.array_equal(film.motif.displacement, again.motif.displacement)
    assert len(film.stack.heights) not in TAKEN


def test_its_domains_point_up_and_down_and_it_is_longer_along_z_than_its_substrate_is_wide(
    film: Relaxed,
) -> None:
    assert film.motif.polarization is not None
    along, across, up = film.motif.polarization
    assert up.max() > 0.3
    assert up.min() < -0.3
    assert along.std() <= UPRIGHT * up.std()
    assert np.abs(across).max() < 0.2 * up.max()
    # compressed in the plane, and polar along z
    assert film.stack.layers[0].c > film.substrate.c


def test_the_layers_between_the_polar_ones_are_polarized_less() -> None:
    found = relaxed_superlattice(generator(2), taken=frozenset({16}), freedom=0.3)
    assert found.motif.polarization is not None
    first = found.stack.layers[0].cells
    size = np.abs(found.motif.polarization[2]).max(axis=(0, 1))
    assert found.stack.layers[1].cells != 16
    assert size[:first].mean() < 0.7 * size[first:].mean()
