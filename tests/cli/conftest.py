"""Runs of the command line in this process, with a catalog and apps made by hand where a test wants them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import auditor.catalog
import auditor.scan
from auditor.catalog import Catalog
from auditor.cli import main
from auditor.model import Audit, JudgedRecord, Problem, Scan
from auditor.scan import Progress
from tests.builders.reports import make_catalog


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Invoke = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("AUDITOR_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def invoke(capsysbinary: pytest.CaptureFixture[bytes]) -> Invoke:
    """Run one command line and return its exit code and what it wrote."""

    def run(*arguments: object) -> Ended:
        code = main([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return Ended(code, out.decode("utf-8"), err.decode("utf-8"))

    return run


@dataclass
class FakeRun:
    """A run whose audits and problems were chosen by the test, and the options it was made with."""

    audits: list[Any] = field(default_factory=list)
    problems: tuple[Problem, ...] = ()
    records: list[JudgedRecord] = field(default_factory=list)
    on_record: Any = None
    target: tuple[str, ...] = ("inputs",)
    made_with: dict[str, Any] = field(default_factory=dict)

    def __call__(self, paths: Any, **options: Any) -> FakeRun:
        self.made_with = {"paths": list(paths), **options}
        return self

    @property
    def catalog(self) -> Catalog:
        catalog: Catalog = self.made_with["catalog"]
        return catalog

    @property
    def as_of(self) -> Any:
        return self.made_with["as_of"]

    @property
    def apps(self) -> int:
        return len(self.audits)

    def scan(self) -> Scan:
        return Scan("auditor 0.1.0", self.catalog.digest, self.as_of, self.target, self.apps, self.problems)

    def __iter__(self) -> Iterator[Audit]:
        observer = self.made_with["observer"]
        for number, item in enumerate(self.audits, 1):
            if isinstance(item, BaseException):
                raise item
            if observer is not None:
                observer(Progress(number, number, len(self.audits), str(item.app.origin)))
            yield item
        for judged in self.records:
            if self.on_record is not None:
                self.on_record(judged)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    """Replace the reading of files and the shipped catalog."""
    run = FakeRun()
    monkeypatch.setattr(auditor.scan, "Run", run)
    monkeypatch.setattr(auditor.catalog, "load_catalog", lambda packs=(): make_catalog())
    return run
