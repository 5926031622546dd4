"""Errors say what, where, and what was expected; they can be told apart, and pickled."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import quoteclock as qc
from conftest import DAY, SMALL


def copy(error: Exception) -> Exception:
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is type(error) and str(copied) == str(error)
    assert copied.__dict__ == error.__dict__
    return copied


def test_a_registry_error_lists_all_that_is_wrong(tmp_path: Path) -> None:
    for file in (SMALL / "registry").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "signups.csv").open("a") as signups:
        signups.write("MM1,9998,P011,2024-02-01,\nMM1,9999,P011,2024-02-01,\n")
    with pytest.raises(qc.RegistryError) as caught:
        qc.Registry(tmp_path)
    error = caught.value
    assert isinstance(error, qc.QuoteclockError)
    assert error.folder == str(tmp_path)
    errors = [finding for finding in error.findings if finding.severity == "error"]
    assert len(errors) == 2
    assert errors[0].file == "signups.csv" and errors[0].line is not None and "9998" in errors[0].message
    assert str(errors[0]).startswith(f"signups.csv: line {errors[0].line}")
    assert [finding for finding in qc.Registry.check(tmp_path) if finding.severity == "error"] == errors
    copy(error)


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(qc.RegistryError, match="expected one that holds") as caught:
        qc.Registry("no/such/folder")
    assert caught.value.findings == ()
    copy(caught.value)


def test_an_input_error_says_where(registry: qc.Registry, tmp_path: Path) -> None:
    lines = DAY.read_bytes().splitlines(keepends=True)
    fields = lines[3].split(b",")
    header = lines[0].rstrip(b"\n").split(b",")
    fields[header.index(b"price")] = b"cheap"
    damaged = tmp_path / "damaged.csv"
    damaged.write_bytes(b"".join(lines[:3]) + b",".join(fields) + b"".join(lines[4:]))
    with pytest.raises(qc.InputError) as caught:
        qc.replay(damaged, registry)
    error = caught.value
    assert (error.file, error.line, error.byte, error.column) == (str(damaged), 4, None, "price")
    assert "cheap" in str(error) and "expected" in str(error)
    copy(error)
    with pytest.raises(qc.InputError) as caught:
        qc.convert(damaged, tmp_path / "out.qcev")
    assert (caught.value.line, caught.value.column) == (4, "price")
    assert not (tmp_path / "out.qcev").exists()


def test_an_input_error_of_a_binary_form_says_which_byte(registry: qc.Registry, tmp_path: Path) -> None:
    qc.convert(DAY, tmp_path / "day.qcev")
    whole = (tmp_path / "day.qcev").read_bytes()
    with pytest.raises(qc.InputError) as caught:
        qc.replay(whole[: len(whole) // 2], registry, name="half.qcev")
    assert caught.value.file == "half.qcev" and caught.value.line is None and caught.value.byte is not None
    copy(caught.value)


def test_an_input_that_is_not_there_has_the_systems_error_as_its_cause(registry: qc.Registry) -> None:
    with pytest.raises(qc.InputError) as caught:
        qc.replay("no/such/day.csv", registry)
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    assert (caught.value.file, caught.value.line) == ("no/such/day.csv", None)


def test_every_error_is_one_of_the_packages_and_can_be_pickled() -> None:
    import datetime

    errors = [
        qc.QuoteclockError("what"),
        qc.RegistryError("what", folder="where", findings=[qc.Finding("error", "a.csv", 3, "issue", "why")]),
        qc.InputError("what", file="day.csv", line=3, column="price"),
        qc.InputError("what", file="day.qcev", byte=64),
        qc.QuestionError("what"),
        qc.StoreError("what", file="march.db"),
        qc.RegistryChangedError("what", file="march.db", days={datetime.date(2024, 3, 1): ["limits"]}),
    ]
    for error in errors:
        assert isinstance(error, qc.QuoteclockError)
        assert type(error).__module__ == "quoteclock"
        copy(error)
