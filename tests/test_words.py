"""What the lab says in two languages: the claims of the report, with the runs that judge them, and the glossary."""

import json
import re
from pathlib import Path

import pytest

from labkit import Cut, Experiment, Goodbye, Peer, run

ROOT = Path(__file__).parent.parent
ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
GLOSSARY = (ROOT / "notebooks" / "glossary.md").read_text(encoding="utf-8")
MAP = (ROOT / "notebooks" / "map.md").read_text(encoding="utf-8")
CJK = re.compile(r"[\u4e00-\u9fff]")
RECORD = [json.loads(line) for line in (ROOT / "data" / "matrix.jsonl").read_text().splitlines()[1:]]


def claims(text, head):
    """The notebooks that each claim names, row by row."""
    rows = re.search(rf"^\| {head} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)[1].splitlines()
    return [re.findall(r"\((notebooks/\w+\.ipynb)\)", row.split(" | ")[-1]) for row in rows]


def test_both_tables_judge_the_same_claims_by_the_same_notebooks():
    assert claims(ENGLISH, "claim") == claims(CHINESE, "文章的说法")
    assert len(claims(ENGLISH, "claim")) == 7 and all(claims(ENGLISH, "claim"))
    for target in re.findall(r"\]\(([^)#]+)\)", CHINESE):
        assert target.startswith("http") or (ROOT / target).exists(), target


def verdicts(situation, python="3.11", wire="ws"):
    """By version of the asyncio implementation, as recorded."""
    return {
        tuple(map(int, row["version"].split("."))): row["verdict"]
        for row in RECORD
        if (row["situation"], row["implementation"], row["wire"]) == (situation, "asyncio", wire) and row["python"] == python
    }


def test_where_it_hangs_is_what_the_record_says():
    assert set(verdicts("quiet").values()) == {"bounded"}
    below = verdicts("backlog below the mark")
    assert below and all((verdict == "hangs") == (version < (14, 2)) for version, verdict in below.items())
    assert set(verdicts("ping before drain blocked").values()) == {"hangs"}
    assert set(verdicts("drain blocked before the ping").values()) == {"never"}
    tls = verdicts("quiet", "3.10", "wss client")
    assert all((verdict == "hangs") == (version < (14, 2)) for version, verdict in tls.items())


TIMERS = dict(ping_interval=4, ping_timeout=3, close_timeout=2)
LOUD = Experiment(Peer(**TIMERS, buffer=4096, send_size=20_000, send_every=0.5), Peer(buffer=4096), until=3600)


def test_a_quiet_connection_is_noticed_and_told_and_a_loud_one_waits_for_tcp():
    quiet = run(Experiment(Peer(**TIMERS), faults=[Cut(at=9)]), wire="virtual")
    assert (quiet.noticed_at("server"), quiet.told_at("server")) == (15, 17)
    assert [one.type for one in quiet.raised("server")] == ["ConnectionClosedError"]
    for faults in ([Cut(at=9)], [Cut(at=9), Goodbye(at=20)]):  # nobody asks; somebody calls close()
        loud = run(LOUD.but(faults=faults), wire="virtual")
        assert 14 * 60 < loud.closed_at("server") < 18 * 60


def test_the_glossary_has_every_word_that_a_notebook_explains_in_both_languages():
    rows = [line.split(" | ") for line in GLOSSARY.splitlines() if line.startswith("| *")]
    words = {word for row in rows for word in re.findall(r"\*([^*]+)\*", row[0])}
    explained = set(re.findall(r"^\| ([^|]+) \|", re.search(r"## Words\n(.*?)\n## ", MAP, re.DOTALL)[1], re.MULTILINE))
    assert explained - {"word"} <= words
    for word, meaning, name, sentence in rows:
        assert meaning and name and CJK.search(sentence) and sentence.strip(" |").endswith(("。", "？")), word


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_the_chinese_page_lists_the_course_with_its_minutes(path):
    (minutes,) = re.findall(rf"\(notebooks/{path.name}\) \| (\d+) \|", ENGLISH)
    assert f"](notebooks/{path.name}) | {minutes} |" in CHINESE
