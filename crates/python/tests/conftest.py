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


def fix_log(separator: str = "|") -> str:
    """A morning of one session: quotes on both sides, one of them filled, replaced and cancelled."""
    reports = [
        ("00:00:01", "O1", "0", "1", "40=2|44=2820|151=20000"),
        ("00:00:01", "O2", "0", "2", "40=2|44=2821|151=20000"),
        ("00:30:00.000001", "O1", "F", "1", "44=2820|31=2820|32=19000|151=1000"),
        ("00:45:00", "O1", "5", "1", "44=2819|151=30000|41=C1"),
        ("02:00:00", "O2", "4", "2", "151=0"),
    ]
    lines = [
        f"8=FIX.4.4|9=100|35=8|34={number}|49=TSE|56=VS101|52=20240301-{time}|37={order}|11=C{number}|150={kind}|55=1306|"
        f"54={side}|60=20240301-{time}|{more}|10=000|\n"
        for number, (time, order, kind, side, more) in enumerate(reports, 1)
    ]
    return "".join(lines).replace("|", separator)


def registry_of_sessions(folder: Path) -> Path:
    """The bundled registry, whose servers are sessions of FIX, in a new folder."""
    folder.mkdir()
    for file in (SMALL / "registry").iterdir():
        text = file.read_text(encoding="utf-8")
        text = text.replace("VS101", "TSE/VS101") if file.name == "virtual_servers.csv" else text
        (folder / file.name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture()
def sessions(tmp_path: Path) -> Path:
    return registry_of_sessions(tmp_path / "registry")
