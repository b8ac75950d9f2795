"""Those who sit in a room: a real `python -m labkit class`, its teacher, and learners, each with cookies of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Client:
    """A browser without a page."""

    def __init__(self, host: str) -> None:
        self.host, self.cookies = host, {}

    def ask(self, path: str, body=None, method: str = "", **headers: str) -> tuple[int, str]:
        """Status and text; a body that is not bytes goes as JSON."""
        connection = http.client.HTTPConnection(self.host, timeout=30)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        with contextlib.closing(connection):
            connection.request(method or ("GET" if body is None else "POST"), path, data, {**sent, **headers})
            with connection.getresponse() as answer:
                for line in answer.headers.get_all("Set-Cookie") or []:
                    name, _, value = line.partition(";")[0].partition("=")
                    self.cookies[name] = value
                return answer.status, answer.read().decode()

    def vote(self, at: int, phase: str, choice: int) -> int:
        """The status of a vote."""
        return self.ask("/vote", {"at": at, "phase": phase, "choice": choice})[0]

    def do(self, action: str) -> int:
        """The status of a teacher's button."""
        return self.ask("/teacher/do", {"action": action})[0]

    def state(self) -> dict:
        """What a learner sees."""
        return json.loads(self.ask("/state")[1])


class Class:
    """A room that is served, its code and its teacher."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        said = "".join(process.stdout.readline() for _ in range(4))
        self.host, self.code = re.search(r"http://(\S+)/#(\w+)", said).groups()
        self.secret = re.search(r"/teacher/(\S+)", said)[1]
        self.teacher = Client(self.host)
        self.teacher.ask(f"/teacher/{self.secret}")

    def learner(self) -> Client:
        """One who has entered."""
        client = Client(self.host)
        assert client.ask("/join", {"code": self.code})[0] == 200
        return client


@contextlib.contextmanager
def served(*options: str) -> Iterator[Class]:
    """A class in a process of its own, until Ctrl-C; it must end by itself, and have nothing to complain of."""
    command = [sys.executable, "-m", "labkit", "class", "--port", "0", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        try:
            yield Class(process)
            process.send_signal(signal.SIGINT)
            said, problems = process.communicate(timeout=30)
            assert process.returncode == 0 and problems == "" and "Nothing was kept" in said, problems
        finally:
            process.kill()
