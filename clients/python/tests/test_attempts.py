"""How often a call is sent: 10,000 of them with random faults, without a socket."""

from __future__ import annotations

import random
from collections.abc import Callable

from connection_gateway import GatewayError, GatewayUnreachable
from connection_gateway.attempts import Outcome, Send
from connection_gateway.models import Connection
from connection_gateway.protocol import Answer, Request, act, lookup

from tests.clients.driver import Driver, ok, refused

CALLS = 10_000
TIMEOUT = 2.0


class Faults:
    """Answers, failures and lost connections at random. `reached` counts what may have arrived, of one call."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  a seed
        self.reached = 0
        self.driver = Driver(self._respond)

    def _respond(self, send: Send) -> Outcome:
        self.driver.now += self.chance.random() * send.timeout
        sent = self.chance.random() < 0.7
        self.reached += sent
        if not sent:
            return GatewayUnreachable("refused", sent=False)
        outcomes: list[Outcome] = [self._lost(), self._throttled(), self._overloaded(), self._failed(), ok(send)]
        return self.chance.choice(outcomes)

    def _lost(self) -> GatewayUnreachable:
        return GatewayUnreachable("lost", sent=True)

    def _throttled(self) -> Answer:
        return refused(
            "platform-throttled", 429, self.chance.choice([None, 0, 1, 2]), self.chance.choice(["acme", "club"])
        )

    def _overloaded(self) -> Answer:
        return refused("overloaded", 503, self.chance.choice([0, 1]))

    def _failed(self) -> Answer:
        return refused("outcome-unknown", 504, None, "acme")

    def most(self, make: Callable[[str], Request]) -> int:
        """How often one of the calls arrived at most; none of them took longer than it may."""
        most = 0
        for _ in range(CALLS):
            self.reached, began = 0, self.driver.now
            try:
                call = self.driver.calls().one(make(self.chance.choice(["acme", "club"])), Connection, TIMEOUT)
                self.driver.run(call)
            except GatewayError:
                pass
            assert self.driver.now <= began + TIMEOUT
            most = max(most, self.reached)
        return most


def test_an_action_is_never_sent_twice() -> None:
    assert Faults(21).most(lambda name: act(name, 1, "accept")) == 1


def test_a_read_is_sent_twice_at_most() -> None:
    assert Faults(22).most(lambda name: lookup(name, 1)) == 2
