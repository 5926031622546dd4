"""Measures days on a Ray cluster, each in shards, and merges them into one database.

    python measure.py --registry registry --parts parts --db market.db --shards 4 march/*.qcev

A task is a process of quoteclock that writes a file of parts, under `--parts`, which all machines have to see. A task whose process or
whose machine has died is done again: it replaces what it wrote. One that is refused (exit code 1 or 2) is not.
"""

import argparse
import pathlib
import subprocess
import sys

import ray


class Died(Exception):
    """The process was killed: another time it may go well."""


@ray.remote(num_cpus=1, max_retries=3, retry_exceptions=[Died])
def measure(command: list[str]) -> int:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode < 0:
        raise Died(f"{' '.join(command)}: signal {-done.returncode}")
    # 3: records were set aside, of which merge tells.
    if done.returncode not in (0, 3):
        raise ValueError(done.stderr)
    return done.returncode


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quoteclock", default="quoteclock", help="the program, where it is on every machine")
    arguments.add_argument("--registry", required=True)
    arguments.add_argument("--parts", required=True, type=pathlib.Path)
    arguments.add_argument("--db", required=True)
    arguments.add_argument("--shards", type=int, default=1)
    arguments.add_argument("--address", help="of the cluster; without it one is started here")
    arguments.add_argument("days", nargs="+")
    given = arguments.parse_args()
    given.parts.mkdir(parents=True, exist_ok=True)
    ray.init(address=given.address, log_to_driver=False)
    parts, tasks = [], []
    for day in given.days:
        for shard in range(given.shards):
            part = given.parts / f"{pathlib.Path(day).name}-{shard}-of-{given.shards}.db"
            replay = [given.quoteclock, "replay", "--quiet", "--threads", "1", "--registry", given.registry]
            tasks.append(measure.remote(replay + ["--shard", f"{shard}/{given.shards}", "--db", str(part), day]))
            parts.append(str(part))
    ray.get(tasks)
    ray.shutdown()
    return subprocess.run([given.quoteclock, "merge", "--db", given.db, *parts]).returncode


if __name__ == "__main__":
    sys.exit(main())
