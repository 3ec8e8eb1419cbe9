"""What all configs of stages are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Hkl = tuple[int, int, int]


class Config(BaseModel):
    """Immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
