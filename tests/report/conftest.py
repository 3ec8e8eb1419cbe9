from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from nanotexture.report import gallery
from nanotexture.report.page import report_html
from nanotexture.report.result import Result, result_from_tree

sys.path.append(str(Path(__file__).parent))
import trees as planted

STUB = "data:image/png;base64,AAAA"


@pytest.fixture(scope="session")
def trees() -> ModuleType:
    """Builders of results from a planted motif."""
    return planted


@pytest.fixture(scope="session")
def results() -> dict[str, Result]:
    """One reflection; three of them; three temperatures; all starts failed."""
    plans = {
        "single": planted.SINGLE,
        "three": planted.THREE,
        "series": planted.SERIES,
        "failed": planted.FAILED,
    }
    return {name: result_from_tree(planted.result_tree(plan)) for name, plan in plans.items()}


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> Callable[[Result], str]:
    """Page of a result whose figures are made but not drawn: for tests of its words."""
    monkeypatch.setattr(gallery, "data_uri", lambda figure: STUB)
    return report_html


@pytest.fixture(scope="session")
def words(results: dict[str, Result]) -> dict[str, str]:
    """Pages of all results without their figures, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "data_uri", lambda figure: STUB)
        return {name: report_html(result) for name, result in results.items()}


@pytest.fixture
def with_attrs(results: dict[str, Result]) -> Callable[..., Result]:
    """Result of one reflection, reduced to its motif, with other root attributes."""

    def build(**attrs: object) -> Result:
        single = results["single"]
        return replace(single, attrs=single.attrs | attrs, maps={}, orders={}, clusters=None, solutions=None)

    return build
