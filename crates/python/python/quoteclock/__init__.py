"""Says, to the microsecond, how long a market maker's quotes met its obligation.

The same engine as the command ``quoteclock``: `Registry` says who has to quote what, `replay` measures a day, and what
comes of it are Arrow tables that polars, pandas, pyarrow and DuckDB take as they are::

    import quoteclock as qc
    import polars as pl

    registry = qc.Registry("registry")
    day = qc.replay("2024-03-01.csv.zst", registry)
    pl.DataFrame(day.daily)

Times are whole microseconds, prices and values exact decimals; no floating point takes part in a figure.
"""

from quoteclock._errors import (
    Finding,
    InputError,
    QuestionError,
    QuoteclockError,
    RegistryChangedError,
    RegistryError,
    StoreError,
)
from quoteclock._quoteclock import (
    Day,
    Engine,
    Events,
    Explanation,
    ObligationState,
    RecordBatch,
    Registry,
    Report,
    Store,
    Table,
    __version__,
    convert,
    events,
    explain,
    replay,
)

__all__ = [
    "Day",
    "Engine",
    "Events",
    "Explanation",
    "Finding",
    "InputError",
    "ObligationState",
    "QuestionError",
    "QuoteclockError",
    "RecordBatch",
    "Registry",
    "RegistryChangedError",
    "RegistryError",
    "Report",
    "Store",
    "StoreError",
    "Table",
    "__version__",
    "convert",
    "events",
    "explain",
    "replay",
]
