"""Where output goes: data to stdout as it is made, progress to a terminal on stderr."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.report.content import Report
    from auditor.report.layout import Page
    from auditor.report.names import Names
    from auditor.scan import Progress

_MIN_WIDTH, _PLAIN_WIDTH, _MAX_WIDTH = 60, 80, 120
_BEFORE_THE_FIRST = "looking for apps"


def write(pieces: Iterable[str], encoding: str = "utf-8") -> None:
    """Write pieces to stdout one by one; data formats are UTF-8 whatever the locale says."""
    for piece in pieces:
        sys.stdout.buffer.write(piece.encode(encoding, "backslashreplace"))
    sys.stdout.buffer.flush()


def write_text(text: str) -> None:
    """Write text for people in the encoding of their terminal; what it lacks becomes a backslash sequence."""
    write([text], getattr(sys.stdout, "encoding", None) or "utf-8")


def write_page(page: Page) -> None:
    """Write a page for people, in colour on a terminal."""
    write_text(page.render(colour=colour()))


def write_report(report: Report, output_format: str, names: Names) -> None:
    """Write a report in one of the formats."""
    if output_format == "json":
        from auditor.report.json_report import render_json

        write([render_json(report)])
    elif output_format == "jsonl":
        from auditor.report.json_report import render_jsonl

        write(render_jsonl(report))
    elif output_format == "csv":
        from auditor.report.csv_report import render_csv

        write(render_csv(report))
    else:
        from auditor.report.text import render_text

        write_text(render_text(report, names, width=width(), colour=colour()))


def width() -> int:
    """Columns of the terminal within reason; 80 where stdout is none."""
    if not sys.stdout.isatty():
        return _PLAIN_WIDTH
    return max(_MIN_WIDTH, min(_MAX_WIDTH, shutil.get_terminal_size().columns))


def colour() -> bool:
    """Whether stdout is a terminal that wants colours (NO_COLOR, TERM=dumb)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def progress_bar(wanted: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Show how much was read, on stderr and only on a terminal; yields what a run tells its progress to."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as bars
    from rich.console import Console
    from rich.table import Column

    from auditor.report.inert import visible

    # The name comes from the input: no markup, one line.
    current = bars.TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True))
    count = bars.TextColumn("{task.fields[apps]} apps", markup=False)
    share, size, time = bars.TaskProgressColumn(), bars.DownloadColumn(binary_units=True), bars.TimeElapsedColumn()
    columns = (bars.BarColumn(bar_width=20), share, size, count, time, current)
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(_BEFORE_THE_FIRST, total=None, apps=0)

        def show(progress: Progress) -> None:
            bar.update(
                task,
                total=progress.bytes_total,
                completed=progress.bytes_done,
                apps=progress.files_done,
                description=visible(progress.current) or _BEFORE_THE_FIRST,
            )

        yield show
