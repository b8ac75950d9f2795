"""Exceptions as plain data, as an application met them."""

from __future__ import annotations

from typing import Any

from websockets.exceptions import ConnectionClosed


def awaited_in(problem: BaseException) -> str:
    """The call of websockets in which an exception, or its cause, was raised; "?" if in none.

    ``async for`` calls recv(). asyncio.timeout raises outside of what it has cancelled: there the
    cause tells.
    """
    step = problem.__traceback__
    while step is not None:
        module, name = step.tb_frame.f_globals.get("__name__", ""), step.tb_frame.f_code.co_name
        if "websockets" in module and not name.startswith("__"):
            return name
        step = step.tb_next
    return awaited_in(problem.__cause__) if problem.__cause__ else "?"


def describe(problem: BaseException, awaiting: str, connection: Any) -> dict[str, Any]:
    """An exception as plain data: type, text and cause, and the codes of both closes."""
    sent, received = getattr(problem, "sent", None), getattr(problem, "rcvd", None)
    cause = problem.__cause__
    data = {
        "type": type(problem).__name__,
        "text": str(problem),
        "awaiting": awaiting,
        "cause": f"{type(cause).__name__}: {cause}" if cause is not None else None,
        "sent": sent and int(sent.code),
        "received": received and int(received.code),
    }
    if isinstance(problem, ConnectionClosed) and connection is not None:
        has_code = hasattr(connection, "close_code")  # not that of threading, until 13
        keeper = connection if has_code else connection.protocol
        data["code"] = keeper.close_code and int(keeper.close_code)
        data["reason"] = keeper.close_reason
    return data
