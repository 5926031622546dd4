"""Measures days on a Spark cluster, a day a task, and writes the rows of daily.csv as a table.

    spark-submit measure.py --registry registry --out daily march/*.qcev

Needs pandas 2.2 or later and pyarrow where the tasks run, and quoteclock. A task is a process that writes Parquet into a folder of its own;
its rows go on as they are, by mapInArrow, without becoming Python objects. A task that has died is done again by Spark.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import pyarrow.parquet
from pyspark.sql import SparkSession

ROWS = (
    "date date, market_maker string, issue string, obligation string, "
    "available_us long, fulfilled_us long, unknown_us long, display_pct decimal(7, 4)"
)


def measuring(quoteclock: str, registry: str):
    """What a task does with its days."""

    def measure(batches):
        for batch in batches:
            for day in batch.column("day").to_pylist():
                with tempfile.TemporaryDirectory() as folder:
                    command = [quoteclock, "replay", "--quiet", "--threads", "1", "--registry", registry]
                    done = subprocess.run(
                        [*command, "--out", folder, "--parquet", day], capture_output=True, text=True
                    )
                    if done.returncode != 0:
                        raise RuntimeError(f"{day}: {done.stderr}")
                    yield from pyarrow.parquet.read_table(pathlib.Path(folder) / "daily.parquet").to_batches()

    return measure


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quoteclock", default="quoteclock", help="the program, where it is on every machine")
    arguments.add_argument("--registry", required=True)
    arguments.add_argument("--out", required=True)
    arguments.add_argument("days", nargs="+")
    given = arguments.parse_args()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = SparkSession.builder.appName("quoteclock").getOrCreate()
    days = spark.createDataFrame([(day,) for day in given.days], "day string").repartition(len(given.days))
    days.mapInArrow(measuring(given.quoteclock, given.registry), ROWS).write.mode("overwrite").parquet(given.out)
    print(spark.read.parquet(given.out).count(), "rows of", len(given.days), "days")
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
