"""Many runs, each beside its reference: blocks of bench.py (``python tests/bench.py --only sweeps``).

    sweeps     1,000 and 10,000 experiments by two processes, beside two of async-solipsism with the same batches; added executors
    fleets     100, 1,000 and 10,000 connections cut at once, opened together and 10 ms apart, beside async-solipsism; memory of one more
    law        the detection law on 10,000 random phases, beside theory

Alone, ``python tests/bench_many.py fleet 100000 0`` runs one fleet and says what it took: for as many as a machine holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import references  # noqa: E402

from labkit import Cut, Experiment, Peer, fleet, predict  # noqa: E402
from labkit.many.pool import BATCH, Processes, carried, each  # noqa: E402
from labkit.many.sweeps import arriving, one_run, plan_runs, sweep  # noqa: E402
from labkit.wires.clock import set_aside  # noqa: E402

TWIN = Experiment(server=Peer(ping_interval=20, ping_timeout=20, close_timeout=10), faults=[Cut(at=63)])  # 100 → 110
CORES = 2
RUNS = {1000: 1.0, 10_000: 1 / 1.8}  # from nothing, and what they may take (× async-solipsism)
Row = Callable[..., None]  # bench.row


# sweeps


def pool_of_solipsism(runs: int) -> tuple[float, float]:
    """A process pool of the reference with the same batches, from nothing: s to the first batch, s in all. Its workers are fresh, too."""
    command = [sys.executable, references.__file__, str(runs), str(BATCH), str(CORES)]
    first, in_all = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(first), float(in_all)


def _timed(pool: Executor, do: Callable[[Any], Any], items: list[Any], begin: float) -> tuple[float, float]:
    waiting = [pool.submit(each, do, items[at : at + BATCH]) for at in range(0, len(items), BATCH)]
    first = 0.0
    for future in as_completed(waiting):
        future.result()
        first = first or time.perf_counter() - begin
    return first, time.perf_counter() - begin


def ours(runs: int) -> tuple[float, float]:
    """As many of our worker processes, from nothing: s to the first row, s in all."""
    begin, first = time.perf_counter(), 0.0
    with Processes(CORES) as executor:
        for _, row in arriving(TWIN, _phases(runs), executor=executor):
            first = first or time.perf_counter() - begin
            assert row["told"] is not None
    return first, time.perf_counter() - begin


def _phases(runs: int) -> list[dict[str, Any]]:
    return plan_runs(TWIN, {"cut.at": [round(60 + 20 * (n + 0.5) / runs, 6) for n in range(runs)]})


def steady(runs: int) -> tuple[float, float]:
    """CPU seconds a run in this process, warm: ours and the reference, in turns. What no start and no neighbour can change."""
    mine, other = [], []
    todo = _phases(runs)
    with set_aside():
        for n in range(runs):
            begin = time.process_time()
            one_run(TWIN, "virtual", False, todo[n])
            middle = time.process_time()
            references.solipsism()
            mine.append(middle - begin)
            other.append(time.process_time() - middle)
    return statistics.median(mine), statistics.median(other)


def bench_sweeps(quick: bool, title: Callable[[str], None], row: Row) -> None:
    title(f"sweeps: experiments (20/20/10, cut at every phase) by {CORES} processes, from nothing")
    for runs, goal in list(RUNS.items())[: 1 if quick else 2]:
        taken = [(ours(runs), pool_of_solipsism(runs)) for _ in range(1 if quick else 3)]
        mine, pool = (statistics.median(pair[k][1] for pair in taken) for k in (0, 1))
        ratio = statistics.median(a[1] / b[1] for a, b in taken)
        row(f"{runs:,} experiments", f"{mine:.2f} s", f"two processes of async-solipsism {pool:.2f} s", ratio, goal)
        first, other = (statistics.median(pair[k][0] for pair in taken) for k in (0, 1))
        row("… first row", f"{first * 1e3:.0f} ms", f"async-solipsism {other:.2f} s", first, 0.3, "s")
    one, other = steady(60 if quick else 200)
    row("CPU of a warm run, its row included", f"{one * 1e3:.2f} ms", f"async-solipsism {other * 1e3:.2f} ms", one / other, 0.5)
    added_executors(400 if quick else 1000, row)


def added_executors(runs: int, row: Row) -> None:
    """A sweep through an executor that is already there, beside the same batches given to it directly."""
    with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as pool:
        added("a process pool", pool, runs, row)
    try:
        import distributed
    except ImportError as problem:
        print(f"  dask: skipped, {problem}")
        return
    with (
        distributed.LocalCluster(n_workers=CORES, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        added("dask.distributed, a local cluster", client.get_executor(), runs, row)


def added(name: str, executor: Executor, runs: int, row: Row) -> None:
    todo, do = _phases(runs), partial(one_run, TWIN, "virtual", False)
    directly = partial(_timed, executor, do, todo)
    through = partial(_through, executor, do, todo)
    directly(time.perf_counter())  # warm
    taken = [(through(), directly(time.perf_counter())[1]) for _ in range(3)]
    middle = statistics.median(a for a, _ in taken)
    row(f"through {name}", f"{middle:.2f} s", f"its own batches {statistics.median(b for _, b in taken):.2f} s",
        statistics.median(a / b for a, b in taken), 1.1)  # fmt: skip


def _through(executor: Executor, do: Callable[[Any], Any], todo: list[Any]) -> float:
    begin = time.perf_counter()
    assert len(list(carried(do, list(enumerate(todo)), executor))) == len(todo)
    return time.perf_counter() - begin


# fleets


def fleet_took(count: int, apart: float) -> dict[str, float]:
    """One fleet in this process: s, and the most MB that the process has had."""
    import resource

    cut = 63 + round(count * apart)
    fleet(TWIN, 2)
    begin, cpu = time.perf_counter(), time.process_time()
    rows = fleet(TWIN.but(faults=[Cut(at=cut)]), count, apart)
    taken, cpu = time.perf_counter() - begin, time.process_time() - cpu
    assert all(row["noticed"] is not None and row["told"] is not None for row in rows), "somebody did not notice"
    return {
        "s": taken,
        "cpu": cpu,
        "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "told": len({row["told"] for row in rows}),
    }


def solipsism_took(count: int, apart: float) -> dict[str, float]:
    """The same by async-solipsism: one loop, a forwarder made of streams that stops at the cut."""
    from async_solipsism import EventLoop

    begin, cpu = time.perf_counter(), time.process_time()
    with asyncio.Runner(loop_factory=EventLoop) as runner:
        runner.run(_solipsism_fleet(count, apart, 63 + round(count * apart)))
    return {"s": time.perf_counter() - begin, "cpu": time.process_time() - cpu}


async def _solipsism_fleet(count: int, apart: float, cut: float) -> None:
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import serve
    from websockets.exceptions import ConnectionClosed

    clock, told, done = asyncio.get_running_loop().time, 0, asyncio.Event()
    begin = clock()

    async def application(websocket: Any) -> None:
        nonlocal told
        with contextlib.suppress(ConnectionClosed):
            await websocket.recv()
        told += 1
        if told == count:
            done.set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if clock() - begin >= cut:
                return
            writer.write(data)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("::1", references._port(server))
        with contextlib.suppress(asyncio.CancelledError):  # streams would log a traceback for each
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async def client(number: int) -> None:
        await asyncio.sleep(number * apart)
        port = references._port(forwarder)
        websocket = await connect("ws://localhost/", host="::1", port=port, proxy=None, open_timeout=None, **references.QUIET)  # type: ignore[arg-type]
        await references._recv_until_closed(websocket)

    settings = {"ping_interval": 20, "ping_timeout": 20, "close_timeout": 10, "compression": None, "open_timeout": None}
    server = await serve(application, "::1", 0, **settings)  # type: ignore[arg-type]
    forwarder = await asyncio.start_server(forward, "::1", 0, backlog=count)
    clients = [asyncio.create_task(client(number)) for number in range(count)]
    await done.wait()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in [*clients, *others]:
        task.cancel()


def fresh(kind: str, count: int, apart: float, patience: float = 900) -> dict[str, float] | None:
    """One of both in a fresh process; None if it takes longer than one is patient."""
    command = [sys.executable, __file__, kind, str(count), str(apart)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        return None
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout.splitlines()[-1])


GOALS = {0.0: 8 / 20, 0.01: 12 / 20}  # × what async-solipsism takes for 10,000 together: 8 and 12 s where that took 20 s


def bench_fleets(quick: bool, title: Callable[[str], None], row: Row) -> None:
    title("fleets: connections of one server, cut at once, in virtual time (unrecorded, collector frozen, no compression)")
    each_took: dict[tuple[int, float], dict[str, float]] = {}
    together: dict[str, float] | None = None
    for apart, name in ((0.0, "together"), (0.01, "10 ms apart")):
        for count in (100, 1000) if quick else (100, 1000, 10_000):
            took = fresh("fleet", count, apart)
            assert took is not None
            each_took[count, apart] = took
            patient = count <= (100 if quick else 1000 if apart else 10_000)
            other = fresh("solipsism", count, apart) if patient else None
            together = other if not apart else together
            held = f"async-solipsism {other['s']:.2f} s" if other else "async-solipsism: not waited for"
            if count == 10_000 and not together:
                row(f"{count:,} {name}", f"{took['s']:.2f} s", f"{held}: the goal is not judged")
            elif together and count == 10_000:
                held += f"; together {together['s']:.2f} s" if apart else ""
                row(f"{count:,} {name}", f"{took['s']:.2f} s", held, took["s"] / together["s"], GOALS[apart])
            else:
                row(f"{count:,} {name}", f"{took['s']:.2f} s", held, took["s"] / other["s"] if other else None)
        most, least = max(count for count, a in each_took if a == apart), 100
        one_more = (each_took[most, apart]["MB"] - each_took[least, apart]["MB"]) * 1024 / (most - least)
        row(f"memory of one more connection, {name}", f"{one_more:.1f} KB", f"between {least} and {most:,}", one_more, 35.0, "KB")
        ratio = each_took[most, apart]["cpu"] / most / (each_took[least, apart]["cpu"] / least)
        row(f"CPU a connection at {most:,}, {name}", f"{each_took[most, apart]['cpu'] / most * 1e3:.2f} ms", "of that at 100", ratio, 2.0)


# the law


def bench_law(quick: bool, title: Callable[[str], None], row: Row) -> None:
    count = 1000 if quick else 10_000
    title(f"the detection law on {count:,} random phases, 4/3/2")
    fly = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])
    dice = random.Random(8)
    cuts = [round(dice.uniform(8, 12), 6) for _ in range(count)]
    begin = time.perf_counter()
    seen = sweep(fly, over={"cut.at": cuts}, progress=False)
    taken = time.perf_counter() - begin
    theory = [predict(fly.but(faults=[Cut(at=cut)])).noticed_at("server") for cut in cuts]
    worst = max(abs(one - other) for one, other in zip(seen["noticed"], theory) if other is not None) * 1e6
    row("noticed: worst |run − theory|", f"{worst:.3f} µs", f"{count:,} runs in {taken:.1f} s", worst, 1.0, "µs")
    delays, low, wide = sorted(seen["delay"]), 3.0, 4.0
    apart = max(max(abs((n + 1) / count - (d - low) / wide), abs(n / count - (d - low) / wide)) for n, d in enumerate(delays))
    row(
        "distribution: farthest from the even spread",
        f"{apart:.4f}",
        "Kolmogorov–Smirnov; 5 % of samples exceed",
        apart,
        1.358 / count**0.5,
        "",
    )
    expected = sorted(other - cut for other, cut in zip(theory, cuts) if other is not None)
    quantiles = max(abs(one - other) for one, other in zip(delays, expected)) * 1e6
    row("… its quantiles against theory's, worst", f"{quantiles:.3f} µs", "", quantiles, 1.0, "µs")


if __name__ == "__main__":
    kind, count, apart = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps((fleet_took if kind == "fleet" else solipsism_took)(count, apart)))
