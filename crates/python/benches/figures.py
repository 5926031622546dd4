"""What the package costs beside the command, and whether memory stays where it was. Prints the figures of docs/PERFORMANCE.md.

    .ci/python --release
    target/python/venv/bin/python crates/python/benches/figures.py [--events 10000000] [--rounds 6] [--replays 10000]

Times: a made-up day, measured in alternating rounds by the command (a process: registry, day, three CSV files) and from Python
(the same, within one process that has been started before; and as a process of its own, the interpreter's start included). Both
write the same bytes, or this stops. Then both with the input hashed and the day kept in a database. A figure is the median; a ratio is
the median of the ratios within a round.

Memory: bundled days measured one after the other, of which everything is looked at; what the process holds after 100 and in the end.
A first replay that grows is a warm allocator, one that never stops growing a leak.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import quoteclock as qc

ROOT = Path(__file__).resolve().parents[3]
SMALL = ROOT / "replay-data" / "tse-small"
TABLES = ("daily", "breaches", "outages")
ALONE = """
import sys
import quoteclock as qc
registry, file, out, threads = sys.argv[1:]
day = qc.replay(file, qc.Registry(registry), threads=int(threads), sha256=False)
for name in ("daily", "breaches", "outages"):
    with open(f"{out}/{name}.csv", "wb") as to:
        to.write(getattr(day, name).to_csv())
"""


def run(*arguments: str | Path) -> None:
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr.decode())


def seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def compare(what: str, work: dict[str, Callable[[], None]], rounds: int) -> None:
    """Prints the time of each, and its ratio to the command's, of alternating rounds."""
    taken: dict[str, list[float]] = {who: [] for who in work}
    for number in range(rounds + 1):
        for who in work if number % 2 else reversed(work):
            spent = seconds(work[who])
            if 0 < number:  # The first is for the file system's cache and the process's memory.
                taken[who].append(spent)
    for who, spent in taken.items():
        ratios = [own / command for own, command in zip(spent, taken["command"], strict=True)]
        print(f"{what}: {who:8} {statistics.median(spent):6.3f} s, "
              f"{statistics.median(ratios):.3f} of the command's ({min(ratios):.3f} to {max(ratios):.3f})", flush=True)


def measure(registry: Path, file: Path, out: Path, threads: int) -> None:
    day = qc.replay(file, qc.Registry(registry), threads=threads, sha256=False)
    for name in TABLES:
        (out / f"{name}.csv").write_bytes(getattr(day, name).to_csv())


def keep(registry: Path, file: Path, database: Path, threads: int) -> None:
    qc.Store(database).add(qc.replay(file, qc.Registry(registry), threads=threads))


def times(command: Path, events: int, rounds: int, folder: Path) -> None:
    for form, name in (("csv", "2024-03-01.csv"), ("binary", "2024-03-01.qcev")):
        made = folder / form
        run(command, "generate", "--load", "tse-etf", "--events", str(events), "--form", form, "--date", "2024-03-01",
            "--out", made)
        file, registry = made / name, made / "registry"
        for threads in (1, 2):
            outs = {who: folder / f"{form}-{threads}-{who}" for who in ("command", "python", "process")}
            for out in outs.values():
                out.mkdir()
            work = {
                "command": lambda: run(command, "replay", "--quiet", "--registry", registry, "--out", outs["command"],
                                       "--threads", str(threads), file),
                "python": lambda: measure(registry, file, outs["python"], threads),
                "process": lambda: run(sys.executable, "-c", ALONE, registry, file, outs["process"], str(threads)),
            }
            kept = {
                "command": lambda: run(command, "replay", "--quiet", "--registry", registry, "--db", folder / "command.db",
                                       "--threads", str(threads), file),
                "python": lambda: keep(registry, file, folder / "python.db", threads),
            }
            compare(f"{form}, {events} events, {threads} thread(s)", work, rounds)
            compare(f"{form}, {events} events, {threads} thread(s), hashed and stored", kept, rounds)
            expected = {table: (outs["command"] / f"{table}.csv").read_bytes() for table in TABLES}
            for who, out in outs.items():
                assert {table: (out / f"{table}.csv").read_bytes() for table in TABLES} == expected, who


def resident_kib() -> int:
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def memory(replays: int) -> None:
    registry = qc.Registry(SMALL / "registry")
    days = [(SMALL / f"{date}.csv").read_bytes() for date in ("2024-03-01", "2024-03-04")]
    first = [qc.replay(day, registry) for day in days]

    def replay(number: int) -> None:
        content, expected = days[number % 2], first[number % 2]
        day = qc.replay(content, registry, threads=1 + number % 2, lenient=number % 3 == 0)
        assert day == expected
        for name in (*TABLES, "coverage", "rejects"):
            table = getattr(day, name)
            table.__arrow_c_stream__(), table.to_pylist(), table.to_csv(), table._repr_html_()
        qc.explain(content, registry, market_maker="MM1", issue="1306")._repr_html_()
        engine = qc.Engine(registry)
        engine.push(content)
        engine.state("MM1", "1306"), engine.finish()
        for batch in qc.events(content):
            batch.__arrow_c_array__()
        try:
            qc.replay(content + b"not a record\n", registry)
        except qc.InputError:
            return
        raise AssertionError("a bad record was accepted")

    held = 0
    for number in range(replays):
        if number == 100:
            gc.collect()
            held = resident_kib()
            print(f"after 100 replays: {held / 1024:.1f} MiB", flush=True)
        replay(number)
    gc.collect()
    print(f"after {replays} replays: {resident_kib() / 1024:.1f} MiB, {(resident_kib() - held) / 1024:+.1f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--replays", type=int, default=10_000)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--command", type=Path, default=target / "release" / "quoteclock")
    options = parser.parse_args()
    if not options.command.exists():
        sys.exit(f"{options.command} is not there: .ci/python --release builds it, and the wheel with it")
    memory(options.replays)
    with tempfile.TemporaryDirectory() as folder:
        times(options.command, options.events, options.rounds, Path(folder))


if __name__ == "__main__":
    main()
