"""Tables of a data set of one's own, in csv."""

import csv
import io
from collections.abc import Sequence

Row = tuple[int, dict[str, str]]  # the line where it ends, and its values by column


class TableError(ValueError):
    """What is wrong with a table."""


def read_rows(text: str, columns: Sequence[str]) -> list[Row]:
    """Return the rows of a table, each with a value in each of the columns.

    Raises
    ------
    TableError
        The text is no csv, a column is missing or there twice, a value is missing, or there is no
        row.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows = []
    try:
        header = list(reader.fieldnames or ())
        for column in columns:
            if header.count(column) != 1:
                many = "no column" if column not in header else "more than one column"
                raise TableError(f"{many} `{column}`; the columns are {', '.join(header)[:200]}")
        for row in reader:
            values = {column: (row[column] or "").strip() for column in columns}
            empty = next((column for column, value in values.items() if not value), None)
            if empty is not None:
                raise TableError(f"no value of `{empty}` in line {reader.line_num}")
            rows.append((reader.line_num, values))
    except csv.Error as error:
        raise TableError(f"line {reader.line_num + 1} or what follows it: {error}") from error
    if not rows:
        raise TableError("no row")
    return rows
