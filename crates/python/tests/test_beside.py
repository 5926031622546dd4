"""A firm's own log: FIX and DBN, the numbers of one's own orders, several sources of one date, all as the command takes them."""

from __future__ import annotations

import contextlib
import io
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

import quoteclock as qc
from conftest import DAY, ROOT, SMALL, fix_log

TABLES = ("daily", "breaches", "outages")
HEADER = b"seq,time,issue,event,order,contra,server,side,price,quantity,condition,phase\n"


@dataclass
class Parts:
    """A day cut into its phases and its orders, whose servers stand in a sheet of their own."""

    orders: Path
    phases: Path
    own: Path


@pytest.fixture()
def parts(tmp_path: Path) -> Parts:
    files = {"phases": HEADER, "orders": HEADER}
    numbers = dict.fromkeys(files, 0)
    own = {}
    with DAY.open() as day:
        names = next(day).rstrip("\n").split(",")
        for line in day:
            row = dict(zip(names, line.rstrip("\n").split(","), strict=True))
            if row["event"] == "add" and row["server"]:
                own[row["issue"], row["order"]] = row["server"]
                row["server"] = ""
            name = "phases" if row["event"] == "phase" else "orders"
            numbers[name] += 1
            row["seq"] = str(numbers[name])
            files[name] += ",".join(row.get(column, "") for column in HEADER.decode().strip().split(",")).encode() + b"\n"
    assert all(0 < count for count in numbers.values())
    for name, content in files.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    rows = "".join(f"{issue},{order},{server}\n" for (issue, order), server in own.items())
    (tmp_path / "own.csv").write_text("issue,order,server\n" + rows)
    return Parts(tmp_path / "orders.csv", tmp_path / "phases.csv", tmp_path / "own.csv")


def command_tables(command, out: Path, *arguments: str | Path) -> dict[str, bytes]:
    done = command(["replay", "--registry", SMALL / "registry", "--out", out, "--quiet", *arguments])
    assert done.returncode == 0, done.stderr
    return {name: (out / f"{name}.csv").read_bytes() for name in TABLES}


def tables(day: qc.Day) -> dict[str, bytes]:
    return {name: getattr(day, name).to_csv() for name in TABLES}


def assert_explained(answer: qc.Explanation, command, registry: Path, file: Path, *options: str | Path) -> None:
    """The document and the page are the command's, byte for byte."""
    page = file.with_suffix(".html")
    done = command(["explain", "--registry", registry, "--market-maker", answer.market_maker, "--issue", answer.issue,
                    "--obligation", answer.obligation, "--html", page, "--json", *options, file])
    assert done.returncode == 0, done.stderr
    assert answer.to_json().encode() == done.stdout
    assert answer.to_html().encode() == page.read_bytes()


def test_parts_of_a_day_are_the_day(parts: Parts, registry: qc.Registry, day: qc.Day, command, tmp_path: Path) -> None:
    given = command_tables(
        command, tmp_path / "out", "--own-orders", parts.own, "--also", f"{parts.phases}:phases", parts.orders
    )
    assert given == tables(day), "the parts have all of it"
    whole = DAY.read_bytes()
    for also in (
        f"{parts.phases}:phases",
        str(parts.phases),
        parts.phases,
        (parts.phases, "phases"),
        parts.phases.read_bytes(),
        memoryview(parts.phases.read_bytes()),
        (io.BytesIO(whole), "phases"),
        [(whole, "phases")],
        [parts.phases.open("rb")],
    ):
        for options in ({}, {"threads": 2}):
            if hasattr(also, "seek"):
                also.seek(0)
            for part in also if isinstance(also, (list, tuple)) else []:
                for stream in part if isinstance(part, tuple) else [part]:
                    if hasattr(stream, "seek"):
                        stream.seek(0)
            measured = qc.replay(parts.orders, registry, also=also, own_orders=parts.own, **options)
            assert tables(measured) == given, also
    for own in (str(parts.own), parts.own.read_bytes(), bytearray(parts.own.read_bytes()), parts.own.open("rb")):
        assert tables(qc.replay(parts.orders, registry, also=parts.phases, own_orders=own)) == given
    lenient = qc.replay(
        parts.phases, registry, also=[f"{parts.orders}:orders"], own_orders=parts.own, lenient=True, until="10:30"
    )
    assert tables(lenient) == tables(qc.replay(DAY, registry, until="10:30"))


def test_an_engine_knows_ones_own_orders_too(parts: Parts, registry: qc.Registry) -> None:
    content = parts.orders.read_bytes()
    expected = qc.replay(content, registry, own_orders=parts.own)
    for own in (parts.own, parts.own.read_bytes(), parts.own.open("rb")):
        engine = qc.Engine(registry, own_orders=own)
        for start in range(0, len(content), 1000):
            engine.push(content[start : start + 1000])
        assert engine.finish() == expected
    assert expected != qc.replay(content, registry), "the sheet says whose they are"
    with pytest.raises(qc.InputError) as caught:
        qc.Engine(registry, own_orders=b"order,server\nx,VS101\n")
    assert (caught.value.file, caught.value.line, caught.value.column) == ("<own_orders>", 2, "order")
    with pytest.raises(TypeError, match="own_orders: found .*int.*, expected a path"):
        qc.Engine(registry, own_orders=7)


def test_an_explanation_takes_them_too(parts: Parts, registry: qc.Registry, command) -> None:
    options = ["--own-orders", parts.own, "--also", f"{parts.phases}:phases"]
    answer = qc.explain(parts.orders, registry, market_maker="MM1", issue="1306", at="10:16",
                        also=f"{parts.phases}:phases", own_orders=parts.own)
    assert "not fulfilled: spread" in answer.to_text(width=120)
    assert_explained(answer, command, SMALL / "registry", parts.orders, "--at", "10:16", *options)


def test_a_conversion_and_events_take_them_too(parts: Parts, registry: qc.Registry, day: qc.Day, command, tmp_path) -> None:
    beside = {"also": f"{parts.phases}:phases", "own_orders": parts.own}
    for name in ("merged.csv", "merged.qcev"):
        assert qc.convert(parts.orders, tmp_path / name, **beside) == day.record_count
        done = command(["convert", "--own-orders", parts.own, "--also", beside["also"], parts.orders, tmp_path / f"c-{name}"])
        assert done.returncode == 0, done.stderr
        assert (tmp_path / name).read_bytes() == (tmp_path / f"c-{name}").read_bytes()
        assert tables(qc.replay(tmp_path / name, registry)) == tables(day)
    pa = pytest.importorskip("pyarrow", reason="skipped: pyarrow is not installed")
    merged, events = pa.table(qc.events(tmp_path / "merged.csv")), pa.table(qc.events(parts.orders, **beside))
    assert events.drop(["seq"]).equals(merged.drop(["seq"]))
    assert sum(len(batch) for batch in qc.events(parts.orders, batch_rows=7, **beside)) == day.record_count
    with pytest.warns(UserWarning, match="own orders that the input does not have: 4711"):
        qc.convert(parts.orders, tmp_path / "merged.csv", own_orders=b"order,server\n4711,VS101\n")


def test_a_day_of_several_sources_is_stored_as_the_command_stores_it(
    parts: Parts, registry: qc.Registry, command, tmp_path: Path
) -> None:
    store = qc.Store(tmp_path / "python.db")
    day = qc.replay(parts.orders, registry, lenient=True, also=f"{parts.phases}:phases", own_orders=parts.own)
    store.add(day)
    done = command(["replay", "--registry", SMALL / "registry", "--db", tmp_path / "command.db", "--quiet", "--lenient",
                    "--own-orders", parts.own, "--also", f"{parts.phases}:phases", parts.orders])
    assert done.returncode == 0, done.stderr

    def stored(file: Path) -> list[tuple[object, ...]]:
        with contextlib.closing(sqlite3.connect(file)) as database:
            return database.execute("select input, input_sha256, options, record_count, coverage from days").fetchall()

    assert stored(tmp_path / "python.db") == stored(tmp_path / "command.db")
    options = str(stored(tmp_path / "python.db")[0][2])
    assert options.startswith("--lenient --own-orders ") and ":phases#" in options
    # What a changed registry alters is measured again from all of them.
    changed = tmp_path / "changed"
    shutil.copytree(SMALL / "registry", changed)
    text = (changed / "signups.csv").read_text(encoding="utf-8").splitlines()
    (changed / "signups.csv").write_text("\n".join(line for line in text if not line.startswith("MM2,1306,")) + "\n")
    again = command(["replay", "--registry", changed, "--db", store.file, "--changed", "--quiet"])
    assert again.returncode == 0, again.stderr
    assert len(store.report("2024-03", qc.Registry(changed)).monthly) == len(day.daily) - 1


def test_what_cannot_be_meant_is_said(parts: Parts, registry: qc.Registry, tmp_path: Path) -> None:
    with pytest.raises(qc.InputError, match="has orders of issue .*, of which .*orders.csv has some") as caught:
        qc.replay(parts.orders, registry, also=DAY)
    assert caught.value.file == str(DAY)
    with pytest.raises(qc.InputError, match="has orders of issue"):
        qc.convert(parts.orders, tmp_path / "out.csv", also=DAY)
    with pytest.raises(qc.InputError, match="has orders of issue"):
        list(qc.events(parts.orders, also=DAY))
    with pytest.raises(ValueError, match="also: found \"trades\", expected phases or orders"):
        qc.replay(parts.orders, registry, also=(parts.phases, "trades"))
    for wrong in (7, [7], (parts.phases,), (7, "phases")):
        with pytest.raises(TypeError, match="expected a"):
            qc.replay(parts.orders, registry, also=wrong)
    with pytest.raises(TypeError, match="own_orders: found .*int.*, expected a path"):
        qc.replay(parts.orders, registry, own_orders=7)
    with pytest.raises(TypeError, match="binary mode"):
        qc.replay(parts.orders, registry, own_orders=io.StringIO("order,server\n"))
    with pytest.raises(qc.InputError) as caught:
        qc.replay(parts.orders, registry, own_orders="no/such/sheet.csv")
    assert caught.value.file == "no/such/sheet.csv" and isinstance(caught.value.__cause__, FileNotFoundError)
    with pytest.raises(qc.InputError) as caught:
        qc.replay(parts.orders, registry, own_orders=b"order,server\nx,VS101\n7,\n")
    assert (caught.value.file, caught.value.line, caught.value.column) == ("<own_orders>", 2, "order")
    assert "line 3, column server" in str(caught.value), "all that is wrong is listed"
    with pytest.raises(qc.InputError, match="expected") as caught:
        qc.replay(parts.orders, registry, also=[parts.phases, b"no header\n"])
    assert (caught.value.file, caught.value.line) == ("<also 2>", 1)
    for file in (parts.orders, parts.phases, parts.own):
        content = file.read_bytes()
        with pytest.raises(qc.InputError, match="the output is the input"):
            qc.convert(parts.orders, file, also=f"{parts.phases}:phases", own_orders=parts.own)
        assert file.read_bytes() == content
    # A gap in one of several sources is not lost when they are numbered anew.
    lines = parts.orders.read_bytes().splitlines(keepends=True)
    with pytest.raises(qc.InputError, match="records are missing") as caught:
        qc.convert(b"".join(lines[:9] + lines[10:]), tmp_path / "out.csv", also=(parts.phases, "phases"))
    assert caught.value.column == "seq"


def test_what_a_file_object_beside_the_input_raises_is_raised(parts: Parts, registry: qc.Registry) -> None:
    class Broken:
        def read(self, count: int) -> bytes:
            raise KeyError("the line is down")

    with pytest.raises(KeyError, match="the line is down"):
        qc.replay(parts.orders, registry, also=Broken())
    with pytest.raises(KeyError, match="the line is down"):
        list(qc.events(parts.orders, also=[(Broken(), "phases")]))


def test_records_set_aside_name_their_input(parts: Parts, registry: qc.Registry, command, tmp_path: Path) -> None:
    with parts.phases.open("ab") as phases:
        phases.write(b"not a record\n")
    lines = parts.orders.read_bytes().splitlines(keepends=True)
    parts.orders.write_bytes(b"".join(lines[:20] + [lines[20].replace(b",add,", b",addd,")] + lines[21:]))
    done = command(["replay", "--registry", SMALL / "registry", "--out", tmp_path / "out", "--quiet", "--lenient",
                    "--own-orders", parts.own, "--also", parts.phases, parts.orders])
    assert done.returncode == 3, done.stderr
    day = qc.replay(parts.orders, registry, lenient=True, also=parts.phases, own_orders=parts.own)
    assert day.rejects.to_csv() == (tmp_path / "out" / "rejects.csv").read_bytes()
    assert {row["file"] for row in day.rejects.to_pylist()} == {str(parts.orders), str(parts.phases)}
    assert tables(day) == {name: (tmp_path / "out" / f"{name}.csv").read_bytes() for name in TABLES}


def test_progress_counts_all_inputs(parts: Parts, registry: qc.Registry) -> None:
    told = []
    qc.replay(parts.orders, registry, also=parts.phases, progress=lambda read, total: told.append((read, total)))
    size = parts.orders.stat().st_size + parts.phases.stat().st_size
    assert told[-1] == (size, size)


@pytest.mark.parametrize("separator", ["|", "\x01", "^A"])
def test_a_fix_log(separator: str, sessions: Path, command, tmp_path: Path) -> None:
    file = tmp_path / "messages.log"
    file.write_text(fix_log(separator))
    registry = qc.Registry(sessions)
    for options, beside in (([], {}), (["--also", f"{DAY}:phases"], {"also": f"{DAY}:phases"})):
        done = command(["replay", "--registry", sessions, "--out", tmp_path / "out", "--quiet", *options, file])
        assert done.returncode == 0, done.stderr
        expected = {name: (tmp_path / "out" / f"{name}.csv").read_bytes() for name in TABLES}
        for given in (file, file.read_bytes(), file.open("rb")):
            assert tables(qc.replay(given, registry, **beside)) == expected
    assert 0 < next(
        row["fulfilled_us"] for row in qc.replay(file, registry).daily.to_pylist() if row["issue"] == "1306"
    )
    answer = qc.explain(file, registry, market_maker="MM1", issue="1306")
    assert_explained(answer, command, sessions, file)
    qc.convert(file, tmp_path / "day.qcev")
    assert tables(qc.replay(tmp_path / "day.qcev", registry)) == tables(qc.replay(file, registry))
    engine = qc.Engine(registry)
    for start in range(0, len(file.read_bytes()), 11):
        engine.push(file.read_bytes()[start : start + 11])
    assert engine.finish() == qc.replay(file, registry)
    with pytest.raises(qc.InputError) as caught:
        qc.replay(file.read_bytes().replace(b"32=19000", b"32=x"), registry, name="bad.log")
    assert (caught.value.file, caught.value.line) == ("bad.log", 3) and "32" in str(caught.value)


def test_dbn(registry: qc.Registry, command, tmp_path: Path) -> None:
    files = sorted((ROOT / "fuzz" / "corpus" / "dbn").glob("orders.*"))
    assert files
    for file in files:
        out = tmp_path / file.name
        done = command(["convert", file, f"{out}.csv"])
        assert done.returncode == 0, done.stderr
        assert 0 < qc.convert(file.read_bytes(), f"{out}.p.csv")
        assert Path(f"{out}.csv").read_bytes() == Path(f"{out}.p.csv").read_bytes()
        pa = pytest.importorskip("pyarrow", reason="skipped: pyarrow is not installed")
        assert pa.table(qc.events(file)).equals(pa.table(qc.events(f"{out}.csv")))
