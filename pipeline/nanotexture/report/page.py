"""A result as one HTML file that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from nanotexture.errors import InputError
from nanotexture.phasing.outcome import Outcome
from nanotexture.report import gallery
from nanotexture.report.comparison import score_rows
from nanotexture.report.conclusions import Conclusion, Kind, conclusions, verdict
from nanotexture.report.converted import converted_html
from nanotexture.report.crystal_page import crystal_html
from nanotexture.report.facts import Facts, facts_of, outcome_counts
from nanotexture.report.format import temperature_text
from nanotexture.report.header import film_text, measured_text
from nanotexture.report.html import provenance, put_page, rendered
from nanotexture.report.result import Result, open_tree, result_from_tree
from nanotexture.report.summary import summary_rows

_TITLES = {
    Kind.MAY: "What may be concluded",
    Kind.NOT: "What may not",
    Kind.NEXT: "What to measure or try next",
}


@dataclass(frozen=True)
class Sentence:
    """One rule's text; one per temperature where they differ."""

    texts: tuple[str, ...]


def write_report(result_path: str | Path, out_path: str | Path) -> Path:
    """Writes report.html of a result.zarr; the same result gives the same bytes."""
    tree = open_tree(result_path)
    write = next((write for group, write in PAGES.items() if group in tree.children), None)
    if write is None:
        expected = f"one of the groups {', '.join('/' + group for group in PAGES)}"
        raise InputError(result_path, "groups", expected, str(sorted(tree.children)))
    return put_page(write(tree), Path(out_path))


def report_html(result: Result) -> str:
    """Text of the page of a film."""
    series = [facts_of(result, t) for t in range(len(result.temperatures))]
    return rendered("page.html", _head(result, series) | _body(result, series) | provenance(result.attrs))


def _head(result: Result, series: list[Facts]) -> dict[str, Any]:
    return {
        "name": result.name,
        "film": film_text(result),
        "measured": measured_text(result),
        "verdict": verdict(series),
        "warnings": result.warnings,
        "temperatures": [temperature_text(t) for t in result.temperatures],
        "rows": summary_rows(result),
        "conclusions": _grouped(series),
    }


def _body(result: Result, series: list[Facts]) -> dict[str, Any]:
    attrs = result.texture.attrs
    return {
        "solver": attrs.get("solver", ""),
        "motif": list(gallery.motif_pictures(result)),
        "domains": list(gallery.domain_pictures(result)),
        "series": list(gallery.series_pictures(result)),
        "truth": list(gallery.truth_pictures(result)),
        "scores": score_rows(result.score),
        "reflections": list(gallery.reflection_pictures(result)),
        "left_out": list(gallery.left_out_pictures(result)),
        "clusters": list(gallery.cluster_pictures(result)),
        "outcomes": [_outcomes(result, t) for t in range(len(series))],
        "thickness": list(gallery.thickness_pictures(result)),
    }


def _grouped(series: list[Facts]) -> list[tuple[str, list[Sentence]]]:
    """Sentences by kind and rule; those that are the same at all temperatures are said once."""
    found = [(facts, one) for facts in series for one in conclusions(facts)]
    groups = []
    for kind, title in _TITLES.items():
        rules = list(dict.fromkeys(one.rule for _, one in found if one.kind == kind))
        sentences = [
            _sentence([pair for pair in found if pair[1].rule == rule], len(series)) for rule in rules
        ]
        groups.append((title, sentences))
    return [(title, sentences) for title, sentences in groups if sentences]


def _sentence(told: list[tuple[Facts, Conclusion]], temperatures: int) -> Sentence:
    texts = list(dict.fromkeys(one.text for _, one in told))
    if len(texts) == 1 and len(told) == temperatures:
        return Sentence((texts[0],))
    return Sentence(tuple(f"{temperature_text(facts.temperature)}: {one.text}" for facts, one in told))


def _outcomes(result: Result, temperature: int) -> list[tuple[str, int, str]]:
    counts = outcome_counts(result.solutions, temperature)
    return [(name, count, _advice(name)) for name, count in counts.items()]


def _advice(name: str) -> str:
    known = {str(one): one.advice for one in Outcome}
    return known.get(name, "")


# What a result holds decides its page; the first group that is there.
PAGES: dict[str, Callable[[xr.DataTree], str]] = {
    "texture": lambda tree: report_html(result_from_tree(tree)),
    "object": crystal_html,
    "maps": converted_html,
}
