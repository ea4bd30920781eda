"""An Excel workbook of rows: real numbers and dates, text that is never a formula, in constant memory."""

import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import xlsxwriter  # type: ignore[import-untyped]  # ships no annotations
from anyio import CancelScope, to_thread

from counterfoil.kit.money import CURRENCY_EXPONENTS, DEFAULT_EXPONENT, format_amount
from counterfoil.tables.records import Column, ColumnType

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_CHUNK_BYTES = 256 * 1024
_LONGEST_TEXT = 32_767
_LONGEST_SHEET_NAME = 31
_TIMESTAMP, _DATE = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"
_LARGEST_NUMBER = Decimal("1e300")
_FIRST_DATE = date(1900, 1, 1)
_WIDTHS: dict[ColumnType, int] = {
    "uuid": 38,
    "timestamp": 20,
    "date": 12,
    "money": 16,
    "number": 14,
    "boolean": 10,
    "enum": 14,
    "text": 28,
}
# Characters no XML document may hold, escaped or not, besides those the writer takes care of.
_NOT_XML = {0xFFFE: None, 0xFFFF: None}


class Workbook:
    """One worksheet that grows row by row. Every call into the writer happens in a thread, one after the other."""

    def __init__(self, folder: Path, title: str, columns: Sequence[Column]) -> None:
        self.rows = 0
        self._path = folder / "rows.xlsx"
        self._columns = tuple(columns)
        self._book = xlsxwriter.Workbook(self._path, {"constant_memory": True, "tmpdir": str(folder)})
        self._sheet = self._book.add_worksheet(title[:_LONGEST_SHEET_NAME])
        self._formats: dict[str, Any] = {}
        self._writers = [self._writer(column) for column in self._columns]
        self._write_heading()

    @classmethod
    @asynccontextmanager
    async def open(cls, title: str, columns: Sequence[Column]) -> AsyncIterator[Self]:
        """A workbook in a temporary folder, which is gone after the block however it ends."""
        folder = Path(await to_thread.run_sync(tempfile.mkdtemp, None, "counterfoil-"))
        try:
            workbook = await to_thread.run_sync(cls, folder, title, columns)
            try:
                yield workbook
            finally:
                # The writer's own, which it only closes when it finishes.
                workbook._sheet.row_data_fh.close()  # noqa: SLF001  (of this class)
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(shutil.rmtree, folder)

    async def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows: the columns' values in their order, then the currencies of the money columns."""
        await to_thread.run_sync(self._add, rows)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Finish the workbook and read it."""
        await to_thread.run_sync(self._book.close)
        with self._path.open("rb") as file:
            while chunk := await to_thread.run_sync(file.read, _CHUNK_BYTES):
                yield chunk

    def _add(self, rows: Sequence[Sequence[Any]]) -> None:
        width = len(self._columns)
        for row in rows:
            self.rows += 1
            currencies = iter(row[width:])
            for index, (column, write) in enumerate(zip(self._columns, self._writers, strict=True)):
                currency = next(currencies) if column.currency_column else None
                if row[index] is not None:
                    write(self.rows, index, row[index], currency)

    def _write_heading(self) -> None:
        bold = self._book.add_format({"bold": True})
        self._sheet.freeze_panes(1, 0)
        for index, column in enumerate(self._columns):
            self._sheet.set_column(index, index, max(_WIDTHS[column.type], min(len(column.title) + 2, 40)))
            title = f"{column.title} (UTC)" if column.type == "timestamp" else column.title
            self._sheet.write_string(0, index, title, bold)

    def _writer(self, column: Column) -> Callable[[int, int, Any, str | None], object]:
        match column.type:
            case "money" | "number":
                return self._write_number
            case "timestamp" | "date":
                return self._write_time
            case "boolean":
                return lambda row, index, value, _: self._sheet.write_boolean(row, index, value)
            case _:
                return lambda row, index, value, _: self._write_text(row, index, str(value))

    def _write_number(self, row: int, index: int, value: Decimal, currency: str | None) -> None:
        shown = format_amount(value, currency)
        # A cell's number is a float: what has more digits than one keeps exactly stays what it is, as text.
        if abs(value) > _LARGEST_NUMBER or Decimal(f"{value:.15G}") != value:
            self._write_text(row, index, shown)
            return
        fraction = len(shown.partition(".")[2])
        places = max(fraction, CURRENCY_EXPONENTS.get(currency, DEFAULT_EXPONENT)) if currency else fraction
        pattern = f"#,##0.{'0' * places}" if places else "#,##0"
        self._sheet.write_number(row, index, value, self._format(pattern))

    def _write_time(self, row: int, index: int, value: date, _currency: str | None) -> None:
        day = value.date() if isinstance(value, datetime) else value
        if day < _FIRST_DATE:
            # Before the beginning of the spreadsheet's calendar.
            self._write_text(row, index, value.isoformat())
        elif isinstance(value, datetime):
            plain = value.astimezone(UTC).replace(tzinfo=None)
            self._sheet.write_datetime(row, index, plain, self._format(_TIMESTAMP))
        else:
            self._sheet.write_datetime(row, index, value, self._format(_DATE))

    def _write_text(self, row: int, index: int, text: str) -> None:
        self._sheet.write_string(row, index, text.translate(_NOT_XML)[:_LONGEST_TEXT])

    def _format(self, pattern: str) -> Any:
        if pattern not in self._formats:
            self._formats[pattern] = self._book.add_format({"num_format": pattern})
        return self._formats[pattern]
