"""A run that both learned priors take part in is the same on any number of workers."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

from .recipes_pruned import RECIPES, files, nanotexture

CHANGES = (
    *("invert.prior=auto", "invert.denoise=auto", "invert.starts=4", "invert.batch=2"),
    *("invert.harmonics=3", "invert.polynomials=4"),
    *("simulate.voxels=[121, 81]", "simulate.places=20", "simulate.hkl=[[0, 0, 2], [1, 0, 3]]"),
)


def run(out: Path, *where: object) -> Path:
    told = [part for change in CHANGES for part in ("--set", change)]
    ended = nanotexture("run", RECIPES / "quickstart.toml", "--out", out, "--json", *told, *where)
    assert ended.status == 0, ended.err
    return Path(ended.last_json["result"])


@pytest.mark.usefixtures("no_report")
def test_one_and_two_workers_leave_the_same_bytes_with_learned_starts_and_a_prior_over_textures(
    tmp_path: Path,
) -> None:
    one = run(tmp_path / "one", "--cluster", "none")  # tasks one after another in this process
    two = run(tmp_path / "two", "--cluster", "local", "--workers", 2)
    assert files(one) == files(two)
    tree = xr.open_datatree(one, engine="zarr", consolidated=False).load()
    assert tree["solutions"]["learned"].values[0].tolist() == [1, 0, 0, 1]
    assert tree["prior"]["verdict"].values[0] != ""
