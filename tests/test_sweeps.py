"""A sweep is many runs and a row for each: tidy, the same wherever it is done, interruptible, and refused in a sentence."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas
import pytest
from cases import FLY, goodbyes, quiet
from machine import alive, wait_until

import labkit.many.sweeps
from checks import check
from labkit import Cut, Delay, Experiment, Idle, Peer, Tunnel, plan, predict, run, sweep
from labkit.engine import progress
from labkit.many import pool
from labkit.many.pool import Processes, carried
from labkit.many.sweeps import COLUMNS, observe, vary

PHASES = [round(8 + n / 50, 2) for n in range(200)]
SHAKY = Experiment(
    server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Delay(0, latency=0, jitter=0.4, shape="heavy tail")]
)


def test_two_hundred_phases_agree_with_the_law():
    phases = sweep(FLY, over={"cut.at": PHASES})
    assert len(phases) == 200 and list(phases) == ["cut.at", "seed", *COLUMNS]
    for at, noticed in zip(phases["cut.at"], phases["noticed"]):
        assert noticed == pytest.approx(predict(vary(FLY, {"cut.at": at})).noticed_at("server"), abs=1e-6)
    assert phases.delay.min() >= 3 and phases.delay.max() <= 7 and phases.delay.mean() == pytest.approx(5, abs=0.05)
    assert set(phases.code) == {1006} and not phases.false_alarm.any()


def test_several_parameters_give_every_combination():
    table = sweep(FLY, over={"server.ping_interval": [2, 4], "server.ping_timeout": [1, 3], "latency": [0, 0.1]})
    assert len(table) == 8 and list(table.latency) == [0, 0.1] * 4
    first, fifth = table.iloc[0], table.iloc[4]
    assert first["server.ping_interval"] == 2 and first["delay"] == 2 and first["told"] == 13
    assert first["pings"] > fifth["pings"] and first["bytes"] > fifth["bytes"]


def test_repeats_are_other_seeds_and_every_combination_meets_the_same():
    shaky = SHAKY.but(until=100)
    table = sweep(shaky, over={"server.ping_timeout": [1, 3]}, repeats=20, seed=7)
    assert list(table.seed) == [*range(7, 27)] * 2
    short, long = (group for _, group in table.groupby("server.ping_timeout"))
    assert short.false_alarm.sum() > long.false_alarm.sum() and short.told.nunique() > 1
    assert table.equals(sweep(shaky, over={"server.ping_timeout": [1, 3]}, repeats=20, seed=7))


def test_parameters_that_only_make_sense_together_are_set_together():
    assert vary(FLY, {"cut.at": 30, "cut.heal": 40}).cuts[0].heal == 40
    assert vary(FLY, {"server.ping_interval": None}).server.ping_interval is None
    assert vary(SHAKY, {"delay.jitter": 0.5, "seed": 3}).but(seed=0) == vary(SHAKY, {"delay.jitter": 0.5})


@pytest.mark.parametrize("experiment", [FLY, SHAKY.but(until=60), *map(quiet, range(12)), *map(goodbyes, range(12))])
def test_an_unrecorded_run_gives_the_row_of_a_recorded_one(experiment):
    rows = [observe(run(experiment, "virtual", record=record, progress=False)) for record in (True, False)]
    assert rows[0] == rows[1]


def test_what_an_unrecorded_tls_run_cannot_count_is_recorded():
    (row,) = sweep(FLY.but(tls=True), over={"latency": [0.01]}).to_dict("records")
    assert row["told"] == pytest.approx(17, abs=0.1) and row["pings"] == 3


# false alarms


@pytest.mark.parametrize(
    ("faults", "alarm"),
    [
        ([Cut(9)], False),
        ([Cut(9, heal=13)], False),
        ([Cut(9, heal=14)], True),  # healed, but TCP's next try, at 15.36 s, comes too late
        ([Cut(9, heal=14.9), Delay(14.9, latency=5)], True),  # healed, and slow: the pong comes too late
        ([Delay(0, latency=2)], True),
        ([Delay(0, latency=2), Cut(3)], False),  # what is late would have come; but the cable is cut, so the alarm is right
        ([Tunnel(0, every=1, length=100)], True),
        ([Idle(0, after=3)], False),  # a NAT has forgotten the connection: nothing would ever have come
        ([], False),
    ],
)
def test_a_false_alarm_ends_what_would_have_lived(faults, alarm):
    (row,) = sweep(FLY.but(faults=faults, until=60), over={"latency": [0]}).to_dict("records")
    assert row["false_alarm"] is alarm
    assert not alarm or row["noticed"] > 0


def test_a_false_alarm_before_the_cut_is_no_detection():
    (row,) = sweep(FLY.but(faults=[Delay(0, latency=2), Cut(30)]), over={"latency": [0]}).to_dict("records")
    assert row["false_alarm"] and row["noticed"] < 30 and row["delay"] != row["delay"]


# rows as they arrive, and what is kept


@pytest.fixture
def interrupted_at_the_third(monkeypatch):
    done, real = [], labkit.many.sweeps.run

    def interrupted(*args, **kwargs):
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(labkit.many.sweeps, "run", interrupted)


@pytest.mark.usefixtures("interrupted_at_the_third")
def test_an_interrupted_sweep_keeps_what_is_done(tmp_path):
    table = sweep(FLY, over={"latency": [0, 0.1, 0.2, 0.3]}, save=tmp_path / "rows.csv")
    assert len(table) == 2 and len(pandas.read_csv(tmp_path / "rows.csv")) == 2


@pytest.mark.usefixtures("interrupted_at_the_third")
def test_a_check_whose_sweep_is_interrupted_judges_nothing_by_what_is_done(capsys):
    check("04 eight seconds", 4.6, 1.5, 0.9)
    *passed, last = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in passed] == ["✓ ten quiet minutes", "✓ one lost packet", "✓ a goodbye"]
    assert last.startswith("stopped – eight seconds: ")


@pytest.mark.usefixtures("interrupted_at_the_third")
def test_an_interrupted_plan_is_none():
    with pytest.raises(KeyboardInterrupt):
        plan(detect_within=30)


def test_of_bars_within_each_other_the_outermost_is_shown_and_goes_on_with_the_inner(monkeypatch):
    said = []
    monkeypatch.setattr(progress, "AFTER", 0)
    monkeypatch.setattr(progress, "_screen", lambda: said.append)
    with progress.Bar(2, things="trials") as outer:
        with progress.Bar(1) as inner:
            inner.advance()
        assert said == ["0 of 2 trials"]
        outer.advance()
    with progress.Bar(1, shown=False), progress.Bar(1) as inner:
        inner.advance()
    assert [line for line in said if "runs" in line] == ["1 of 1 runs", "1 of 1 runs"]


def test_rows_arrive_while_it_runs_and_are_in_the_file_at_once(tmp_path):
    path, lines = tmp_path / "rows.csv", []
    table = sweep(FLY, over={"cut.at": [9, 10, 11]}, save=path, each_row=lambda row: lines.append(len(path.read_text().splitlines())))
    assert lines == [2, 3, 4]  # with the header
    saved = pandas.read_csv(path)
    assert list(saved.told) == list(table.told) and list(saved) == list(table)


def test_without_pandas_a_sweep_is_a_plain_table_that_says_the_same(monkeypatch, tmp_path):
    full = sweep(FLY, over={"cut.at": [9, 10, 11]})
    monkeypatch.setitem(sys.modules, "pandas", None)
    table = sweep(FLY, over={"cut.at": [9, 10, 11]}, save=tmp_path / "rows.csv")
    assert table.columns == list(full) and table.attrs == {"experiment": FLY}
    assert table["delay"] == list(full["delay"]) and table[1]["cut.at"] == 10
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 1 + len(table) == 4
    with pytest.raises(KeyError, match="dleay"):
        table["dleay"]


def test_a_run_that_fails_has_a_row_with_its_problem_and_the_first_is_raised():
    bad = Experiment(latency=0.1, until=5, server=Peer(close_timeout=0))
    with pytest.raises(ValueError, match="close_timeout"):
        sweep(bad, over={"tls": [True]})

    def trouble(values):
        raise RuntimeError("no luck")

    assert labkit.many.sweeps.guarded(trouble, {"x": 1}) == {"x": 1, "problem": "RuntimeError: no luck"}


# executors


@pytest.mark.parametrize("kind", ["threads", "spawned", "ours"])
def test_any_executor_gives_the_same_table(kind):
    expected = sweep(FLY, over={"cut.at": PHASES[:40]})
    pools = {
        "threads": lambda: ThreadPoolExecutor(2),
        "spawned": lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
        "ours": lambda: Processes(2),
    }
    with pools[kind]() as executor:
        assert sweep(FLY, over={"cut.at": PHASES[:40]}, executor=executor, batch=7).equals(expected)


def test_many_runs_are_carried_by_fresh_processes(monkeypatch):
    expected = sweep(FLY, over={"cut.at": PHASES[:40]})
    monkeypatch.setattr(labkit.many.sweeps, "HERE", 5)
    assert sweep(FLY, over={"cut.at": PHASES[:40]}).equals(expected)


def test_a_cluster_of_dask_carries_a_sweep():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        table = sweep(FLY, over={"cut.at": PHASES[:40]}, executor=client.get_executor(), batch=5)
    assert table.equals(sweep(FLY, over={"cut.at": PHASES[:40]}))


class Broken(ThreadPoolExecutor):
    """An executor whose workers die with the third batch and everything after it."""

    count = 0

    def submit(self, fn, /, *args, **kwargs):
        self.count += 1
        if self.count < 3:
            return super().submit(fn, *args, **kwargs)
        if self.count > 4:
            raise RuntimeError("cannot schedule new futures")
        future: Future = Future()
        future.set_exception(RuntimeError("a worker has died"))
        return future


def test_what_a_dead_executor_has_lost_is_repeated():
    with Broken(2) as executor:
        table = sweep(FLY, over={"cut.at": PHASES[:25]}, executor=executor, batch=4)
    assert executor.count > 4 and table.equals(sweep(FLY, over={"cut.at": PHASES[:25]}))


# worker processes


def once(values):
    """Kills its own process the first time that it is asked for run 3."""
    if values["run"] == 3 and not os.path.exists(values["died"]):
        open(values["died"], "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return {**values, "pid": os.getpid()}


def always(values):
    if values["run"] in (1, 30):
        os._exit(3)
    return values


def wrong(values):
    raise ZeroDivisionError("no luck")


@pytest.fixture
def here_is_importable(monkeypatch):
    """So that a fresh process finds the functions of this file."""
    monkeypatch.syspath_prepend(os.path.dirname(__file__))


def test_what_a_worker_takes_with_it_is_repeated_and_nothing_else(here_is_importable, tmp_path):
    died, runs = tmp_path / "died", 500
    rows = dict(carried(once, [(n, {"run": n, "died": str(died)}) for n in range(runs)], size=5))
    assert died.exists() and [rows[n]["run"] for n in range(runs)] == list(range(runs))
    alone = rows[3]["pid"]
    repeated = [n for n in range(runs) if rows[n]["pid"] == alone]
    assert len(repeated) <= 5 * os.cpu_count()  # one by one; the others had not begun, or were done


def test_a_run_that_kills_every_worker_is_given_up_alone(here_is_importable):
    rows = dict(carried(always, [(n, {"run": n}) for n in range(40)], size=4))
    assert sorted(rows) == list(range(40))
    assert [n for n in rows if "problem" in rows[n]] == [1, 30] and "two workers have died" in rows[30]["problem"]


def test_an_exception_in_a_worker_is_raised_here(here_is_importable):
    with pytest.raises(ZeroDivisionError, match="no luck"):
        list(carried(wrong, [(0, {})]))


def test_what_lives_in_a_cell_alone_is_not_found_by_a_worker_which_goes_on(monkeypatch):
    def cell():
        pass

    cell.__module__, cell.__qualname__ = "__main__", "cell"
    monkeypatch.setattr(sys.modules["__main__"], "cell", cell, raising=False)
    with Processes(1) as executor:
        with pytest.raises(AttributeError, match="cell"):
            executor.submit(cell).result(60)
        assert executor.submit(divmod, 7, 2).result(60) == (3, 1)


def test_processes_do_all_that_was_asked_of_them():
    with Processes(1) as executor:
        futures = [executor.submit(divmod, number, 2) for number in range(9)]
    assert [future.result(0) for future in futures] == [divmod(number, 2) for number in range(9)]


def test_processes_wait_for_nothing_after_an_exception():
    with pytest.raises(ZeroDivisionError), Processes(2) as executor:
        futures = [executor.submit(time.sleep, 600) for _ in range(5)]
        raise ZeroDivisionError
    assert len(executor.fresh.workers) == 2 and not any(worker.is_alive() for worker in executor.fresh.workers)
    assert all(future.cancelled() or future.exception() for future in futures)


SCRIPT = """
import os, sys, labkit.many.sweeps
from multiprocessing import active_children
from labkit import *
labkit.many.sweeps.HERE = 3
fly = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])
def show(row):
    if row["cut.at"] == 9.005:
        print("\\n".join(str(child.pid) for child in active_children()), flush=True)
print(len(sweep(fly, over={"cut.at": [9 + n / 1000 for n in range(RUNS)]}, each_row=show, progress=False)), len(active_children()))
"""


def started(tmp_path, runs):
    """A script without a guard that sweeps; it prints the ids of its workers, then how many rows it has and workers are left."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("RUNS", str(runs)))
    root = os.path.dirname(os.path.dirname(os.path.abspath(labkit.__file__)))
    settings = {"env": {**os.environ, "PYTHONPATH": root}, "start_new_session": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, script], text=True, **settings)


def test_a_script_without_a_guard_can_sweep(tmp_path):
    """Fresh processes do not import the script that made them."""
    said, problems = started(tmp_path, 40).communicate(timeout=60)
    assert said.splitlines()[-1] == "40 0" and problems == ""


def test_an_interrupt_keeps_the_rows_done_and_leaves_no_worker(tmp_path):
    """Ctrl-C in a terminal, and a kernel's interrupt, go to the workers as well."""
    script = started(tmp_path, 100_000)
    workers = [int(script.stdout.readline())]
    os.killpg(script.pid, signal.SIGINT)
    said, problems = script.communicate(timeout=60)
    rows, left = map(int, said.split()[-2:])
    assert 6 <= rows < 100_000 and left == 0 and not any(map(alive, workers)) and problems == ""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="signal masks are read from Linux's /proc")
def test_a_worker_hears_no_interrupt_from_its_first_line_on():
    """Not only once it is ready: Ctrl-C while it imports would end it with a traceback."""

    def held(process: object) -> bool:
        mask = Path(f"/proc/{process}/status").read_text().partition("SigBlk:")[2].split()[0]
        return bool(int(mask, 16) & 1 << signal.SIGINT - 1)

    workers = [pool.Process(target=len, args=([],)) for _ in range(3)]
    for worker in workers:
        worker.start()
        assert held(worker.pid) and not held("thread-self")
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0


def test_a_worker_that_dies_while_all_is_given_up_is_no_error_of_its_own(monkeypatch):
    """It marks what was asked for as failed, and cannot where that was marked as cancelled."""
    problems, made = [], []
    monkeypatch.setattr(threading, "excepthook", problems.append)
    monkeypatch.setattr(pool, "Fresh", lambda fresh=pool.Fresh: made.append(fresh()) or made[-1])
    for _ in range(12):
        rows = pool.carried(len, [(number, {}) for number in range(20_000)])
        next(rows)
        made[-1].workers[0].kill()
        rows.close()
    assert not problems and not any(worker.is_alive() for fresh in made for worker in fresh.workers)


def test_a_busy_worker_does_not_outlive_whoever_started_it():
    code = (
        "import os, time; from labkit.many.pool import Processes\n"
        "executor = Processes(1); executor.submit(divmod, 1, 1).result(); executor.submit(time.sleep, 600)\n"
        "print(executor.fresh.workers[0].pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=os.path.dirname(os.path.dirname(__file__)), stdout=subprocess.PIPE, text=True)
    wait_until(lambda: not alive(int(done.stdout)))


# what is refused


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({}, "cut.at"),
        ([1, 2], "cut.at"),
        ({"latancy": [1]}, "latency"),
        ({"server.ping": [1]}, "ping_interval"),
        ({"wire.x": [1]}, "begins with server, client"),
        ({"cut.at": [-1]}, "Cut.at"),
    ],
)
def test_what_cannot_be_varied_is_refused_before_the_first_run(over, words):
    with pytest.raises((ValueError, TypeError), match=words):
        sweep(FLY, over=over)


def test_without_a_cut_there_is_no_delay():
    (row,) = sweep(Experiment(until=50), over={"latency": [0.1]}).to_dict("records")
    assert row["delay"] != row["delay"] and row["noticed"] != row["noticed"] and row["pings"] == 2
    with pytest.raises(ValueError, match="once or more"):
        sweep(Experiment(until=50), over={"latency": [0.1]}, repeats=0)
