"""From an event of a platform to a thousand streams that watch its user: how long it takes, and what it costs."""

from __future__ import annotations

import contextlib
import http.client
import json
import selectors
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from adapters.selfcommunity.webhook import sign
from benchmarks.processes import Process
from benchmarks.servers import EVENTS_SECRET, GATEWAY_OF_A_COMMUNITY, Servers

STREAMS: Final = 1000
USER: Final = 102
TIMES: Final = 20
LONGEST: Final = 10.0
"""Seconds until every stream must have been sent it."""
STATUSES: Final = ("connected", "received_connection_request")


class Told(NamedTuple):
    """From the moment when the event is sent, in milliseconds."""

    first: float
    last: float
    cpu: float
    """microseconds per stream"""
    longest_probe: float
    """of requests that ask for nothing, meanwhile"""


def measure(servers: Servers) -> Told:
    """The median of many events, each about a change."""
    community = servers.community()
    gateway = servers.ready(GATEWAY_OF_A_COMMUNITY)
    with _streams(gateway) as streams:
        found = [_tell(gateway, community, streams, number) for number in range(TIMES)]
    servers.stop(gateway, community)
    return Told(*(statistics.median(each[place] for each in found) for place in range(len(Told._fields))))


@contextlib.contextmanager
def _streams(gateway: Process) -> Iterator[Sequence[socket.socket]]:
    """Open streams that have been sent the state of the user."""
    request = f"GET /v1/watch?user=club:{USER} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with contextlib.ExitStack() as opened:
        streams = []
        for _ in range(STREAMS):
            stream = opened.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=LONGEST))
            stream.sendall(request)
            streams.append(stream)
        for stream in streams:
            _read_event(stream)
        yield streams


def _read_event(stream: socket.socket) -> None:
    text = b""
    while b'"user_id"' not in text:
        text += stream.recv(65536)


def _tell(gateway: Process, community: Process, streams: Sequence[socket.socket], number: int) -> Told:
    _put(community, f"/_simulator/connections/1/{USER}", {"status": STATUSES[number % 2]})
    body = json.dumps(
        {"event_id": number, "type": "connection.created", "data": {"from_user": {"id": 1}, "to_user": {"id": USER}}}
    ).encode()
    sent_at = str(int(time.time()))
    signature = f"t={sent_at},v1={sign(EVENTS_SECRET.encode(), sent_at, body)}"
    cpu = gateway.cpu()
    begun = time.perf_counter()
    _send(gateway, "POST", "/v1/events/club", body, {"SelfCommunity-Signature": signature})
    arrived: list[float] = []
    probes: list[float] = []
    with selectors.DefaultSelector() as waiting, socket.create_connection(("127.0.0.1", gateway.port)) as probe:
        for stream in streams:
            waiting.register(stream, selectors.EVENT_READ)
        waiting.register(probe, selectors.EVENT_READ)
        while len(arrived) < len(streams):
            probed_at = time.perf_counter()
            probe.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            is_answered = False
            while not is_answered:
                for key, _ in waiting.select(LONGEST):
                    if key.fileobj is probe:
                        probe.recv(65536)
                        probes.append(time.perf_counter() - probed_at)
                        is_answered = True
                    else:
                        _read_event(key.fileobj)  # type: ignore[arg-type]  # what is registered
                        arrived.append(time.perf_counter() - begun)
                        waiting.unregister(key.fileobj)
    cpu = gateway.cpu() - cpu
    return Told(arrived[0] * 1e3, arrived[-1] * 1e3, cpu / STREAMS * 1e6, max(probes) * 1e3)


def _put(server: Process, path: str, content: object) -> None:
    _send(server, "PUT", path, json.dumps(content).encode(), {"Content-Type": "application/json"})


def _send(server: Process, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        if answer.status not in {200, 204}:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.read()!r}")
