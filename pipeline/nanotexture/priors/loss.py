"""How far predicted phases are from true ones, a crystal and its twin being the same answer."""

from __future__ import annotations

import torch


def phase_loss(phasors: torch.Tensor, phase: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """1 - |sum w exp(i (phi - phi'))| / sum w for each sample (b,), the smaller of the crystal's and its twin's.

    phasors: cos and sin of phi' (b, 2, n, n, n); phase: phi in rad, weight: w, both (b, n, n, n). A constant added to phi'
    changes nothing; the twin psi*(-r) has the phases -phi. A shifted crystal is another answer: phi is of a centred one.
    """
    total = weight.sum(dim=(1, 2, 3)).clamp_min(1e-12)
    cos, sin = torch.cos(phase) * weight, torch.sin(phase) * weight
    u, v = phasors[:, 0], phasors[:, 1]
    parts = [(a * b).sum(dim=(1, 2, 3)) for a, b in ((cos, u), (sin, v), (cos, v), (sin, u))]
    cc, ss, cs, sc = parts
    same = torch.sqrt((cc + ss) ** 2 + (cs - sc) ** 2 + 1e-12)
    twin = torch.sqrt((cc - ss) ** 2 + (cs + sc) ** 2 + 1e-12)
    return 1.0 - torch.maximum(same, twin) / total
