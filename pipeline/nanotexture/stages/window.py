"""The published thin-film baseline as a stage: one reflection, film as support, random starts."""

from __future__ import annotations

import numpy as np
import torch

from nanotexture.engine.stage import stage
from nanotexture.errors import UserError
from nanotexture.film.config import FilmConfig
from nanotexture.phasing.motif_model import Nuisance, order_intensities
from nanotexture.phasing.window import solve_window
from nanotexture.quantities import Orders, ReciprocalMap, Reference, Solutions
from nanotexture.schema import SOLUTIONS, labelled
from nanotexture.stages.invert import padded_model
from nanotexture.stages.models import Hkl, Tie, WindowConfig
from nanotexture.stages.motif_data import MotifData, motif_data, reflection_vectors

POINTS = 32


@stage(version=1)
def window(
    maps: list[ReciprocalMap], orders: Orders, reference: Reference, *, config: WindowConfig
) -> Solutions:
    """Displacement along Q from one reflection (Shao et al., PNAS 120, e2303312120 (2023))."""
    if "order_y" in orders:
        raise UserError(
            'invert.solver: expected "motif" for a texture that is periodic along x and y, found "window"'
        )
    chosen = _chosen(orders, config.hkl)
    one, vector = maps[chosen], reflection_vectors(orders, reference)[chosen]
    alone = orders.isel(reflection=[chosen])
    data = motif_data(alone, reference, config.film.unrolled)  # its answer differs from repeat to repeat
    background = orders["background"].values[chosen][: one.sizes["qx"], : one.sizes["qz"]]
    found = solve_window(
        intensity=np.clip(np.nan_to_num(one["intensity"].values - background), 0.0, None),
        mask=_mask(one, vector, orders, config.film),
        qx=one["qx"].values,
        qz=one["qz"].values,
        g=(float(vector[0]), float(vector[1])),
        period=float(orders["period"]),
        thickness=float(reference["thickness"]),
        z=data.stack.heights,
        nx_motif=POINTS,
        seed=config.seed,
        starts=config.starts,
    )
    field = np.nan_to_num(found.displacement_along_q)[:, None]
    unknown = np.full_like(field, np.nan)
    values = {
        "x": np.arange(POINTS) / POINTS,
        "z": data.stack.heights,
        "start": np.array(config.starts),
        "axis": data.axes,
        "tie": str(Tie.NONE),
        "field": field,
        "field_std": unknown,
        "slope_std": np.full((len(field), 1, 2, *field.shape[2:]), np.nan),
        "model": _model(data, field, alone, orders, chosen),
        "cost": found.cost,
        "free_cost": found.free_cost,
        "determined": np.full(len(field), np.nan),
        "gap": np.full(len(field), data.gap),
        "log_scale": np.zeros((len(field), orders.sizes["reflection"])),
        "iterations": found.iterations,
        "outcome": [str(outcome) for outcome in found.outcome],
    }
    return Solutions(labelled(values, SOLUTIONS, {"solver": "window"}))


def _chosen(orders: Orders, hkl: Hkl | None) -> int:
    """Index of the reflection told, else of that with the strongest satellites; UserError where it was not measured."""
    if hkl is None:
        satellites = orders["intensity"].where(orders["order"] != 0).sum(("order", "row"))
        return int(satellites.values.argmax())
    measured = [tuple(int(n) for n in one) for one in orders["hkl"].values]
    if hkl not in measured:
        raise UserError(f"invert.reflection: expected one of {[*map(list, measured)]}, found {list(hkl)}")
    return measured.index(hkl)


def _mask(one: ReciprocalMap, vector: np.ndarray, orders: Orders, film: FilmConfig) -> np.ndarray:
    """Mask (qx, qz) of the map with the substrate's peak in order 0, within one fringe: it is outside the support."""
    mask = one["mask"].values.copy()
    if film.substrate is None:
        return mask
    spacing = 2 * np.pi / film.substrate.c
    bragg = spacing * np.rint(vector[1] / spacing)
    in_order = np.abs(one["qx"].values - vector[0]) < np.pi / float(orders["period"])
    mask[np.ix_(in_order, np.abs(one["qz"].values - bragg) < float(orders["fringe_spacing"]))] = 1
    return mask


def _model(data: MotifData, field: np.ndarray, alone: Orders, orders: Orders, chosen: int) -> np.ndarray:
    """Order intensities (start, reflection, n, row) of the motifs, NaN for the reflections not used."""
    gap = torch.full((len(field),), data.gap, dtype=torch.float64)
    nuisance = Nuisance(torch.zeros_like(gap), torch.zeros_like(gap), gap)
    bright = order_intensities(data.full[0], torch.from_numpy(field), nuisance)
    full = np.full((len(field), *orders["intensity"].shape), np.nan)
    full[:, chosen] = padded_model([bright.numpy()], alone)[:, 0]
    return full
