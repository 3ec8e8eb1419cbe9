"""Fixtures that all tests share: where the real measurements are, and one small finished run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from .recipes_pruned import arguments, nanotexture

# numba reads it at each compilation, and refuses a change once its threads run: tests of workers set it in this process
os.environ["NUMBA_NUM_THREADS"] = "1"

# no test is timed: a machine busy with something else would fail it
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder with the datasets of data_manifest/; the test is skipped where there is none."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("NANOTEXTURE_MIRROR") or beside)
    if not folder.is_dir():
        pytest.skip(
            "no measurements here: set NANOTEXTURE_MIRROR to a folder with the datasets of data_manifest/"
        )
    os.environ["NANOTEXTURE_MIRROR"] = str(folder)
    return folder


@dataclass(frozen=True)
class Finished:
    """A finished run: its folder of results, the result in it, and what `run --json` said."""

    out: Path
    result: Path
    said: dict[str, Any]


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The recipe quickstart in its small form, run once, without workers; not to be changed."""
    out = tmp_path_factory.mktemp("quickstart")
    ended = nanotexture(*arguments("quickstart", out))
    assert ended.status == 0, ended.err
    return Finished(out, Path(ended.last_json["result"]), ended.last_json)


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in this process draw no figures: they take longer than the inversion of a small recipe."""
    monkeypatch.setattr("nanotexture.report.page.write_report", lambda result, page: None)
