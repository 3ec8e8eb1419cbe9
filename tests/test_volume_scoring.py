"""`score` of textures that are periodic along x and y: shifts along both, three components, refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from nanotexture import schema
from nanotexture.engine.store import write_tree_atomically
from nanotexture.phasing.alignment import inverted, shifted
from nanotexture.score_table import lines
from nanotexture.scoring import truth_tree
from nanotexture.simulate.checkerboard import Checkerboard
from nanotexture.stages.models import SimulateConfig, TruthConfig
from nanotexture.stages.simulate import simulate_texture, simulate_truth

from .recipes_pruned import nanotexture
from .test_scoring import FILM, scored
from .test_scoring import written as written_plane

Change = Callable[[xr.Dataset], xr.Dataset]
BOARD = Checkerboard(100.0, 85.0, amplitude=0.25, polarization=0.5, points=16)


def written(path: Path, change: Change | None = None) -> Path:
    """The truth of a polar checkerboard, changed."""
    motif = simulate_texture(config=SimulateConfig(film=FILM, texture=BOARD))
    told = TruthConfig(film=FILM, film_gap=0.0, disorder=0.06, temperature=None)
    texture = truth_tree([simulate_truth(motif, config=told)], {"contract": 1})["texture"].to_dataset()
    found = texture if change is None else change(texture)
    write_tree_atomically(xr.DataTree.from_dict({"/": xr.Dataset(), "/texture": found}), path)
    return path


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("truth") / "truth.zarr")


def numbers(result: Path, truth: Path, name: str) -> np.ndarray:
    (found,) = scored(result, truth)
    return np.array(
        [found[field][axis][name] for field in ("displacement", "polarization") for axis in "xyz"], float
    )


def turned(texture: xr.Dataset) -> xr.Dataset:
    """Shifted by a third of a period along x and a fifth along y, inverted, the displacement off by a constant."""
    made = texture.copy(deep=True)
    for name, constant in (("displacement", 0.7), ("polarization", 0.0)):
        along_y = shifted(texture[name].values, 1 / 5)
        moved = shifted(along_y.swapaxes(-3, -2), 1 / 3).swapaxes(-3, -2)
        made[name].values = inverted(moved, 2) + constant
    return made


def test_the_truth_of_a_volume_is_laid_out_as_a_result(truth: Path) -> None:
    with xr.open_datatree(truth, engine="zarr", consolidated=False) as tree:
        found = tree["texture"].to_dataset().load()
    schema.check(found, schema.VOLUME_RESULT_TRUTH)
    assert found["component"].values.tolist() == ["x", "y", "z"]
    assert found["strain_component"].values.tolist() == ["xx", "yy", "zz", "xy", "yz", "xz"]
    np.testing.assert_allclose(found["y_position"].values[0], found["y"].values * 85.0)


def test_a_volume_against_itself_is_0(truth: Path) -> None:
    np.testing.assert_allclose(numbers(truth, truth, "nrmse"), 0.0, atol=1e-6)
    np.testing.assert_allclose(numbers(truth, truth, "coverage"), 1.0)
    (found,) = scored(truth, truth)
    assert found["period_error"] == found["period_y_error"] == found["thickness_error"] == 0.0


def test_a_shifted_inverted_copy_is_0_where_the_inversion_is_open(truth: Path, tmp_path: Path) -> None:
    open_ = written(tmp_path / "open.zarr", lambda one: turned(one).assign_attrs(inversion="unresolved"))
    np.testing.assert_allclose(numbers(open_, truth, "nrmse"), 0.0, atol=2e-3)
    told = written(tmp_path / "told.zarr", turned)
    assert numbers(told, truth, "nrmse").max() > 0.3


def test_noise_of_known_size_is_that_size(truth: Path, tmp_path: Path) -> None:
    rng, size = np.random.default_rng(0), 0.2

    def noisy(texture: xr.Dataset) -> xr.Dataset:
        made = texture.copy(deep=True)
        for name in ("displacement", "polarization"):
            spread = size * texture[name].values.std(axis=(2, 3, 4), keepdims=True)
            made[name].values = texture[name].values + spread * rng.normal(size=texture[name].shape)
            made[f"{name}_std"].values = np.broadcast_to(spread, texture[name].shape)
        return made

    answer = written(tmp_path / "noisy.zarr", noisy)
    np.testing.assert_allclose(numbers(answer, truth, "nrmse"), size, rtol=0.06)
    np.testing.assert_allclose(numbers(answer, truth, "coverage"), 0.683, atol=0.03)


def test_a_longer_period_along_y_is_an_error_in_percent(truth: Path, tmp_path: Path) -> None:
    longer = written(tmp_path / "longer.zarr", lambda one: one.assign(period_y=one["period_y"] * 1.02))
    (found,) = scored(longer, truth)
    assert found["period_y_error"] == pytest.approx(2.0)
    assert any("period along y 2.0000 %" in line for line in lines({"temperatures": [found]}))


def test_a_plane_texture_is_no_match_for_a_volume(truth: Path, tmp_path: Path) -> None:
    plane = written_plane(tmp_path / "plane.zarr", temperatures=(None,))
    ended = nanotexture("score", plane, truth)
    assert ended.status == 2
    assert "periodic along x and y" in ended.err
    assert "uniform along y" in ended.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: one.drop_vars("period_y"), "/texture/period_y"),
        (lambda one: one.isel(component=[0, 2]), "components x, y and z"),
        (lambda one: one.isel(y=slice(0, 2)), "/texture/y"),
    ],
)
def test_a_volume_that_lacks_something_is_refused_by_its_name(
    truth: Path, tmp_path: Path, change: Change, words: str
) -> None:
    ended = nanotexture("score", written(tmp_path / "damaged.zarr", change), truth)
    assert ended.status == 2
    assert words in ended.err
