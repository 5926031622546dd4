"""Whoever waits sees how far it is, and can stop it."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import quoteclock as qc
from conftest import DAY, SMALL


class Slow:
    """A file that takes its time, so that there is something to watch."""

    def __init__(self, seconds: float) -> None:
        self.file = DAY.open("rb")
        self.seconds = seconds

    def read(self, count: int) -> bytes:
        time.sleep(self.seconds)
        return self.file.read(100)


def test_progress_is_told_up_to_the_end(registry: qc.Registry) -> None:
    told: list[tuple[int, int | None]] = []
    qc.replay(DAY, registry, progress=lambda read, total: told.append((read, total)))
    size = DAY.stat().st_size
    assert told[-1] == (size, size)
    told.clear()
    qc.replay(Slow(0.06), registry, progress=lambda read, total: told.append((read, total)), threads=1)
    assert 3 < len(told)
    assert all(total is None for _, total in told)
    assert [read for read, _ in told] == sorted(read for read, _ in told)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_progress_raises_stops_the_replay(registry: qc.Registry, threads: int) -> None:
    def enough(read: int, total: int | None) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        qc.replay(Slow(0.06), registry, progress=enough, threads=threads)


def test_progress_is_a_function_or_a_bar(registry: qc.Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="progress"):
        qc.replay(DAY, registry, progress=7)
    assert qc.replay(DAY, registry, progress=False) == qc.replay(DAY, registry)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.warns(UserWarning, match="pip install tqdm"):
        qc.replay(DAY, registry, progress=True)


def test_tqdm_shows_a_bar(registry: qc.Registry, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm", reason="skipped: tqdm is not installed")
    qc.replay(DAY, registry, progress=True)
    assert "100%" in capsys.readouterr().err


WAITING = """
import sys, time
import quoteclock as qc

class Endless:
    def __init__(self):
        self.lines, self.number = [], 0
        self.given = False

    def read(self, count):
        if not self.given:
            self.given = True
            print("measuring", flush=True)
            return b"time,issue,event,order,server,side,price,quantity\\n"
        self.number += 1
        return b"".join(
            b"2024-03-01T09:00:00.000000+09:00,1306,add,%d,,B,2820,100\\n" % order
            for order in range(self.number * 1000, self.number * 1000 + 1000)
        )

registry = qc.Registry(sys.argv[1])
try:
    qc.replay(Endless(), registry, threads=int(sys.argv[2]), lenient=False)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="skipped: no SIGINT for one process on Windows")
@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c_stops_a_long_replay(threads: str) -> None:
    arguments = [sys.executable, "-c", WAITING, str(SMALL / "registry"), threads]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "measuring\n"
        time.sleep(0.5)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert rest == "stopped\n" and process.returncode == 0
        assert time.monotonic() - sent < 10


PIPED = """
import sys
import quoteclock as qc

registry, pipe, out = qc.Registry(sys.argv[1]), sys.argv[2], sys.argv[3]
work = {
    "replay": lambda: qc.replay(pipe, registry, threads=2),
    "explain": lambda: qc.explain(pipe, registry, market_maker="MM1", issue="1306"),
    "convert": lambda: qc.convert(pipe, out),
    "events": lambda: sum(len(batch) for batch in qc.events(pipe)),
}[sys.argv[4]]
print("measuring", flush=True)
try:
    work()
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="skipped: no SIGINT for one process, and no named pipes, on Windows")
@pytest.mark.parametrize("work", ["replay", "explain", "convert", "events"])
def test_ctrl_c_stops_what_reads_a_path(work: str, tmp_path: Path) -> None:
    """No line of Python runs meanwhile: only the package looks at signals."""
    pipe, out = tmp_path / "pipe.csv", tmp_path / "out.qcev"
    os.mkfifo(pipe)
    arguments = [sys.executable, "-c", PIPED, str(SMALL / "registry"), str(pipe), str(out), work]

    def feed() -> None:
        with pipe.open("wb", buffering=0) as end, contextlib.suppress(BrokenPipeError):
            end.write(b"time,issue,event,order,server,side,price,quantity\n")
            for number in itertools.count(1):
                end.write(b"2024-03-01T09:00:00.000000+09:00,1306,add,%d,,B,2820,100\n" % number)

    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "measuring\n"
        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert rest == "stopped\n" and process.returncode == 0
    feeder.join(timeout=20)
    assert not feeder.is_alive() and not out.exists()
    assert list(tmp_path.iterdir()) == [pipe], "nothing half written is left behind"


def test_memory_is_given_back(registry: qc.Registry) -> None:
    """A shorter run of what docs/PERFORMANCE.md has in full."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("skipped: this system does not tell a program's memory in /proc")

    def resident_kib() -> int:
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS"))

    content = (SMALL / "2024-03-04.csv").read_bytes()

    def replay() -> None:
        day = qc.replay(content, registry, threads=1)
        day.daily.__arrow_c_stream__()
        day.breaches.to_pylist()

    for _ in range(100):
        replay()
    before = resident_kib()
    for _ in range(400):
        replay()
    assert resident_kib() - before < 10 * 1024
