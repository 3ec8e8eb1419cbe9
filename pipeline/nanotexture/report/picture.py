"""A figure as a page holds it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A figure as a data: URI with its heading and caption, which also stand for it unseen."""

    heading: str
    caption: str
    source: str
