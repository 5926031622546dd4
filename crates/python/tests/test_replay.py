"""Days, explanations, engines and stores: the same as the front door's, from Python's values."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import threading
from decimal import Decimal
from pathlib import Path

import pytest

import quoteclock as qc
from conftest import DAY, SMALL


def test_every_kind_of_input_gives_the_same_day(tmp_path: Path, registry: qc.Registry, day: qc.Day) -> None:
    content = DAY.read_bytes()
    zipped = tmp_path / "2024-03-01.csv.gz"
    zipped.write_bytes(gzip.compress(content))

    class Dribble(io.RawIOBase):
        """Gives a few bytes at a time, whatever is asked for."""

        def __init__(self) -> None:
            self.rest = content

        def read(self, count: int = -1) -> bytes:
            given, self.rest = self.rest[:777], self.rest[777:]
            return given

    class Generous:
        """Gives all at once, whatever is asked for."""

        def __init__(self) -> None:
            self.rest = content

        def read(self, count: int) -> bytes:
            given, self.rest = self.rest, b""
            return given

    inputs = [str(DAY), DAY, content, bytearray(content), memoryview(content), zipped, gzip.open(zipped)]
    inputs += [io.BytesIO(content), DAY.open("rb"), Dribble(), Generous()]
    for given in inputs:
        for options in ({}, {"lenient": True}, {"threads": 3}):
            if hasattr(given, "seek") and not isinstance(given, (memoryview, Dribble)):
                given.seek(0)
            elif isinstance(given, (Dribble, Generous)):
                given.rest = content
            assert qc.replay(given, registry, **options) == day, (given, options)


def test_a_file_object_is_read_from_where_it_stands(registry: qc.Registry, day: qc.Day) -> None:
    file = io.BytesIO(b"a line before\n" + DAY.read_bytes())
    file.readline()
    assert qc.replay(file, registry) == day


def test_what_a_file_object_raises_is_raised(registry: qc.Registry) -> None:
    class Broken:
        def read(self, count: int) -> bytes:
            raise KeyError("the disk is gone")

    for threads in (1, 2):
        with pytest.raises(KeyError, match="the disk is gone"):
            qc.replay(Broken(), registry, threads=threads)
    with pytest.raises(TypeError, match="binary mode"):
        qc.replay(io.StringIO(DAY.read_text()), registry)
    with pytest.raises(TypeError, match="expected a path"):
        qc.replay(7, registry)


def test_a_day_says_what_it_rests_on(day: qc.Day, registry: qc.Registry) -> None:
    import hashlib

    assert day.date == datetime.date(2024, 3, 1)
    assert day.input == str(DAY)
    assert day.input_sha256 == hashlib.sha256(DAY.read_bytes()).hexdigest()
    assert (day.multiplier, day.reject_count, day.until) == (1, 0, None)
    assert day.record_count == len(DAY.read_text().splitlines()) - 1
    assert [row["finding"] for row in day.coverage.to_pylist()] == ["silent_issue"]
    assert qc.replay(DAY, registry, sha256=False).input_sha256 is None
    assert day != qc.replay(SMALL / "2024-03-04.csv", registry)
    assert len(registry.sha256) == 64 and registry.timezone == "Asia/Tokyo"
    assert registry.interpretations["own_crossed_quotes"] == "fulfilled"


def test_what_is_seen_of_a_table_is_for_people(day: qc.Day) -> None:
    lines = repr(day.daily).splitlines()
    assert lines[0] == "daily: 17 rows" and len(lines) == 2 + 17
    assert lines[1].split("  ")[0] == "market maker" and "display %" in lines[1]
    assert lines[2].split() == ["MM1", "1306", "general", "98.8184", "5:00:00", "4:56:27.314583"]
    assert "10:15:30.370000" in repr(day.breaches) and "0:03:32.435417" in repr(day.breaches)
    assert "spread 0:03:32.435417, bid_size 0:00:00.25" in day.outages._repr_html_()
    assert "silent_issue  1678" in repr(day.coverage), "columns without a name for people stand as they are"
    html = day._repr_html_()
    assert "<th>display %</th>" in html and "4:56:27.314583" in html and "unknown</th>" not in html
    assert repr(day.rejects).splitlines()[0] == "rejects: 0 rows"


def test_options_are_the_commands(registry: qc.Registry) -> None:
    morning = qc.replay(DAY, registry, until="10:30")
    assert morning.until is not None and morning.until.isoformat() == "2024-03-01T10:30:00+09:00"
    assert all(row["available_us"] <= 90 * 60 * 1_000_000 for row in morning.daily.to_pylist())
    tokyo = datetime.timezone(datetime.timedelta(hours=9))
    instant = datetime.datetime(2024, 3, 1, 10, 30, tzinfo=tokyo)
    for until in ("2024-03-01T10:30:00+09:00", datetime.time(10, 30), instant, instant.astimezone(datetime.timezone.utc)):
        assert morning == qc.replay(DAY, registry, until=until)
    assert qc.replay(DAY, registry, date=datetime.date(2024, 3, 1)) == qc.replay(DAY, registry, date="2024-03-01")
    with pytest.raises(TypeError, match="until: found .*int.*, expected a time"):
        qc.replay(DAY, registry, until=1030)
    for wrong in ({"until": "noon"}, {"until": datetime.datetime(2024, 3, 1, 10, 30)}, {"date": "yesterday"}, {"threads": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            qc.replay(DAY, registry, **wrong)


def test_damage_is_set_aside_by_a_lenient_run(registry: qc.Registry) -> None:
    damaged = DAY.read_bytes() + b"not a record\n"
    day = qc.replay(damaged, registry, lenient=True)
    assert day.reject_count == 1
    (reject,) = day.rejects.to_pylist()
    assert reject["record"] == "not a record" and reject["place"] == f"line {day.record_count + 1}"
    assert reject["file"] == "<bytes>"
    assert "set aside" in repr(day)
    html = qc.replay(damaged + b"<script>" + b"x" * 9000 + b"\n", registry, lenient=True, name="<b>.csv")._repr_html_()
    assert "&lt;b&gt;.csv" in html and "<b>" not in html
    long = qc.replay(DAY.read_bytes() + b"<script>" + b"x" * 9000 + b"\n", registry, lenient=True).rejects
    assert "&lt;script&gt;xxx" in long._repr_html_() and len(long._repr_html_()) < 1000
    assert len(long.to_pylist()[0]["record"]) == 9008, "all of it is there"


def test_explain_says_why(registry: qc.Registry, command, tmp_path: Path) -> None:
    answer = qc.explain(DAY, registry, market_maker="MM1", issue="1306", at="10:16")
    document = answer.to_dict()
    assert document == json.loads(answer.to_json(), parse_float=Decimal)
    assert "not fulfilled: spread" in answer.to_text(width=120)
    breach = next(row for row in qc.replay(DAY, registry).breaches.to_pylist() if row["reason"] == "spread")
    of = {"market_maker": breach["market_maker"], "issue": breach["issue"], "obligation": breach["obligation"]}
    by_time = qc.explain(DAY, registry, at=breach["start"], **of)
    assert by_time.to_json() == qc.explain(DAY, registry, at=breach["start"].isoformat(), **of).to_json()
    assert (answer.market_maker, answer.issue, answer.obligation) == ("MM1", "1306", "general")
    page = tmp_path / "page.html"
    done = command(["explain", "--registry", SMALL / "registry", "--market-maker", "MM1", "--issue", "1306", "--at", "10:16",
                    "--html", page, "--json", DAY])
    assert done.returncode == 0, done.stderr
    assert answer.to_json().encode() == done.stdout and answer.to_html().encode() == page.read_bytes()
    assert answer.to_html().lstrip().lower().startswith("<!doctype html>")
    frame = answer._repr_html_()
    assert frame.startswith("<iframe") and "<script" not in frame
    with pytest.raises(qc.QuestionError, match="9999"):
        qc.explain(DAY, registry, market_maker="MM1", issue="9999")
    with pytest.raises(ValueError, match="at"):
        qc.explain(DAY, registry, market_maker="MM1", issue="1306", at="soon")


def test_an_engine_comes_to_the_day_of_a_replay(registry: qc.Registry, day: qc.Day) -> None:
    engine = qc.Engine(registry)
    assert engine.now is None and engine.record_count == 0 and engine.state("MM1", "1306") == []
    seen = set()
    content = DAY.read_bytes()
    for start in range(0, len(content), 100):
        engine.push(content[start : start + 100])
        seen.update((state.obligation, state.state, state.reason) for state in engine.state("MM1", "1306"))
    assert ("general", "fulfilled", None) in seen and ("general", "breach", "spread") in seen
    general = engine.state("MM3", "1306")[0]
    assert general.since.tzinfo is not None and engine.now is not None and general.since <= engine.now
    assert isinstance(general.bid_value, Decimal)
    assert 0 < general.fulfilled_us <= general.available_us
    assert engine.record_count == day.record_count
    assert engine.finish() == day
    for call in (engine.finish, lambda: engine.push(b""), lambda: engine.state("MM1", "1306")):
        with pytest.raises(RuntimeError, match="has ended"):
            call()


def test_an_engine_ends_with_its_first_error(registry: qc.Registry) -> None:
    engine = qc.Engine(registry, date="2024-03-01")
    engine.push(b"time,issue,event,order,server,side,price,quantity\n")
    with pytest.raises(qc.InputError) as caught:
        engine.push(b"2024-03-01T09:00:00+09:00,1306,add,seven,,B,2820,100\n")
    assert (caught.value.line, caught.value.column) == (2, "order")
    with pytest.raises(qc.InputError, match="ended"):
        engine.push(b"more")


def test_a_store_keeps_days_and_settles_the_month(tmp_path: Path, registry: qc.Registry, command) -> None:
    store = qc.Store(tmp_path / "march.db")
    with pytest.raises(qc.StoreError) as caught:
        store.report("2024-03", registry)
    assert caught.value.file == str(tmp_path / "march.db")
    days = [qc.replay(SMALL / f"{date}.csv", registry) for date in ("2024-03-01", "2024-03-04")]
    assert [store.add(day) for day in days] == [None, None]
    assert store.add(days[0]) == 0, "the same figures in its own place"
    assert [day["date"] for day in store.days("2024-03")] == [day.date for day in days]
    report = store.report("2024-03", registry)
    assert report.month == "2024-03" and not report.is_complete and len(report.days_missing) == 18
    assert any(note.startswith("NOT COMPLETE") for note in report.notes)
    assert "NOT COMPLETE" in report._repr_html_()
    written = command(["report", "--registry", SMALL / "registry", "--db", store.file, "--month", "2024-03",
                       "--out", tmp_path / "out", "--no-documents", "--quiet"])
    assert written.returncode in (0, 3), written.stderr
    for name in ("monthly", "market_makers", "incentives", "conditions", "tiers", "recommendations", "payments"):
        assert getattr(report, name).to_csv() == (tmp_path / "out" / f"{name}.csv").read_bytes(), name
    assert len(report.status) == len(report.monthly)
    assert len(report.criteria) == 0, "the built-in scheme has none"
    with pytest.raises(ValueError, match="month"):
        store.report("March", registry)


def test_a_stored_day_is_what_the_command_stores(tmp_path: Path, registry: qc.Registry, command) -> None:
    qc.Store(tmp_path / "python.db").add(qc.replay(DAY, registry))
    stored = command(["replay", "--registry", SMALL / "registry", "--db", tmp_path / "command.db", "--quiet", DAY])
    assert stored.returncode == 0, stored.stderr
    documents = [
        json.loads(command(["days", "--db", tmp_path / name, "--registry", SMALL / "registry", "--json"]).stdout)
        for name in ("python.db", "command.db")
    ]
    assert documents[0]["days"] == documents[1]["days"]


def test_a_registry_that_has_changed_is_said(tmp_path: Path, registry: qc.Registry) -> None:
    import shutil

    store = qc.Store(tmp_path / "march.db")
    store.add(qc.replay(DAY, registry))
    shutil.copytree(SMALL / "registry", tmp_path / "registry")
    servers = tmp_path / "registry" / "virtual_servers.csv"
    servers.write_text(servers.read_text().replace("VS101,MM1,", "VS101,MM2,"))
    changed = qc.Registry(tmp_path / "registry")
    with pytest.raises(qc.RegistryChangedError) as caught:
        store.report("2024-03", changed)
    assert list(caught.value.days) == [datetime.date(2024, 3, 1)]
    assert any(note.startswith("AS MEASURED") for note in store.report("2024-03", changed, as_measured=True).notes)


def test_a_day_of_pushed_bytes_cannot_be_kept(tmp_path: Path, registry: qc.Registry) -> None:
    with pytest.raises(qc.StoreError, match="pushed"):
        qc.Store(tmp_path / "march.db").add(qc.Engine(registry, date="2024-03-01").finish())
    assert not (tmp_path / "march.db").exists()


def test_pages_hold_what_they_show(day: qc.Day) -> None:
    html = day._repr_html_()
    assert "MM3" in html and "1306" in html and "<script" not in html
    assert "<table>" in day.breaches._repr_html_()
    assert "daily: 17 rows" in repr(day.daily)


def test_threads_share_a_registry(registry: qc.Registry, day: qc.Day) -> None:
    results: list[qc.Day] = []

    def work() -> None:
        for _ in range(5):
            results.append(qc.replay(DAY, registry, threads=1))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 20 and all(result == day for result in results)


def test_the_interpreter_runs_while_a_day_is_measured(registry: qc.Registry) -> None:
    import time

    lines = ["time,issue,event,order,server,side,price,quantity"]
    lines += [f"2024-03-01T09:00:00.000000+09:00,1306,add,{order},,B,2820,100" for order in range(1, 200_001)]
    content = "\n".join(lines).encode() + b"\n"
    turns = 0
    is_over = threading.Event()

    def count() -> None:
        nonlocal turns
        while not is_over.is_set():
            turns += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    try:
        before = turns
        qc.replay(content, registry, threads=1)
        during = turns - before
    finally:
        is_over.set()
        counter.join()
    # A call that keeps the lock lets nobody else have a turn; this one takes many times a millisecond.
    assert 5 < during


def test_convert_refuses_what_makes_no_sense(tmp_path: Path) -> None:
    copy = tmp_path / "day.csv"
    copy.write_bytes(DAY.read_bytes())
    with pytest.raises(qc.InputError, match="the output is the input"):
        qc.convert(copy, copy)
    with pytest.raises(ValueError, match="output"):
        qc.convert(copy, tmp_path / "day.txt")
    assert qc.convert(copy, tmp_path / "excerpt.csv", issue="1306", limit=3) == 3
    with pytest.raises(qc.InputError, match="9999"):
        qc.convert(copy, tmp_path / "none.csv", issue="9999")
    start = datetime.datetime(2024, 3, 1, 1, 0, tzinfo=datetime.timezone.utc)
    assert 0 < qc.convert(copy, tmp_path / "from.csv", start=start, end="2024-03-01T10:30:00+09:00")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["day.csv", "excerpt.csv", "from.csv"]
