"""A bar for whoever waits, by tqdm where that is installed."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any


def bar() -> Callable[[int, int | None], None]:
    """Return what shows how much has been read; without tqdm it shows nothing, and says so once."""
    try:
        tqdm = importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        warnings.warn("progress=True shows a bar where tqdm is installed: pip install tqdm", stacklevel=2)
        return lambda read, total: None
    return _Bar(tqdm)


class _Bar:
    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None

    def __call__(self, read: int, total: int | None) -> None:
        if self._bar is None:
            self._bar = self._tqdm(total=total, unit="B", unit_scale=True, unit_divisor=1024)
        self._bar.update(read - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
