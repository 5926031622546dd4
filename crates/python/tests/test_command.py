"""The same bytes as the command, on all bundled days and on made-up ones, good and damaged."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

import quoteclock as qc
from conftest import DATA

#: Made-up days; a whole run has 300.
DAYS = int(os.environ.get("QUOTECLOCK_DAYS", "300"))

TABLES = ("daily", "breaches", "outages")


def bundled() -> list[tuple[Path, Path]]:
    """Each registry of the bundled data with the days beside it."""
    registries = sorted(DATA.glob("*/registry"))
    return [(folder, day) for folder in registries for day in sorted(folder.parent.glob("*.csv*"))]


def rows(tables: dict[str, list[bytes]]) -> dict[str, bytes]:
    """One file of many days: their rows under one header."""
    return {
        name: parts[0].split(b"\n", 1)[0] + b"\n" + b"".join(part.split(b"\n", 1)[1] for part in parts)
        for name, parts in tables.items()
    }


def compare(command, registry: Path, days: list[Path], out: Path, *options: str) -> None:
    done = command(["replay", "--registry", registry, "--out", out, "--quiet", *options, *days])
    lenient = "--lenient" in options
    assert done.returncode == 0 or (lenient and done.returncode == 3), done.stderr
    opened = qc.Registry(registry)
    measured = [qc.replay(day, opened, lenient=lenient) for day in days]
    names = (*TABLES, "rejects") if lenient else TABLES
    found = rows({name: [getattr(day, name).to_csv() for day in measured] for name in names})
    for name in names:
        assert found[name] == (out / f"{name}.csv").read_bytes(), name


def test_the_bundled_days_are_there() -> None:
    assert 25 < len(bundled())


@pytest.mark.parametrize("folder", sorted({str(folder.relative_to(DATA)) for folder, _ in bundled()}))
def test_bundled_days(command, folder: str, tmp_path: Path) -> None:
    days = [day for registry, day in bundled() if registry == DATA / folder]
    compare(command, DATA / folder, days, tmp_path)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Some lines of a day left out, repeated, cut or scrambled."""
    lines = content.splitlines(keepends=True)
    for _ in range(chance.randint(1, 5)):
        position = chance.randrange(1, len(lines))
        line = lines[position]
        lines[position] = chance.choice(
            [b"", line * 2, line[: len(line) // 2] + b"\n", line.replace(b",", b",,", 1), line.replace(b"1", b"x", 1)]
        )
    return b"".join(lines)


@pytest.mark.parametrize("seed", range(1, (DAYS + 20) // 21 + 1))
def test_made_up_days(command, seed: int, tmp_path: Path) -> None:
    """The weekdays of a month: three months of five strictly, the others damaged and leniently."""
    chance = random.Random(seed)
    events = str(chance.choice([1000, 1500, 3000]))
    made = command(["generate", "--out", tmp_path, "--month", "2024-03", "--seed", str(seed), "--events", events])
    assert made.returncode == 0, made.stderr
    days = sorted(tmp_path.glob("2024-*"))
    assert len(days) == 21
    options = ["--lenient"] if seed % 5 in (0, 3) else []
    if options:
        for day in days:
            day.write_bytes(damaged(day.read_bytes(), chance))
    compare(command, tmp_path / "registry", days, tmp_path / "out", *options)
