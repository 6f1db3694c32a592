"""Run the benchmarks and print their ratios: `python -m benchmarks [load|memory|...]`."""

import os
import platform
import sys

from . import bookkeeping, chat, load, memory, panel, ratios, startup, vision

BENCHMARKS = {
    "startup": startup.main,
    "load": load.main,
    "memory": memory.main,
    "bookkeeping": bookkeeping.main,
    "chat": chat.main,
    "vision": vision.main,
    "panel": panel.main,
}


def main(names: list[str]) -> None:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"no benchmark {unknown[0]!r}; there is {', '.join(BENCHMARKS)}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}")
    for name in names or BENCHMARKS:
        print(f"\n== {name}")
        BENCHMARKS[name]()
    if ratios.missed:
        sys.exit(f"\nbelow the bar: {', '.join(ratios.missed)}")


main(sys.argv[1:])
