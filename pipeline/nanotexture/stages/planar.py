"""What is worked out for textures of one modulation direction only: left out, with a sentence that says so, of others."""

from __future__ import annotations

from typing import Any

from nanotexture.quantities import Texture
from nanotexture.schema import labelled


def left_out_of_volumes(textures: list[Texture], what: str) -> Any:
    """An empty dataset whose attribute left_out is the sentence; None where the textures are uniform along y."""
    if not any("y" in one.dims for one in textures):
        return None
    sentence = f"{what}: left out, since they are worked out for textures of one modulation direction only."
    return labelled({}, {}, {"left_out": sentence})
