"""What the tests have in common: the bundled days, and the command that they are compared with."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import quoteclock as qc

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "replay-data"
SMALL = DATA / "tse-small"
DAY = SMALL / "2024-03-01.csv"


@pytest.fixture(scope="session")
def registry() -> qc.Registry:
    return qc.Registry(SMALL / "registry")


@pytest.fixture(scope="session")
def day(registry: qc.Registry) -> qc.Day:
    return qc.replay(DAY, registry)


Command = Callable[[Sequence[str | Path]], "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="session")
def command() -> Command:
    """The command `quoteclock`: as QUOTECLOCK_COMMAND names it, as cargo has built it, or on the path."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    name = "quoteclock.exe" if os.name == "nt" else "quoteclock"
    built = [path for path in (target / "release" / name, target / "debug" / name) if path.exists()]
    built.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    found = os.environ.get("QUOTECLOCK_COMMAND") or (str(built[0]) if built else shutil.which("quoteclock"))
    if found is None:
        pytest.skip("skipped: no command quoteclock (cargo build -p quoteclock-cli, or QUOTECLOCK_COMMAND)")

    def run(arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([found, *map(str, arguments)], capture_output=True, check=False)

    return run
