"""Errors that the user can mend: one message, exit status 2."""

from __future__ import annotations

from pathlib import Path


class UserError(Exception):
    """Something in a recipe or an input that the user can mend; its text is the whole message shown."""


class InputError(UserError):
    """An input file that cannot be used: names the file, the field, what was expected and what was found."""

    def __init__(self, file: str | Path, field: str, expected: str, found: str) -> None:
        super().__init__(file, field, expected, found)
        self.file, self.field, self.expected, self.found = str(file), field, expected, found

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: expected {self.expected}, found {self.found}"
