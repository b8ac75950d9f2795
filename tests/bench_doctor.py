"""The doctor on a log of 100 MB, beside `wc -l` and a Python loop over its lines."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any


def bench_doctor(quick: bool, title: Callable[..., None], row: Callable[..., Any]) -> None:
    """Logs of 100 MB, the usual ones and the worst ones, and how time grows with the connections that are open at a time."""
    size = 10 if quick else 100
    title(f"the doctor: logs of {size} MB; beside `wc -l` and a Python loop over their lines")
    for name, rows in LOGS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "app.log"
            _write_log(path, size * 10**6, rows)
            taken = {what: _seconds(partial(do, path)) for what, do in {"doctor": _doctor, "wc": _wc, "loop": _loop}.items()}
        held = f"wc -l {taken['wc']:.2f} s, a loop {taken['loop']:.2f} s"
        row(name, f"{taken['doctor']:.1f} s", held, taken["doctor"] * 100 / size, 10, "s")
    row("memory, at most", f"{_doctor_memory():.0f} MB", "of the whole process", _doctor_memory(), 100, "MB")
    few, many = _few_and_many()
    row("3,000 open at a time, beside 20", f"{many / few:.2f} x", "40,000 lines, no names", many / few, 2, "x")


def _few_and_many() -> tuple[float, float]:
    """Seconds for 40,000 lines of 20, and of 3,000 connections without names, open at a time."""
    from labkit.doctor import diagnose

    logs = [list(itertools.islice(_stamped(_nameless(count)), 40_000)) for count in (20, 3000)]
    few, many = (min(_seconds(partial(diagnose, log)) for _ in range(2)) for log in logs)
    return few, many


def _seconds(do: Callable[[], object]) -> float:
    """Of processor time, here and in children: a machine is never quiet."""
    begin = os.times()
    do()
    end = os.times()
    return sum(end[:4]) - sum(begin[:4])


def _doctor(path: Path) -> None:
    from labkit.doctor import diagnose_files

    report = diagnose_files([str(path)])
    assert report.counts, "the doctor has not read what it was given"


def _wc(path: Path) -> None:
    subprocess.run(["wc", "-l", str(path)], capture_output=True, check=True)


def _loop(path: Path) -> None:
    with open(path, encoding="utf-8", errors="replace") as file:
        assert sum(1 for _ in file)


def _doctor_memory() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


Rows = Iterator[tuple[str, str]]  # the name of a connection or of another program, and what it wrote


def _write_log(path: Path, size: int, rows: Callable[[], Rows]) -> None:
    written = 0
    with open(path, "w", encoding="utf-8") as file:
        for line in _stamped(rows()):
            written += file.write(line + "\n")
            if written > size:
                return


def _stamped(rows: Rows) -> Iterator[str]:
    """In a usual format, 1,400 lines a second."""
    for number, (name, words) in enumerate(rows):
        t = number * 0.0007
        yield f"{time.strftime('2026-11-23 %H:%M:%S', time.gmtime(t))},{int(t % 1 * 1000):03d} {name}{words}"


def _ours(line: str) -> str:
    return f"websockets.server DEBUG {line}"


def _talking(share: float, dice: random.Random) -> Rows:
    """Fifty connections that send; ``share`` of the lines is theirs."""
    names = [f"{dice.getrandbits(32):08x}-0000-4000-8000-{dice.getrandbits(48):012x} " for _ in range(50)]
    for name in names:
        yield name, _ours("= connection is CONNECTING")
        yield name, _ours("= connection is OPEN")
    while True:
        if dice.random() < share:
            yield dice.choice(names), _ours(f"> TEXT '{dice.getrandbits(200):x}' [50 bytes]")
        else:
            yield "", f"app.orders INFO order {dice.getrandbits(30)} took 0.2 s, all is well"


def _life(payload: str) -> Iterator[str]:
    """One connection's lines: a ping, a goodbye."""
    yield "= connection is CONNECTING"
    yield "= connection is OPEN"
    yield f"> PING {payload} [binary, 4 bytes]"
    yield "% sent keepalive ping"
    yield f"< PONG {payload} [binary, 4 bytes]"
    yield "% received keepalive pong"
    yield "< CLOSE 1000 (OK) [2 bytes]"
    yield "> CLOSE 1000 (OK) [2 bytes]"
    yield "= connection is CLOSING"
    yield "> EOF"
    yield "< EOF"
    yield "= connection is CLOSED"


def _payload(number: int) -> str:
    return number.to_bytes(4, "big").hex(" ")


def _short() -> Rows:
    """Connections with ids that live for twelve lines, one after the other."""
    for number in itertools.count():
        for line in _life(_payload(number)):
            yield f"{number:08x}-0000-4000-8000-000000000000 ", _ours(line)


def _nameless(count: int) -> Rows:
    """Connections without names, ``count`` at a time; each turn one of them says a line."""
    dice = random.Random(0)
    lives = [_life(_payload(number)) for number in range(count)]
    for number in itertools.count(count):
        turn = dice.randrange(count)
        line = next(lives[turn], None)
        if line is None:
            lives[turn] = _life(_payload(number))
            line = next(lives[turn])
        yield "", _ours(line)


def _endless() -> Rows:
    """Connections that open, are pinged and never close."""
    for number in itertools.count():
        for line in itertools.islice(_life(_payload(number)), 3):
            yield "", _ours(line)


def _pinged() -> Rows:
    """Two hundred connections with ids, and nothing but pings and pongs."""
    for number in itertools.count():
        for line in itertools.islice(_life(_payload(number)), 2, 6):
            yield f"{number % 200:08x}-0000-4000-8000-000000000000 ", _ours(line)


def _raising() -> Rows:
    """Tracebacks, one after the other."""
    while True:
        yield "", "app ERROR Future exception was never retrieved"
        yield "", "future: <Future finished exception=ConnectionClosedError(None, None, None)>"
        yield "", "Traceback (most recent call last):"
        yield "", "ConnectionResetError: [Errno 104] Connection reset by peer"
        yield "", "The above exception was the direct cause of the following exception:"
        yield "", "websockets.exceptions.ConnectionClosedError: no close frame received or sent"


LOGS: dict[str, Callable[[], Rows]] = {
    "half of its lines are websockets'": lambda: _talking(0.5, random.Random(0)),
    "all of them are, with ids": lambda: _talking(1.0, random.Random(0)),
    "short connections, with ids": _short,
    "pings and pongs, with ids": _pinged,
    "without names, 20 at a time": lambda: _nameless(20),
    "without names, 3,000 at a time": lambda: _nameless(3000),
    "without names, and never closed": _endless,
    "tracebacks": _raising,
}
