"""The virtual clock and its sockets: what bit other virtual loops, asked of this one."""

import asyncio
import contextvars
import errno
import socket
import struct
import sys

import pytest
from cases import FLY, small

from labkit import Cut, Experiment, Peer, block, run
from labkit.wires.clock import TURNS
from labkit.wires.loop import VirtualTimeError
from labkit.wires.virtual import VirtualWire


def wired(buffer=None, latency=0.0):
    return VirtualWire(latency, {"server": buffer, "client": buffer})


def play(wire, until=float("inf"), **programs):
    """Run a program at each end, and give what they returned."""
    results = {}

    def program(end, coroutine):
        async def main(sock):
            results[end] = await coroutine(sock)

        return main

    for end, coroutine in programs.items():
        wire.start(end, program(end, coroutine))
    try:
        wire.wait(lambda: len(results) == len(programs), until)
    finally:
        wire.close({})
    return results


async def accept(listener):
    loop = asyncio.get_running_loop()
    arrived = loop.create_future()
    loop.add_reader(listener.fileno(), lambda: arrived.done() or arrived.set_result(listener.accept()[0]))
    sock = await arrived
    loop.remove_reader(listener.fileno())
    return sock


async def pause(seconds):
    await asyncio.sleep(seconds)


def test_a_sleep_of_a_year_takes_no_time():
    async def sleeper(_):
        await asyncio.sleep(100 * 24 * 3600 + 0.125)
        return asyncio.get_running_loop().time()

    assert play(wired(), client=sleeper)["client"] == 100 * 24 * 3600 + 0.125


def test_timers_fire_in_order_at_their_time_to_the_microsecond():
    async def sleeper(_):
        loop, seen = asyncio.get_running_loop(), []
        for n in range(1000):
            when = (n * 37 % 1000) / 10
            loop.call_at(when, lambda when=when: seen.append((when, loop.time())))
        await asyncio.sleep(101)
        return seen

    seen = play(wired(), client=sleeper)["client"]
    assert [when for when, _ in seen] == sorted(when for when, _ in seen)
    assert max(abs(when - now) for when, now in seen) < 1e-6


def test_at_equal_times_the_first_timer_is_the_first_to_fire():
    async def sleeper(_):
        loop, fired = asyncio.get_running_loop(), []
        for number in range(20):
            loop.call_at(1.0, fired.append, number)
        loop.call_at(0.8, fired.append, "0.8")
        await asyncio.sleep(0.1)
        loop.call_later(0.7, lambda: fired.append(("0.1 + 0.7", loop.time())))  # a smaller float, and the same instant
        await asyncio.sleep(1)
        return fired

    assert 0.1 + 0.7 < 0.8
    assert play(wired(), client=sleeper)["client"] == [("0.1 + 0.7", 0.8), "0.8", *range(20)]


def test_a_generator_left_half_way_is_closed_at_the_end():
    kept, closed = [], []

    async def numbers():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            closed.append("its finally ran")

    async def left(_):
        kept.append(numbers())
        return await anext(kept[0])

    assert play(wired(), client=left) == {"client": 1} and closed == ["its finally ran"]


def test_localhost_is_127_0_0_1_and_the_world_is_out_of_reach():
    async def look(_):
        loop = asyncio.get_running_loop()
        with pytest.raises(socket.gaierror, match="localhost"):
            await loop.getaddrinfo("example.org", 80)
        return await loop.getaddrinfo("localhost", 80)

    assert play(wired(), client=look)["client"][0][4] == ("127.0.0.1", 80)


def test_a_thread_is_refused_in_a_sentence():
    async def threaded(_):
        with pytest.raises(VirtualTimeError, match="loopback wire"):
            await asyncio.to_thread(print)
        return True

    assert play(wired(), client=threaded)["client"]


def test_a_loop_that_lets_no_time_pass_is_stopped():
    async def spinner(_):
        while True:
            await asyncio.sleep(0)

    with pytest.raises(VirtualTimeError, match=f"{TURNS:,} turns"):
        play(wired(), client=spinner)


def test_a_handler_that_lets_no_time_pass_is_stopped_and_the_run_leaves():
    async def spinner(websocket):
        while True:
            await asyncio.sleep(0)

    with pytest.raises(VirtualTimeError, match="sleep for more than 0 s"):
        run(small(), "virtual", server=spinner)


def test_a_run_works_within_a_task_that_runs_within_a_run_and_each_finds_itself_again():
    """As a cell does, and a handler: since Python 3.14 a thread, not a loop, has a current task."""
    seen = []

    def around():
        return asyncio.get_running_loop(), asyncio.current_task(), sys.get_asyncgen_hooks()

    async def handler(websocket):
        before = around()
        block(3)
        seen.append(run(FLY, "virtual").noticed_at("server"))
        seen.append(before == around())
        await websocket.wait_closed()

    async def cell():
        before = around()
        ticking = asyncio.create_task(asyncio.sleep(0))
        seen.append(run(FLY, "virtual", server=handler).noticed_at("server"))
        await ticking
        seen.append(before == around())

    asyncio.run(cell())
    assert seen == [15.0, True, 15.0, True]


def test_a_task_that_stands_in_the_way_of_others_is_told_at_once():
    wire = wired()
    loop = wire.loops["client"]
    task = loop.create_task(pause(1))
    loop.call_soon(asyncio._enter_task, loop, task)  # never left: at 1 s it cannot be entered
    with pytest.raises(VirtualTimeError, match="cannot be entered: Cannot enter into task"):
        wire.wait(lambda: False, 10)
    assert wire.now() == 1 and not task.done()
    asyncio._set_running_loop(loop)
    asyncio._leave_task(loop, task)
    asyncio._set_running_loop(None)
    wire.close({})  # its step was kept, so it can be cancelled
    assert task.cancelled()


def test_a_context_that_is_entered_already_is_told_at_once():
    wire, context = wired(), contextvars.copy_context()
    task = wire.loops["client"].create_task(pause(1), context=context)
    with pytest.raises(VirtualTimeError, match="cannot be entered: cannot enter context"):
        context.run(wire.wait, lambda: False, 10)
    wire.close({})
    assert task.cancelled()


def test_an_exception_of_a_callback_itself_goes_to_the_log_as_asyncio_does():
    wire, told = wired(), []
    loop = wire.loops["client"]
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))

    def breaks():
        raise RuntimeError("Cannot enter into task, it says")

    loop.call_soon(breaks)
    assert not wire.wait(lambda: False, 10)
    wire.close({})
    assert [str(one) for one in told] == ["Cannot enter into task, it says"]


def test_a_run_cannot_be_waited_for_from_within():
    wire = wired()

    async def impatient(_):
        with pytest.raises(VirtualTimeError, match="under way"):
            wire.wait(lambda: False, 10)
        await asyncio.sleep(1)
        return True

    assert play(wire, client=impatient)["client"]


def test_nobody_but_its_clock_can_run_a_virtual_loop():
    """Neither beside a run nor, after nest_asyncio2's patch, within one: no time would pass."""
    wire = wired()
    loop = wire.loops["client"]
    with pytest.raises(VirtualTimeError, match="run by its clock"):
        loop.run_until_complete(pause(1))

    async def nests(_):
        with pytest.raises(VirtualTimeError, match="run by its clock"):
            loop._run_once()
        return True

    assert play(wire, client=nests)["client"]


def test_a_deadlock_is_reported_and_says_who_waits_for_what():
    async def waits(websocket):
        await asyncio.Event().wait()

    trace = run(Experiment(server=Peer(ping_interval=None)), "virtual", server=waits, client=waits)
    assert "nothing can happen any more" in trace.header["ended"] and "waits → wait" in trace.header["ended"]


def test_a_ticker_does_not_hide_a_deadlock_for_ever():
    async def ticks(websocket):
        while True:
            await asyncio.sleep(10)

    trace = run(Experiment(server=Peer(ping_interval=None)), "virtual", server=ticks)
    assert trace.header["ended"] == "its time was up" and trace.end == 3600


def test_buffers_are_bounded_and_a_cut_fills_them():
    wire = wired(buffer=4096)

    async def client(dial):
        sock, sent = dial(), 0
        await pause(1)
        with pytest.raises(BlockingIOError):
            while True:
                sent += sock.send(b"x" * 1000)
        return sent

    async def server(listener):
        await accept(listener)
        await pause(5)

    wire.at(0.5, lambda: wire.do(Cut(0.5), "begin"))
    assert play(wire, server=server, client=client)["client"] == 4096


def test_bytes_wait_in_a_cut_and_arrive_whole_after_healing():
    wire = wired(latency=0.5)

    async def client(dial):
        sock = dial()
        await pause(1)
        return [sock.send(b"one"), sock.send(b"two"), sock.close()]

    async def server(listener):
        sock = await accept(listener)
        with pytest.raises(BlockingIOError):
            sock.recv(10)
        await pause(11.3)  # lost at 1; tried again at 3.45, 5.9, and 10.8: half a second later it is here
        got = [sock.recv(100)]
        return [*got, sock.recv(100)]

    cut = Cut(0.7, heal=8)
    wire.at(0.7, lambda: wire.do(cut, "begin"))
    wire.at(8.0, lambda: wire.do(cut, "end"))
    assert play(wire, server=server, client=client)["server"] == [b"onetwo", b""]


@pytest.mark.parametrize("how", ["unread bytes", "SO_LINGER 0"])
def test_closing_rudely_resets_the_peer(how):
    async def client(dial):
        sock = dial()
        sock.send(b"unread")
        await pause(2)
        with pytest.raises(ConnectionResetError):
            sock.recv(10)
        with pytest.raises(BrokenPipeError):
            sock.send(b"more")
        return True

    async def server(listener):
        sock = await accept(listener)
        if how == "SO_LINGER 0":
            sock.recv(10)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await pause(1)
        sock.close()
        sock.close()  # closing twice is harmless
        return True

    assert play(wired(), server=server, client=client)["client"]


def test_the_first_send_after_the_peer_has_closed_works_and_the_second_is_epipe():
    async def client(dial):
        sock = dial()
        await pause(2)
        assert sock.recv(10) == b""
        assert sock.send(b"one") == 3
        await pause(1)
        with pytest.raises(OSError) as error:
            sock.send(b"two")
        return error.value.errno

    async def server(listener):
        sock = await accept(listener)
        await pause(1)
        sock.close()

    assert play(wired(), server=server, client=client)["client"] == errno.EPIPE


def test_work_per_turn_grows_with_what_is_ready_not_with_what_exists():
    """Counted, not timed: how many sockets are asked in one exchange, beside 0 and beside 500 idle connections."""

    def asked(idle):
        wire = wired()
        count = 0

        async def client(dial):
            nonlocal count
            socks = [dial() for _ in range(idle + 1)]
            loop = asyncio.get_running_loop()
            for sock in socks:
                loop.add_reader(sock.fileno(), lambda: None)
            await pause(1)
            kinds = {type(sock) for sock in socks}
            (kind,) = kinds
            poll = kind.poll

            def counting(self):
                nonlocal count
                count += 1
                return poll(self)

            kind.poll = counting
            try:
                socks[0].send(b"ping")
                await pause(1)
            finally:
                kind.poll = poll

        async def server(listener):
            loop = asyncio.get_running_loop()
            socks = [await accept(listener) for _ in range(idle + 1)]
            for sock in socks:
                loop.add_reader(sock.fileno(), lambda sock=sock: sock.recv(100))
            await pause(5)

        play(wire, server=server, client=client)
        return count

    assert asked(500) == asked(0)


def test_a_listener_that_closes_resets_who_was_not_accepted_yet():
    async def client(dial):
        sock = dial()
        await pause(2)
        with pytest.raises(ConnectionResetError):
            sock.recv(10)
        with pytest.raises(ConnectionRefusedError):
            dial()
        return sock.recv(10)

    async def server(listener):
        await pause(1)
        listener.close()

    assert play(wired(), server=server, client=client)["client"] == b""


def test_who_dials_before_anybody_listens_is_refused():
    wire = wired()
    with pytest.raises(ConnectionRefusedError):
        wire.dial()
    wire.listener.listen(1)
    assert wire.dial().getpeername() == wire.address()
    wire.close({})


HOST_OR_PORT = [{}, {"host": "localhost"}, {"port": 8765}, {"host": "localhost", "port": 8765}]


@pytest.mark.parametrize("given", HOST_OR_PORT)
def test_a_socket_and_a_host_or_port_or_neither_are_refused_as_asyncio_does(given):
    """The same calls of asyncio's own loop, on sockets of the kernel."""

    async def refused(sock):
        loop, said = asyncio.get_running_loop(), []
        for create in (loop.create_server, loop.create_connection):
            options = {"sock": sock, **given} if given else {}
            with pytest.raises(ValueError) as error:
                await create(asyncio.Protocol, **options)
            said.append(str(error.value))
        return said

    async def server(listener):
        return await refused(listener)

    with socket.socket() as sock:
        expected = asyncio.run(refused(sock))
    assert play(wired(), server=server)["server"] == expected


def test_a_port_alone_is_one_of_this_machine():
    async def server(_):
        loop = asyncio.get_running_loop()
        async with await loop.create_server(asyncio.Protocol, port=9000):
            with pytest.raises(OSError, match="one server"):
                await loop.create_server(asyncio.Protocol, port=9001)
            await pause(2)

    async def client(_):
        await pause(1)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, port=9000)
        transport.abort()
        return transport.get_extra_info("peername")

    assert play(wired(), server=server, client=client)["client"] == ("127.0.0.1", 9000)


def test_no_reset_is_back_before_an_end_is_done_with_what_it_does_at_an_instant():
    """Even without latency: an end that answers and says goodbye in one breath is not cut short in between."""

    async def client(dial):
        sock = dial()
        await pause(2)  # the server has closed meanwhile
        for _ in range(20):
            sock.send(b"late")
            await asyncio.sleep(0)
        await pause(1)
        with pytest.raises(OSError):
            sock.send(b"later")
        sock.close()
        return "done"

    async def server(listener):
        sock = await accept(listener)
        await pause(1)
        sock.close()

    assert play(wired(), server=server, client=client)["client"] == "done"


def test_learner_code_finds_its_loop_and_its_timeouts():
    async def handler(websocket):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(7):
                await websocket.recv()
        await websocket.send(str(asyncio.get_running_loop().time()))
        await websocket.wait_closed()

    async def client(websocket):
        assert await websocket.recv() == "7.0"

    assert run(FLY.but(faults=[], until=30), "virtual", server=handler, client=client).closed_at("client") == 7.0


def test_async_solipsism_agrees_where_it_is_installed():
    """An independent virtual loop runs the same library to the same times (it is a reference here, never imported by labkit)."""
    pytest.importorskip("async_solipsism")
    from references import solipsism

    assert solipsism() == pytest.approx(run(Experiment(faults=[Cut(63)]), "virtual").closed_at("server"), abs=1e-6)
