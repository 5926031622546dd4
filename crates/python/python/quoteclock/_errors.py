"""The errors of the package: plain Python, so that they can be told apart by type, and pickled."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

__all__ = [
    "Finding",
    "InputError",
    "QuestionError",
    "QuoteclockError",
    "RegistryChangedError",
    "RegistryError",
    "StoreError",
]


@dataclass(frozen=True)
class Finding:
    """Something in a registry that is wrong, or worth a look.

    Attributes
    ----------
    severity : str
        ``"error"``, which stops the work, or ``"warning"``, which does not.
    file : str
        The file of the registry.
    line : int or None
        The line, counted from 1; ``None`` where the file as a whole is meant.
    column : str or None
        The column's name; of ``scheme.toml`` the number of the character. ``None`` where the line as a whole is meant.
    message : str
        What was found, and what was expected.
    """

    severity: str
    file: str
    line: int | None
    column: str | None
    message: str

    def __str__(self) -> str:
        line = None if self.line is None else f"line {self.line}"
        column = None if self.column is None else f"column {self.column}"
        place = ", ".join(part for part in (line, column) if part is not None)
        return f"{self.file}: {place}: {self.message}" if place else f"{self.file}: {self.message}"


class QuoteclockError(Exception):
    """Whatever goes wrong in this package. The message says what was found, where, and what was expected."""


class RegistryError(QuoteclockError):
    """A registry that cannot be read, or says something that cannot be.

    Attributes
    ----------
    folder : str or None
        The folder.
    findings : tuple of Finding
        All that is wrong and all that is worth a look; empty where the folder cannot be read at all.
    """

    folder: str | None
    findings: tuple[Finding, ...]

    def __init__(self, message: str, *, folder: str | None = None, findings: list[Finding] | None = None) -> None:
        super().__init__(message)
        self.folder = folder
        self.findings = tuple(findings or ())


class InputError(QuoteclockError):
    """An input of events that cannot be read, measured or converted.

    Attributes
    ----------
    file : str or None
        The input's name.
    line : int or None
        The line of the bad record, counted from 1, in CSV.
    byte : int or None
        The offset of the bad record's first byte, decompressed, in other forms.
    column : str or None
        The column that is wrong, where it is one.
    """

    file: str | None
    line: int | None
    byte: int | None
    column: str | None

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        byte: int | None = None,
        column: str | None = None,
    ) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.byte = byte
        self.column = column


class QuestionError(QuoteclockError, ValueError):
    """A question to `explain` without an answer: no such market maker, sign-up, obligation or instant on the date."""


class StoreError(QuoteclockError):
    """A file of measured days that cannot be read or written, or a day that cannot be kept.

    Attributes
    ----------
    file : str or None
        The file.
    """

    file: str | None

    def __init__(self, message: str, *, file: str | None = None) -> None:
        super().__init__(message)
        self.file = file


class RegistryChangedError(StoreError):
    """Stored days that the registry as it is now would measure otherwise: replay them, or report them as measured.

    Attributes
    ----------
    days : dict of datetime.date to list of str
        The days, and what has changed of each.
    """

    days: dict[datetime.date, list[str]]

    def __init__(
        self, message: str, *, file: str | None = None, days: dict[datetime.date, list[str]] | None = None
    ) -> None:
        super().__init__(message, file=file)
        self.days = dict(days or {})


# Users know these by the package's own name.
for _name in __all__:
    globals()[_name].__module__ = "quoteclock"
