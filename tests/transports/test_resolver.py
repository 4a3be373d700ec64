"""Names that hang, fail or move take nothing from others."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from gateway.transports import resolver as resolver_module
from gateway.transports.resolver import Address, Resolver, look_up

ONE, OTHER = Address(socket.AF_INET, "127.0.0.1"), Address(socket.AF_INET, "127.0.0.2")


class Names:
    """A system's resolver that answers what it is told, or hangs until it is released."""

    def __init__(self) -> None:
        self.answer: list[Address] | OSError = [ONE]
        self.asked = 0
        self.hangs = False
        self.released = threading.Event()

    def look_up(self, _name: str) -> list[Address]:
        self.asked += 1
        if self.hangs:
            self.released.wait()
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


async def test_the_systems_own_addresses() -> None:
    assert Address(socket.AF_INET, "127.0.0.1") in look_up("localhost")
    with pytest.raises(OSError, match=r"Name|name"):
        look_up("nowhere.invalid")


async def test_a_name_is_asked_for_once_by_all_who_wait() -> None:
    names = Names()
    resolver = Resolver(names.look_up)
    found = await asyncio.gather(*(resolver.addresses("acme.example") for _ in range(100)))
    assert found == [[ONE]] * 100
    assert await resolver.addresses("acme.example") == [ONE]
    assert names.asked == 1


async def test_who_gives_up_takes_nobody_along() -> None:
    names = Names()
    names.hangs = True
    resolver = Resolver(names.look_up)
    first = asyncio.create_task(resolver.addresses("acme.example"))
    second = asyncio.create_task(resolver.addresses("acme.example"))
    while not names.asked:  # noqa: ASYNC110  another thread
        await asyncio.sleep(0)
    first.cancel()
    names.released.set()
    assert await second == [ONE]
    assert names.asked == 1


async def test_a_name_that_hangs_has_one_thread_and_holds_up_no_other() -> None:
    hanging, good = Names(), Names()
    hanging.hangs = True

    def look_up(name: str) -> list[Address]:
        return (hanging if name == "hangs.example" else good).look_up(name)

    resolver, other = Resolver(look_up), Resolver(look_up)
    before = threading.active_count()
    waiting = [asyncio.create_task(resolver.addresses("hangs.example")) for _ in range(50)]
    while not hanging.asked:  # noqa: ASYNC110  another thread
        await asyncio.sleep(0)
    assert await other.addresses("good.example") == [ONE]
    assert await resolver.addresses("good.example") == [ONE]
    assert threading.active_count() <= before + 2
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    again = asyncio.create_task(resolver.addresses("hangs.example"))
    await asyncio.sleep(0)
    assert hanging.asked == 1
    hanging.released.set()
    assert await again == [ONE]
    await resolver.aclose()


@pytest.fixture
def never_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver_module, "FRESH_FOR", 0.0)


@pytest.mark.usefixtures("never_fresh")
async def test_a_name_that_was_known_stays_usable_while_it_can_not_be_found_anew() -> None:
    names = Names()
    resolver = Resolver(names.look_up)
    await resolver.addresses("acme.example")
    names.answer = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    for _ in range(3):
        assert await resolver.addresses("acme.example") == [ONE]
    assert names.asked == 4


@pytest.mark.usefixtures("never_fresh")
async def test_a_name_that_was_known_waits_only_a_little_for_newer_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver_module, "REFRESH_WITHIN", 0.01)
    names = Names()
    resolver = Resolver(names.look_up)
    await resolver.addresses("acme.example")
    names.hangs, names.answer = True, [OTHER]
    for _ in range(3):
        assert await resolver.addresses("acme.example") == [ONE]
    assert names.asked == 2
    names.released.set()
    while await resolver.addresses("acme.example") != [OTHER]:
        pass


async def test_a_name_that_moves_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names()
    resolver = Resolver(names.look_up)
    await resolver.addresses("acme.example")
    names.answer = [OTHER]
    assert await resolver.addresses("acme.example") == [ONE]
    monkeypatch.setattr(resolver_module, "FRESH_FOR", 0.0)
    assert await resolver.addresses("acme.example") == [OTHER]


async def test_a_name_that_was_never_found_is_asked_for_again() -> None:
    names = Names()
    names.answer = []
    resolver = Resolver(names.look_up)
    for _ in range(2):
        with pytest.raises(OSError, match="no address"):
            await resolver.addresses("acme.example")
    assert names.asked == 2
