"""The pipe decides the fate of bytes: in order, whole, a latency later, and never through a cut."""

from hypothesis import given
from hypothesis import strategies as st

from labkit.wires.pipe import EOF, RESET, Pipe

MS = st.integers(0, 10_000).map(lambda ms: ms / 1000)


def take(pipe: Pipe, now: float, room: int = 2**30) -> list[bytes | None]:
    """Everything that has arrived by now, as far as there is room."""
    out = []
    while pipe.ready(now) and room:
        item = pipe.head()
        count = min(len(item or b""), room)
        room -= count
        out.append(item[:count] if item else item)
        pipe.advance(now, count)
    return out


@st.composite
def journeys(draw):
    """Chunks with their times, one cut with a heal, a latency."""
    times = sorted(draw(st.lists(MS, min_size=1, max_size=20)))
    cut, length = draw(MS), draw(st.integers(1, 5000)) / 1000
    return times, cut, round(cut + length, 3), draw(st.sampled_from([0.0, 0.001, 0.25, 3.0]))


@given(journeys())
def test_bytes_arrive_in_order_whole_and_never_in_a_cut(journey):
    times, cut, heal, latency = journey
    pipe = Pipe(latency)
    steps = [(cut, 0, "cut"), (heal, 0, "heal"), *((when, 1, n) for n, when in enumerate(times))]
    steps += [(round(n / 1000, 3), 2, "take") for n in range(0, 30_000, 500)]
    arrived = []
    for when, _, what in sorted(steps, key=lambda step: step[:2]):
        if what == "cut":
            pipe.cut("a cut")
        elif what == "heal":
            arrived += [(when, item) for item in take(pipe, when)]
            pipe.heal(when, "a cut")
        elif what == "take":
            arrived += [(when, item) for item in take(pipe, when)]
        else:
            pipe.push(when, what.to_bytes(2, "big"))
    assert [int.from_bytes(item, "big") for _, item in arrived] == list(range(len(times)))
    assert not [when for when, _ in arrived if cut <= when < heal and when != cut]
    assert pipe.waiting == 0 and pipe.room == pipe.capacity


@given(journeys())
def test_what_is_due_in_a_cut_arrives_one_latency_after_healing(journey):
    times, cut, heal, latency = journey
    pipe = Pipe(latency)
    sent = times[0]
    if sent < cut:
        pipe.push(sent, b"x")
        pipe.cut("a cut")
    else:
        pipe.cut("a cut")
        if sent >= heal:
            pipe.heal(heal, "a cut")
        pipe.push(sent, b"x")
    due = round(sent + latency, 9)
    stuck = cut <= due < heal
    if not stuck and due < cut:
        assert take(pipe, due) == []  # nobody asked in time; silence holds what was not taken
        return
    if sent < heal:
        assert not pipe.ready(heal - 1e-6)
        pipe.heal(heal, "a cut")
    assert pipe.due() == (round(heal + latency, 9) if stuck else due)


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=20), st.integers(1, 17))
def test_a_slow_reader_gets_every_byte(chunks, room):
    pipe = Pipe()
    for chunk in chunks:
        pipe.push(0, chunk)
    got = b""
    while pipe.ready(0):
        got += b"".join(take(pipe, 0, room))
    assert got == b"".join(chunks)


def test_a_pipe_that_is_full_has_no_room_until_something_arrives():
    pipe = Pipe(capacity=10)
    pipe.push(0, b"0123456789")
    assert pipe.room == 0
    pipe.cut("a cut")
    assert not pipe.ready(5) and pipe.room == 0
    pipe.heal(5, "a cut")
    pipe.advance(5, 4)
    assert pipe.room == 4 and pipe.head() == b"456789"


def test_fin_waits_in_a_cut_like_any_byte_but_a_reset_is_gone():
    pipe = Pipe()
    pipe.cut("a cut")
    pipe.push(2, b"bye")
    pipe.push(2, EOF)
    pipe.heal(3, "a cut")
    assert take(pipe, 3) == [b"bye", EOF]
    pipe.cut("a cut")
    pipe.push(5, b"stuck")
    pipe.push(6, RESET)
    pipe.heal(7, "a cut")
    assert take(pipe, 8) == []  # TCP forgets what it could not send, and repeats no reset


def test_a_reset_that_is_on_its_way_when_the_cut_comes_is_gone_too():
    pipe = Pipe(latency=1)
    pipe.push(0, b"data")
    pipe.push(0, RESET)
    pipe.cut("a cut")
    pipe.heal(2, "a cut")
    assert take(pipe, 10) == [b"data"]
