"""The report of one crystal: one HTML file that needs nothing beside it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from nanotexture.phasing.outcome import DESCRIBED, Outcome
from nanotexture.report.draw import data_uri
from nanotexture.report.figures_crystal import (
    LEVEL,
    pattern_figure,
    slices_figure,
    starts_figure,
    surface_figure,
    transfer_figure,
)
from nanotexture.report.html import provenance, rendered
from nanotexture.report.picture import Picture
from nanotexture.report.result import listed

RELIABLE = 0.5  # share of starts in the best cluster, below which it is one answer among several
SPREAD = 0.3  # rad


def crystal_html(tree: xr.DataTree) -> str:
    """Text of the page; the same result gives the same bytes."""
    attrs = {str(key): value for key, value in tree.attrs.items()}
    found, solutions = tree["object"].to_dataset(), tree["solutions"].to_dataset()
    values: dict[str, Any] = {
        "what": "crystal",
        "name": str(attrs.get("name", "result")),
        "film": "",
        "measured": _measured(found),
        "verdict": verdict(found, solutions),
        "warnings": listed(attrs, "warnings"),
        "rows": list(_rows(found)),
        "sections": _sections(tree),
        "clusters": list(_clusters(tree["clusters"].to_dataset())),
        "outcomes": _outcomes(solutions),
    }
    return rendered("crystal.html", values | provenance(attrs))


def _measured(found: xr.Dataset) -> str:
    hkl = " ".join(map(str, json.loads(found.attrs["hkl"])))
    shape = " × ".join(str(found.sizes[n]) for n in "xyz")
    return f"one crystal, reflection {hkl} (d = {found.attrs['d_spacing']:.4g} Å), {shape} voxels"


def verdict(found: xr.Dataset, solutions: xr.Dataset) -> str:
    """One sentence: is it solved, and how sure is that."""
    best = solutions["cluster"].values == 0
    shares = f"{int(best.sum())} of {best.size} starts"
    spread = float(np.nanmedian(found["phase_std"])) if best.sum() > 1 else np.nan
    if found.attrs["deviance"] > DESCRIBED:
        return f"Not solved: the best of {best.size} starts leaves {found.attrs['deviance']:.3g} times the counting noise."
    if best.sum() < 2:
        return "One start alone found this crystal: run more before believing it."
    if best.mean() < RELIABLE:
        return f"{shares} agree on this crystal, fewer than half: other answers fit too, see the clusters."
    if spread > SPREAD:
        return f"{shares} agree on the shape, but their phases scatter by {spread:.2g} rad (median): displacements are rough."
    return f"Solved: {shares} agree, phases to {spread:.2g} rad (median over the crystal); up to its twin."


def _rows(found: xr.Dataset) -> Iterator[tuple[str, str, str]]:
    attrs = found.attrs
    voxel = json.loads(attrs["voxel"])
    volume = float(found["support"].sum()) * float(np.prod(voxel)) * 1e-3
    strain = found["strain_along_q"].values
    u = found["displacement_along_q"].values
    yield "χ²", f"{attrs['chi2']:.3g}", "sum (s m − a)² / sum a² of magnitudes over the fitted voxels"
    yield "free χ²", f"{attrs['free_chi2']:.3g}", "the same over blocks of 3³ voxels kept from the inversion"
    yield "Poisson deviance", f"{attrs['deviance']:.3g}", "per fitted voxel; 1 is counting noise alone"
    yield (
        "volume",
        f"{volume:.3g} nm³",
        f"as a sphere: {2 * (3 * volume / (4 * np.pi)) ** (1 / 3):.3g} nm across",
    )
    yield "displacement along Q", f"{np.nanstd(u):.3g} Å rms", f"{np.nanmin(u):.2g} to {np.nanmax(u):.2g} Å"
    if np.isfinite(strain).any():
        low, high = np.nanquantile(strain, [0.05, 0.95])
        yield "strain along Q", f"{np.nanstd(strain):.2g} rms", f"5 to 95 %: {low:.2g} to {high:.2g}"
    std = found["phase_std"].values
    if np.isfinite(std).any():
        yield "spread of the phase", f"{np.nanmedian(std):.2g} rad", "median over the crystal, between starts"
    widths = ", ".join(f"{w:.2f}" for w in json.loads(attrs["coherence_width"]))
    yield "beam", attrs["beam"], f"blur of the pattern {widths} voxels" if attrs["beam"] != "coherent" else ""
    yield (
        "sampling",
        ", ".join(f"{r:.2f}" for r in json.loads(attrs["sampling"])),
        "voxels over the crystal's extent",
    )
    if attrs.get("prior", "none") != "none":
        told = (
            f"free χ² of its guess {attrs['prior_free_chi2']:.2g}, trusted up to {attrs['prior_limit']:.2g}; spread over turned "
            f"patterns {attrs['prior_spread']:.2g}, trusted up to {attrs['prior_spread_limit']:.2g}, or any "
            f"where free χ² is {attrs['prior_sure']:.2g} or less"
        )
        yield "learned start", attrs["prior"], told
    yield "inversion", attrs["inversion"], attrs["inversion_comment"]


def _clusters(clusters: xr.Dataset) -> Iterator[tuple[str, ...]]:
    for k in range(clusters.sizes["cluster"]):
        one = clusters.isel(cluster=k)
        spread = float(one["spread"])
        yield (
            str(k),
            f"{100 * float(one['weight']):.0f} %",
            f"{float(one['cost']):.3g}",
            f"{float(one['free_cost']):.3g}",
            f"{spread:.2g}" if np.isfinite(spread) else "single",
        )


def _outcomes(solutions: xr.Dataset) -> list[tuple[str, int, str]]:
    known = {str(one): one.advice for one in Outcome}
    counts = Counter(map(str, solutions["outcome"].values))
    return [(name, number, known.get(name, "")) for name, number in sorted(counts.items())]


def _sections(tree: xr.DataTree) -> list[tuple[str, list[Picture]]]:
    found, pattern = tree["object"].to_dataset(), tree["diffraction"].to_dataset()
    solutions = tree["solutions"].to_dataset()
    crystal = [
        _picture(
            "Surface",
            f"Where the modulus is {LEVEL:g} of its largest, from three sides, coloured by the displacement along Q below it.",
            surface_figure(found),
        ),
        _picture(
            "Slices through the middle",
            "Displacement and strain are measured from the crystal's own mean lattice. Hatched: outside the crystal.",
            slices_figure(found),
        ),
    ]
    data = [
        _picture(
            "Planes through the peak",
            "Counts measured and calculated in one logarithmic scale; difference over the counting noise, colours end at ±10. "
            "Hatched: not measured.",
            pattern_figure(pattern),
        )
    ]
    if (transfer := transfer_figure(pattern)) is not None:
        caption = (
            "PRTF: modulus of the mean of the best cluster's spectra over the mean of their moduli, 1 where all starts agree on "
            "the phase of the pattern. Right: χ² of each shell."
        )
        data.append(_picture("Transfer of phases", caption, transfer))
    caption = (
        "Every start. Filled: χ² of the fitted voxels; open: of the held-out ones; one colour a cluster."
    )
    return [
        ("The crystal", crystal),
        ("Measured and calculated", data),
        ("Cost of the starts", [_picture("Cost of the starts", caption, starts_figure(solutions))]),
    ]


def _picture(heading: str, caption: str, figure: Figure) -> Picture:
    return Picture(heading, caption, data_uri(figure))
