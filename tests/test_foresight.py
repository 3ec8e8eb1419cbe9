"""What reflections cannot tell is said before anything is computed, with reflections that would."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.materials import built_in
from nanotexture.lacking import lacking_sentences
from nanotexture.stages.determined import Told, axes_told, reflections_that

from .map_files import RECIPE, simulated, write_map, write_recipe
from .recipes_pruned import RECIPES, nanotexture

CLOSURE = RECIPES / "sim_closure_domains.toml"
FILM = FilmConfig(
    in_plane=3.905,
    layers=(LayerConfig(material=built_in("PbTiO3"), cells=40, c=4.08),),
    substrate=SubstrateConfig(material=built_in("SrTiO3"), c=3.905),
)


def told(*hkls: tuple[int, int, int]) -> list[Told]:
    return [Told(hkl, 8.048) for hkl in hkls]


def warnings(*changes: str, recipe: Path = CLOSURE) -> list[str]:
    sets = [part for one in changes for part in ("--set", one)]
    ended = nanotexture("check", recipe, *sets)
    assert ended.status == 0, ended.err
    return [line for line in ended.out.splitlines() if line.startswith("warning: ")]


@pytest.mark.parametrize(
    ("hkls", "displacement", "polar"),
    [
        (((0, 0, 2),), 1, 0),
        (((0, 0, 1), (0, 0, 2)), 1, 1),
        (((0, 0, 2), (1, 0, 3)), 2, 0),
        (((0, 0, 1), (0, 0, 2), (1, 0, 3), (1, 0, 4)), 2, 2),
    ],
)
def test_directions_and_parities_decide_what_is_told(hkls, displacement, polar):
    axes, polar_axes = axes_told(FILM, told(*hkls))
    assert len(axes) == displacement
    assert len(polar_axes) >= polar
    assert polar or len(polar_axes) < 2


@pytest.mark.parametrize("hkls", [((0, 0, 2),), ((1, 0, 3),), ((0, 0, 2), (1, 0, 3))])
def test_the_reflections_named_do_tell_what_was_missing(hkls):
    def both(axes):
        return len(axes[0]) == 2 and len(axes[1]) == 2

    assert not both(axes_told(FILM, told(*hkls)))
    assert reflections_that(FILM, told(*hkls), lambda axes: len(axes[0]) == 2) != () or len(hkls) == 2
    more = reflections_that(FILM, told(*hkls), lambda axes: any(abs(axis[0]) > 0.999 for axis in axes[1]))
    polar = axes_told(FILM, told(*hkls, *more))[1]
    assert any(abs(axis[0]) > 0.999 for axis in polar)


@pytest.mark.parametrize(
    ("hkls", "displacement", "polar"),
    [
        (((0, 0, 2),), "z", ""),
        (((0, 0, 2), (0, 0, 3)), "z", "z"),
        (((0, 0, 2), (0, 0, 3), (1, 0, 3), (1, 0, 4)), "xz", "xz"),
        (((0, 0, 2), (0, 0, 3), (1, 0, 3), (1, 0, 4), (0, 1, 3)), "xyz", "xz"),
        (((0, 0, 2), (0, 0, 3), (1, 0, 3), (1, 0, 4), (0, 1, 3), (0, 1, 4)), "xyz", "xyz"),
        # parities differ, but five phases do not tell six fields
        (((0, 0, 2), (0, 0, 3), (1, 0, 3), (0, 1, 3), (1, 1, 4)), "xyz", "z"),
    ],
)
def test_a_volume_needs_as_many_phases_as_it_has_components(hkls, displacement, polar):
    for axes, names in zip(axes_told(FILM, told(*hkls), volume=True), (displacement, polar), strict=True):
        assert sorted("xyz"[int(abs(axis).argmax())] for axis in axes) == list(names)
        assert all(abs(axis).max() > 0.999 for axis in axes)


def test_the_reflections_named_for_a_volume_do_tell_what_was_missing():
    some = [(0, 0, 2), (0, 0, 3), (1, 0, 3)]
    axes, more = (
        axes_told(FILM, told(*some), volume=True)[0],
        reflections_that(FILM, told(*some), lambda axes: len(axes[0]) == 3, volume=True),
    )
    assert len(axes) == 2
    assert len(axes_told(FILM, told(*some, *more), volume=True)[0]) == 3
    (sentence, *_) = lacking_sentences(FILM, told(*some), False, volume=True)
    assert "in one plane" in sentence
    assert " ".join(map(str, more[0])) in sentence


def test_maps_with_qy_are_told_what_a_texture_along_y_would_lack(tmp_path):
    for hkl in ((0, 0, 2), (0, 0, 3), (1, 0, 3), (1, 0, 4)):
        write_map(tmp_path / f"{hkl}.nxs", simulated(hkl), qy=5)
    recipe = write_recipe(tmp_path, RECIPE.replace("polarization = false", "polarization = true"))
    said = warnings(recipe=recipe)
    assert said
    assert all(one.startswith("warning: If there are satellites along qy too: ") for one in said)
    assert any("directions of Q in one plane" in one for one in said)
    assert any("polarization along y" in one for one in said)


def test_check_names_the_component_and_a_reflection_for_it():
    (x,) = warnings("simulate.hkl=[[0, 0, 1], [0, 0, 2], [1, 0, 3]]")
    assert "polarization along x" in x
    named = re.search(r"; (-?\d 0 \d) beside them would tell", x)
    assert named is not None
    more = [int(n) for n in named[1].split()]
    assert warnings(f"simulate.hkl=[[0, 0, 1], [0, 0, 2], [1, 0, 3], {more}]") == []


def test_reflections_that_tell_all_make_no_warning():
    assert warnings() == []


def test_the_baseline_gives_no_polarization_and_says_so():
    (found,) = warnings("invert.solver=window")
    assert "solver motif" in found


def test_a_film_without_polar_materials_is_not_told_to_measure_more():
    (found,) = warnings("film.material=SrRuO3", "film.c='3.96 angstrom'")
    assert "displacement_per_polarization" in found


def test_a_run_says_it_before_it_begins_and_only_on_stderr(tmp_path: Path) -> None:
    write_map(tmp_path / "a.nxs", simulated((1, 0, 3)))
    recipe = write_recipe(tmp_path, RECIPE.replace("polarization = false", "polarization = true"))
    ended = nanotexture("run", recipe, "--out", tmp_path / "out", "--cluster", "none", "--json")
    assert ended.status == 0, ended.err
    lines = ended.err.splitlines()
    assert [line for line in lines[:3] if line.startswith("warning: ")] == lines[:3]
    assert len(ended.out.splitlines()) == 1


def test_maps_of_which_only_some_have_qy_are_said_to_be_summed(tmp_path):
    write_map(tmp_path / "a.nxs", simulated((1, 0, 3)))
    write_map(tmp_path / "b.nxs", simulated((0, 0, 2)), qy=5)
    recipe = write_recipe(tmp_path, RECIPE)
    (said,) = [one for one in warnings(recipe=recipe) if "qy" in one]
    assert "1 of 2 maps" in said
    assert "a.nxs has none" in said
