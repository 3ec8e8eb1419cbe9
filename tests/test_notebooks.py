"""Every notebook runs from top to bottom on a small result, draws, and defines no functions."""

from __future__ import annotations

import ast
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

from .conftest import Finished

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.py"))
HIDDEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_numbered_and_defines_nothing(path: Path) -> None:
    assert path.stem[:2].isdigit()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [type(node).__name__ for node in ast.walk(tree) if isinstance(node, HIDDEN)] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_draws(
    path: Path, quickstart: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NANOTEXTURE_RESULT", str(quickstart.result))
    notebook = jupytext.read(path)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", [])]
    figures = [one for one in outputs if "image/png" in one.get("data", {})]
    assert len(figures) >= 3
    assert [one for one in outputs if one.get("name") == "stderr"] == []
