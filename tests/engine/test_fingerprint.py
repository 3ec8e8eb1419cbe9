from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nanotexture.engine import fingerprint
from nanotexture.engine.fingerprint import code_digest, versions

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file of a package `invented` in which stages.py uses film/optics.py."""
    root = tmp_path / "invented"

    def write(name: str, text: str) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for cached in (fingerprint.code_digest, fingerprint._source, fingerprint._root):
            cached.cache_clear()

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "invented", raising=False)
    write("__init__.py", "")
    write("film/__init__.py", "")
    write("film/optics.py", "def index():\n    return 1.0\n")
    write("film/table.toml", "a = 1\n")
    write("report.py", "width = 3\n")
    write("stages.py", "from invented.film import optics\nfrom . import film\n")
    return write


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("film/optics.py", "def index():\n    return 1.5\n"),
        ("film/__init__.py", "setting = 1\n"),
        ("film/table.toml", "a = 2\n"),
        ("stages.py", "from invented.film import optics\n"),
    ],
)
def test_an_edit_of_code_or_tables_that_a_stage_uses_changes_the_digest(
    write: Write, name: str, text: str
) -> None:
    before = code_digest("invented.stages")
    write(name, text)
    assert code_digest("invented.stages") != before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("film/optics.py", 'def index():\n    """Index."""\n    return (1.0)  # of refraction\n'),
        ("report.py", "width = 4\n"),
        ("film/__pycache__/optics.index-1.py311.nbi", "compiled\n"),
    ],
)
def test_an_edit_of_comments_or_of_code_it_does_not_use_leaves_it(write: Write, name: str, text: str) -> None:
    before = code_digest("invented.stages")
    write(name, text)
    assert code_digest("invented.stages") == before


def test_the_versions_name_the_package_and_its_numerical_libraries() -> None:
    found = dict(versions())
    assert {"nanotexture", "python", "numpy", "scipy", "torch", "xarray", "xrayutilities"} <= set(found)
    assert found["numpy"] != "absent"
