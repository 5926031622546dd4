"""Tables leave by the Arrow PyCapsule interface, with their types, and the readers that quants have take them as they are."""

from __future__ import annotations

import datetime
import gc
from decimal import Decimal

import pytest

import quoteclock as qc
from conftest import DAY

TYPES = {
    "date": "date32[day]",
    "market_maker": "string",
    "start": "timestamp[us, tz=Asia/Tokyo]",
    "end": "timestamp[us, tz=Asia/Tokyo]",
    "duration_us": "int64",
    "available_us": "int64",
    "display_pct": "decimal128(7, 4)",
}


def test_pyarrow_takes_types_and_values(day: qc.Day) -> None:
    pa = pytest.importorskip("pyarrow", reason="skipped: pyarrow is not installed")
    for table in (day.daily, day.breaches, day.outages, day.rejects, day.coverage):
        arrow = pa.table(table)
        assert arrow.column_names == table.column_names
        assert arrow.num_rows == len(table)
        assert arrow.to_pylist() == table.to_pylist()
        for field in arrow.schema:
            assert str(field.type) == TYPES.get(field.name, str(field.type))
        assert pa.schema(table) == arrow.schema
    assert pa.schema(day.daily).field("available_us").metadata == {b"unit": b"us"}


def test_a_requested_schema_is_what_comes_of_it(day: qc.Day) -> None:
    pa = pytest.importorskip("pyarrow", reason="skipped: pyarrow is not installed")
    wanted = pa.schema(
        [field.with_type(pa.large_string()) if field.type == pa.string() else field for field in pa.schema(day.daily)]
    )
    assert pa.table(day.daily, schema=wanted).schema.equals(wanted)


def test_a_capsule_that_nobody_reads_gives_its_memory_back(day: qc.Day) -> None:
    for _ in range(100):
        day.daily.__arrow_c_stream__()
        day.daily.__arrow_c_schema__()
    gc.collect()
    assert len(day.daily) == 17


def test_what_is_handed_over_outlives_the_day(registry: qc.Registry) -> None:
    pa = pytest.importorskip("pyarrow", reason="skipped: pyarrow is not installed")
    kept = qc.replay(DAY, registry)
    arrow, rows = pa.table(kept.breaches), kept.breaches.to_pylist()
    del kept
    gc.collect()
    assert arrow.to_pylist() == rows


def test_polars(day: qc.Day) -> None:
    pl = pytest.importorskip("polars", reason="skipped: polars is not installed")
    frame = pl.DataFrame(day.breaches)
    assert frame.schema["start"] == pl.Datetime("us", "Asia/Tokyo")
    assert frame.schema["date"] == pl.Date
    assert frame.to_dicts() == day.breaches.to_pylist()
    assert pl.DataFrame(day.daily)["display_pct"].dtype == pl.Decimal(7, 4)


def test_pandas(day: qc.Day) -> None:
    pd = pytest.importorskip("pandas", reason="skipped: pandas is not installed")
    pytest.importorskip("pyarrow", reason="skipped: pandas reads Arrow by pyarrow, which is not installed")
    if not hasattr(pd.DataFrame, "from_arrow"):
        pytest.skip("skipped: this pandas has no DataFrame.from_arrow")
    frame = pd.DataFrame.from_arrow(day.breaches)
    assert len(frame) == len(day.breaches)
    assert str(frame["start"].dtype) == "datetime64[us, Asia/Tokyo]"
    assert frame["duration_us"].sum() == sum(row["duration_us"] for row in day.breaches.to_pylist())


def test_duckdb(day: qc.Day) -> None:
    duckdb = pytest.importorskip("duckdb", reason="skipped: duckdb is not installed")
    breaches = day.breaches
    ((total,),) = duckdb.sql("select sum(duration_us) from breaches").fetchall()
    assert total == sum(row["duration_us"] for row in breaches.to_pylist())


def test_plain_python_has_the_same_values(day: qc.Day) -> None:
    row = next(row for row in day.daily.to_pylist() if row["market_maker"] == "MM3" and row["issue"] == "1306")
    assert row["date"] == datetime.date(2024, 3, 1)
    assert row["available_us"] == 5 * 3_600 * 1_000_000
    assert row["display_pct"] == Decimal("95.0000")
    breach = next(row for row in day.breaches.to_pylist() if row["market_maker"] == "MM3" and row["issue"] == "1306")
    assert breach["start"].isoformat() == "2024-03-01T13:10:00+09:00"
    assert day.daily.units["available_us"] == "us" and day.daily.units["issue"] is None


def test_events_of_every_form_are_the_same(tmp_path, registry: qc.Registry) -> None:
    pa = pytest.importorskip("pyarrow", reason="skipped: pyarrow is not installed")
    for name in ("day.qcev", "day.csv.gz", "day.csv.zst", "day.qcev.zst"):
        assert qc.convert(DAY, tmp_path / name) == qc.replay(DAY, registry).record_count
    expected = pa.table(qc.events(DAY))
    assert str(expected.schema.field("time").type) == "timestamp[us, tz=+09:00]"
    assert str(expected.schema.field("order").type) == "uint64"
    for name in ("day.qcev", "day.csv.gz", "day.csv.zst", "day.qcev.zst"):
        batches = list(qc.events(tmp_path / name, batch_rows=50))
        assert {len(batch) for batch in batches[:-1]} == {50} and 0 < len(batches[-1]) <= 50
        assert pa.Table.from_batches([pa.record_batch(batch) for batch in batches]).equals(expected), name
        assert pa.table(batches[0]).num_rows == len(batches[0])
        assert qc.replay(tmp_path / name, registry) == qc.replay(DAY, registry)


def test_events_are_the_lines_of_the_file() -> None:
    import csv

    pa = pytest.importorskip("pyarrow", reason="skipped: pyarrow is not installed")
    lines = list(csv.DictReader(DAY.read_text().splitlines()))
    rows = pa.table(qc.events(DAY)).to_pylist()
    assert len(rows) == len(lines)
    for row, line in zip(rows, lines):
        assert row["event"] == line["event"] and row["issue"] == line["issue"]
        assert row["time"] == datetime.datetime.fromisoformat(line["time"])
        for name in ("order", "contra", "quantity", "seq"):
            assert row[name] == (int(line[name]) if line.get(name) else None)
        assert row["price"] == (Decimal(line["price"]) if line["price"] else None)
        for name in ("server", "side", "condition", "phase"):
            assert row[name] == (line.get(name) or None)


def test_events_stop_at_the_first_bad_record_after_the_good_ones() -> None:
    lines = DAY.read_bytes().splitlines(keepends=True)
    reader = qc.events(b"".join(lines[:5]) + b"not a record\n")
    assert len(next(reader)) == 4
    with pytest.raises(qc.InputError) as caught:
        next(reader)
    assert caught.value.line == 6
    assert list(reader) == []
