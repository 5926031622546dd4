"""Stubs and module agree, and whoever checks types sees what is there."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import quoteclock as qc
from conftest import ROOT

PACKAGE = ROOT / "crates" / "python" / "python" / "quoteclock"


def mypy(*arguments: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("mypy", reason="skipped: mypy is not installed")
    return subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False)


def test_stubs_and_module_agree() -> None:
    checked = mypy("mypy.stubtest", "quoteclock", "--concise")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_package_and_its_use_have_types(tmp_path: Path) -> None:
    use = tmp_path / "use.py"
    use.write_text(
        "import datetime\n"
        "import quoteclock as qc\n"
        "registry = qc.Registry('registry')\n"
        "day: qc.Day = qc.replay(b'', registry, until='10:30', date=datetime.date(2024, 3, 1), progress=True)\n"
        "for state in qc.Engine(registry).state('MM1', '1306'):\n"
        "    available: int = state.available_us\n"
        "names: list[str] = [finding.message for finding in registry.findings]\n"
        "qc.replay('own.log', registry, also=['phases.csv:phases', (b'', 'orders')], own_orders=b'order,server\\n')\n"
        "qc.explain('own.log', registry, market_maker='MM1', issue='1306', also=open('phases.csv', 'rb'))\n"
        "qc.convert('own.log', 'day.qcev', also='phases.csv:phases', own_orders=open('own.csv', 'rb'))\n"
        "batches: list[qc.RecordBatch] = list(qc.events('day.qcev'))\n"
    )
    checked = mypy("mypy", "--strict", str(use))
    assert checked.returncode == 0, checked.stdout
    use.write_text("import quoteclock as qc\nqc.replay(7, qc.Registry('registry'))\n")
    assert "arg-type" in mypy("mypy", "--strict", str(use)).stdout
    use.write_text("import quoteclock as qc\nqc.events('own.log', also=[(b'', 'trades')])\n")
    assert mypy("mypy", "--strict", str(use)).returncode != 0
    checked = mypy("mypy", "--strict", str(PACKAGE))
    assert checked.returncode == 0, checked.stdout


def test_everything_public_is_documented() -> None:
    missing = []
    for name in qc.__all__:
        thing = getattr(qc, name)
        if name == "__version__":
            continue
        if not (thing.__doc__ or "").strip():
            missing.append(name)
        if not inspect.isclass(thing):
            continue
        for member, value in vars(thing).items():
            is_public = not member.startswith("_") or member.startswith("__arrow")
            if is_public and (callable(value) or inspect.isdatadescriptor(value)) and not value.__doc__:
                missing.append(f"{name}.{member}")
    assert missing == []


def test_functions_are_documented_in_the_numpy_style() -> None:
    for function in (qc.replay, qc.explain, qc.events, qc.convert):
        for heading in ("Parameters\n----------", "Returns\n-------", "Raises\n------"):
            assert heading in function.__doc__, (function.__name__, heading)
