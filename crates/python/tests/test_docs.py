"""What docs/PYTHON.md and the README show is what happens: their code runs, in the order in which it stands there."""

from __future__ import annotations

import doctest
import re
import shutil
from pathlib import Path

import pytest

import quoteclock as qc
from conftest import DATA, ROOT, fix_log, registry_of_sessions

PAGE = ROOT / "docs" / "PYTHON.md"


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def headings(page: Path) -> list[str]:
    """The page cut at its headings of the second level; each part is run by itself."""
    return re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


@pytest.fixture()
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bundled month, under the names that the page uses."""
    shutil.copytree(DATA / "tse-small" / "registry", tmp_path / "registry")
    for date in ("2024-03-01", "2024-03-04"):
        shutil.copy(DATA / "tse-small" / f"{date}.csv", tmp_path)
    shutil.copytree(DATA / "month", tmp_path / "month")
    (tmp_path / "own").mkdir()
    registry_of_sessions(tmp_path / "own" / "registry")
    (tmp_path / "own" / "messages.current.log").write_text(fix_log("\x01"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("part", headings(PAGE), ids=lambda part: part.splitlines()[0])
def test_the_page_runs(part: str, folder: Path) -> None:
    code = re.findall(r"^```python\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    if not code:
        return
    for module in ("polars", "matplotlib", "pyarrow"):
        if any(f"import {module}" in block for block in code):
            pytest.importorskip(module, reason=f"skipped: {module} is not installed")
    if any("matplotlib" in block for block in code):
        import matplotlib

        matplotlib.use("Agg")
    names: dict[str, object] = {}
    for block in code:
        exec(compile(block, f"{PAGE.name}: {part.splitlines()[0]}", "exec"), names)


def docstrings() -> list[tuple[str, str]]:
    """Each public thing that has examples, and its docstring."""
    found = []
    for name in qc.__all__:
        thing = getattr(qc, name)
        members = vars(thing).items() if isinstance(thing, type) else []
        found += [(name, thing)] + [(f"{name}.{member}", getattr(thing, member)) for member, _ in members]
    return [(name, str(thing.__doc__)) for name, thing in found if ">>>" in str(thing.__doc__)]


@pytest.mark.parametrize(("name", "text"), docstrings(), ids=[name for name, _ in docstrings()])
def test_examples_in_docstrings_give_what_they_show(name: str, text: str, folder: Path) -> None:
    test = doctest.DocTestParser().get_doctest(text, {"qc": qc}, name, None, None)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    assert runner.run(test, out=report.append).failed == 0, "".join(report)
    assert 0 < len(test.examples)


def test_everything_that_does_something_has_an_example() -> None:
    names = {name for name, _ in docstrings()}
    assert {"Registry", "replay", "Table", "explain", "Engine", "Store", "events", "convert"} <= names


def test_the_readme_runs(folder: Path) -> None:
    qc.convert("2024-03-01.csv", "2024-03-01.csv.zst")
    qc.convert("2024-03-01.csv", "2024-03-01.qcev")
    shown = [block for block in blocks(ROOT / "README.md") if "import quoteclock" in block]
    assert len(shown) == 1, "the README shows the package once"
    with open("2024-03-01.csv", "rb") as events:
        names: dict[str, object] = {"chunk": events.read()}
    exec(compile(shown[0], "README.md", "exec"), names)
