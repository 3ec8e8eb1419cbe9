"""Small SPEC files."""

from __future__ import annotations

from collections.abc import Sequence

COLUMNS = "H  K  L  Epoch  Ion Chamber  trans  Seconds  NaI"
LATTICE = "4 4 20 90 90 90 1.57 1.57 0.314 90 90 90 " + "0 " * 18 + "0.8 0.8"


def spec_scan(
    rows: Sequence[Sequence[float]],
    command: str = "hklscan  1 1  0 0  1 1.3  3 -1000",
    number: int = 1,
    columns: str = COLUMNS,
    lattice: str = LATTICE,
    monitor: str = "#M 1000  (Ion Chamber)",
    comment: str = "",
) -> str:
    """One scan as SPEC writes it."""
    head = [
        f"#S {number}  {command}",
        "#D Wed Feb 10 20:43:24 1999",
        monitor,
        f"#G1 {lattice}",
        "#Q 1 0 1",
        "#P0 10 20",
    ]
    body = [" ".join(f"{value:g}" for value in row) for row in rows]
    end = [f"#C Wed Feb 10 20:44:24 1999.  {comment}"] if comment else []
    return "\n".join([*head, f"#N {len(columns.split('  '))}", f"#L {columns}", *body, *end, ""])


def spec_file(*scans: str) -> str:
    """A file of these scans."""
    return "\n".join(
        ["#F small.spec", "#E 918630612", "#D Wed Feb 10 01:10:12 1999", "#O0 th  tth", "", *scans]
    )


def rod_rows(counts: Sequence[float], monitor: float = 1000.0, trans: float = 1.0) -> list[list[float]]:
    """Points of a scan along l from 1 in steps of 0.1."""
    return [[1, 0, 1 + 0.1 * i, i, monitor, trans, 2, n] for i, n in enumerate(counts)]
