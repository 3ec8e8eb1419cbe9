"""What every page shares: templates, provenance, and a file that appears whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nanotexture.report.result import decoded, listed


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """Text of a template beside this file, styled."""
    style = Markup((files("nanotexture.report") / "page.css").read_text(encoding="utf-8"))
    return _environment().get_template(template).render(style=style, **values)


def provenance(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """What the end of every page says, from the attributes of a result's root."""
    return {
        "inputs": [one if isinstance(one, dict) else {"file": one} for one in listed(attrs, "inputs")],
        "versions": _table(attrs.get("versions", {})),
        "recipe": attrs.get("recipe", ""),
        "creator": f"{attrs.get('creator', 'nanotexture')} {attrs.get('version', '')}".strip(),
        "contract": attrs.get("contract", ""),
    }


def put_page(text: str, out: Path) -> Path:
    """The page at its path, whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(out)
    return out


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("nanotexture", "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def _table(value: Any) -> list[tuple[str, str]]:
    found = decoded(value)
    return sorted((str(k), str(v)) for k, v in found.items()) if isinstance(found, dict) else []
