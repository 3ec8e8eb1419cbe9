"""Fixtures that all tests share: where the real measurements are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
