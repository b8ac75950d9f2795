"""The doctor on a log of 100 MB, beside `wc -l` and a Python loop over its lines."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any


def bench_doctor(quick: bool, title: Callable[..., None], row: Callable[..., Any]) -> None:
    """A log of 100 MB: half of its lines by websockets, then all of them with a connection's id; beside wc -l and a plain loop."""
    size = 10 if quick else 100
    title(f"the doctor: a log of {size} MB; beside `wc -l` and a Python loop over its lines")
    for name, share in (("half of its lines are websockets'", 0.5), ("all of them are, with ids", 1.0)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "app.log"
            _write_log(path, size * 10**6, share)
            taken = {what: _seconds(partial(do, path)) for what, do in {"doctor": _doctor, "wc": _wc, "loop": _loop}.items()}
        held = f"wc -l {taken['wc']:.2f} s, a loop {taken['loop']:.2f} s"
        row(name, f"{taken['doctor']:.1f} s", held, taken["doctor"] * 100 / size, 10, "s")
    row("memory, at most", f"{_doctor_memory():.0f} MB", "of the whole process")


def _seconds(do: Callable[[], object]) -> float:
    """Of processor time, here and in children: a machine is never quiet."""
    begin = os.times()
    do()
    end = os.times()
    return sum(end[:4]) - sum(begin[:4])


def _doctor(path: Path) -> None:
    from labkit.doctor import diagnose_files

    report = diagnose_files([str(path)])
    assert report.spoken > report.lines / 3, "the doctor has not read what it was given"


def _wc(path: Path) -> None:
    subprocess.run(["wc", "-l", str(path)], capture_output=True, check=True)


def _loop(path: Path) -> None:
    with open(path, encoding="utf-8", errors="replace") as file:
        assert sum(1 for _ in file)


def _doctor_memory() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _write_log(path: Path, size: int, share: float) -> None:
    """Fifty connections that send and are pinged, at DEBUG, in a usual format."""
    dice, written, t = random.Random(0), 0, 0.0
    names = [f"{dice.getrandbits(32):08x}-0000-4000-8000-{dice.getrandbits(48):012x}" for _ in range(50)]
    with open(path, "w", encoding="utf-8") as file:
        for name in names:
            written += sum(
                file.write(f"{_stamp(t)} {name} websockets.server DEBUG = connection is {to}\n") for to in ("CONNECTING", "OPEN")
            )
        while written < size:
            t += 0.0007
            ours = dice.random() < share
            said = f"{dice.choice(names)} websockets.server DEBUG > TEXT '{dice.getrandbits(200):x}' [50 bytes]"
            written += file.write(
                f"{_stamp(t)} {said if ours else f'app.orders INFO order {dice.getrandbits(30)} took 0.2 s, all is well'}\n"
            )


def _stamp(t: float) -> str:
    return time.strftime("2026-11-23 %H:%M:%S", time.gmtime(t)) + f",{int(t % 1 * 1000):03d}"
