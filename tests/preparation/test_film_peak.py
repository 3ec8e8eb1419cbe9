"""The film's peak is told from the substrate's, whatever the cells that the two are counted in."""

import numpy as np
import pytest
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.materials import built_in
from nanotexture.preparation.film_peak import film_peak

QZ = np.arange(3.4, 6.6, 0.004)


def film(c, below):
    return FilmConfig(
        in_plane=3.905,
        layers=(LayerConfig(material=built_in("PbTiO3"), cells=20, c=c),),
        substrate=SubstrateConfig(material=built_in("SrTiO3"), c=below),
    )


def peaks(*pairs):
    """Gaussians of (height, place)."""
    return sum(height * np.exp(-0.5 * ((QZ - at) / 0.02) ** 2) for height, at in pairs)


@pytest.mark.parametrize(
    ("c", "index", "below"),
    [
        (4.08, 3, 3.905),  # 003 beside 003
        (12.0, 8, 3.79),  # a film of three cells, 008 beside the substrate's 2.53: none near
        (12.0, 9, 3.79),  # 009 beside 003
        (4.0, 3, 7.8),  # 003 beside 006
    ],
)
def test_a_substrate_a_hundred_times_brighter_is_not_taken_for_the_film(c, index, below):
    own, spacing = 2 * np.pi * index / c, 2 * np.pi / below
    other = spacing * np.rint(own / spacing)
    total = peaks((1.0, own + 0.01), (100.0, other))
    found = film_peak(QZ, total, film(c, below), index, 0.04)
    assert found == pytest.approx(own + 0.01, abs=0.02)


def test_without_a_substrate_the_brightest_is_the_film():
    bare = film(4.0, 3.9).model_copy(update={"substrate": None})
    assert film_peak(QZ, peaks((1.0, 4.72), (2.0, 4.8)), bare, 3, 0.04) == pytest.approx(4.8, abs=0.004)
