"""Files of a case: maps that the readers take, the truth in arrays, a recipe that the command line accepts."""

from dataclasses import replace

import numpy as np
import pytest
from nanotexture.film.materials import from_mapping
from nanotexture.readers import read_map
from nanotexture.recipe import read_recipe
from nanotexture.simulate.suite import Case, films, measure, motif_of
from nanotexture.simulate.suite_files import write_case


def film_named(name):
    return next(film for film in films() if film.name == name)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    film = replace(film_named("vortices_20"), reflections=((0, 0, 2), (-1, 0, 3)))
    case, motif = Case(film, 1e5, 0.06), motif_of(film)
    measured = measure(case, motif=motif)
    return motif, measured, write_case(case, tmp_path_factory.mktemp("suite"), motif=motif, measured=measured)


def test_maps_are_read_back_as_they_were_measured(written):
    _, measured, files = written
    assert [path.name for path in files.maps] == ["002.nxs", "-103.nxs"]
    for path, told in zip(files.maps, measured, strict=True):
        found = read_map(path)
        seen = told.mask == 0
        np.testing.assert_array_equal(found["intensity"].values[seen], told.intensity[seen])
        assert tuple(found["hkl"].values) == told.hkl


def test_the_truth_is_the_motif(written):
    motif, _, files = written
    with np.load(files.truth) as truth:
        np.testing.assert_array_equal(truth["displacement"], motif.displacement)
        np.testing.assert_array_equal(truth["polarization"], motif.polarization)
        np.testing.assert_array_equal(truth["periods"], motif.periods)
        assert truth["thickness"] == pytest.approx(film_named("vortices_20").stack.thickness)


def test_the_recipe_names_the_film_and_not_what_is_to_be_found(written):
    _, _, files = written
    recipe = read_recipe(files.recipe)
    assert recipe.name == "vortices_20_1e5_06"
    assert "132" not in files.recipe.read_text().split("[texture]")[1]
    assert "gap" not in files.recipe.read_text()


def test_a_material_that_is_not_built_in_is_written_out(tmp_path):
    film = film_named("laminate_13")
    files = write_case(Case(film, 1e4, 0.02), tmp_path, motif=motif_of(film), measured=())
    recipe = read_recipe(files.recipe)
    assert recipe.film.stack[0].material == "Ca2RuO4_L"
    assert from_mapping("below", recipe.film.substrate.material).atoms == film.substrate.material.atoms
    assert recipe.texture.polarization is False
    with np.load(files.truth) as truth:
        assert np.isnan(truth["polarization"]).all()
