"""The pipe decides the fate of bytes: in order, whole, a latency later, and through no cut before TCP tries again."""

from cases import Line
from hypothesis import given
from hypothesis import strategies as st

from labkit import Tcp
from labkit.wires.pipe import EOF, RESET, Pipe

MS = st.integers(0, 10_000).map(lambda ms: ms / 1000)


@st.composite
def journeys(draw):
    """Chunks with their times, one cut with a heal, a latency."""
    times = sorted(draw(st.lists(MS, min_size=1, max_size=20)))
    cut, length = draw(MS), draw(st.integers(1, 5000)) / 1000
    return times, cut, round(cut + length, 3), draw(st.sampled_from([0.0, 0.001, 0.25, 3.0]))


def travel(times, cut, heal, latency):
    """What arrives, as (s, number), of chunks sent at these times through a line that is cut both ways."""
    line = Line(latency)
    line.at(cut, line.cut)
    line.at(heal, line.heal)
    for number, when in enumerate(times):
        line.at(when, line.push, number.to_bytes(2, "big"))
    return [(when, int.from_bytes(item, "big")) for when, item in line.run()]


@given(journeys())
def test_bytes_arrive_in_order_whole_and_never_in_a_cut(journey):
    times, cut, heal, latency = journey
    arrived = travel(*journey)
    assert [number for _, number in arrived] == list(range(len(times)))
    assert not [when for when, _ in arrived if cut <= when < heal]


@given(journeys())
def test_what_is_due_in_a_cut_arrives_one_latency_after_the_next_try(journey):
    (sent, *_), cut, heal, latency = journey
    ((arrived, _),) = travel([sent], cut, heal, latency)
    due, retries = round(sent + latency, 9), Tcp().retries_at(2 * latency)
    if cut <= due < heal:
        tries = [round(due + retries.after(number), 9) for number in range(10)]
        due = next(one for one in tries if one >= heal)
    assert arrived == due


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=20), st.integers(1, 17))
def test_a_slow_reader_gets_every_byte(chunks, room):
    pipe, got = Pipe(), b""
    for chunk in chunks:
        pipe.push(0, chunk)
    while pipe.ready(0):
        taken = pipe.head()[:room]
        pipe.advance(0, len(taken))
        got += taken
    assert got == b"".join(chunks) and pipe.room == pipe.capacity


def test_a_pipe_that_is_full_has_no_room_until_something_arrives():
    pipe = Pipe(capacity=10)
    pipe.push(0, b"0123456789")
    assert pipe.room == 0
    pipe.advance(5, 4)
    assert pipe.room == 4 and pipe.head() == b"456789"


def test_fin_waits_in_a_cut_like_any_byte_but_a_reset_is_gone():
    line = Line()
    line.at(1, line.cut)
    line.at(2, line.push, b"bye")
    line.at(2, line.push, EOF)
    line.at(2.3, line.heal)
    line.at(4, line.cut)
    line.at(5, line.push, b"stuck")
    line.at(6, line.push, RESET)  # TCP forgets what it could not send, and repeats no reset
    line.at(7, line.heal)
    assert line.run() == [(2.638, b"bye"), (2.638, EOF)]  # two segments: probed at 2.01, tried at 2.22 and 2.64


def test_a_reset_that_is_lost_on_its_way_takes_what_is_lost_with_it():
    line = Line(latency=1)
    line.at(0, line.push, b"data")
    line.at(0, line.push, RESET)
    line.at(0.5, line.cut)
    line.at(2, line.heal)
    assert line.run() == []
