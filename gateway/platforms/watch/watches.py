"""What is watched on one platform, by viewer."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterator
from typing import Final

from adapters.contract import Viewer
from adapters.user_ids import UserKey
from gateway.aio.background_tasks import BackgroundTasks
from gateway.platforms.lookup.lookups import Lookups
from gateway.platforms.lookup.pending import LookupResult
from gateway.platforms.watch.viewer_watch import ViewerWatch

GOLDEN_RATIO: Final = (5**0.5 - 1) / 2


def _phases() -> Iterator[float]:
    """Numbers from 0 to 1 that are evenly spread, however many are taken: multiples of the golden ratio.

    At random, several viewers would be read at the same moment now and then, and requests would wait for all of them.
    """
    start = random.random()  # noqa: S311  so that processes differ
    return ((start + number * GOLDEN_RATIO) % 1 for number in itertools.count())


class Watches:
    """Each watched viewer is read once every `interval` seconds. A read may take `timeout` seconds."""

    def __init__(self, lookups: Lookups, tasks: BackgroundTasks, *, interval: float, timeout: float) -> None:
        self._lookups = lookups
        self._tasks = tasks
        self._interval = interval
        self._timeout = timeout
        self._viewers: dict[Viewer, ViewerWatch] = {}
        self._phases = _phases()

    def viewer(self, viewer: Viewer) -> ViewerWatch:
        """What is watched as this viewer: for a subscription that follows it now."""
        found = self._viewers.get(viewer)
        if found is None:
            found = self._viewers[viewer] = ViewerWatch(
                viewer,
                self._lookups,
                self._tasks,
                interval=self._interval,
                phase=next(self._phases),
                timeout=self._timeout,
                on_empty=lambda: self._remove(viewer),
            )
            self._lookups.on_result = self._on_result
        return found

    def on_action(self, viewer: Viewer, user_id: UserKey) -> None:
        """An action has ended: read its user again."""
        found = self._viewers.get(viewer)
        if found is not None:
            found.read_again((user_id,))

    def on_hint(self, user_ids: Collection[UserKey]) -> None:
        """The platform says that something about these users has changed, whoever the viewer is."""
        for each in tuple(self._viewers.values()):
            each.read_again(user_ids)

    def close(self) -> None:
        """Read nothing from now on."""
        for each in self._viewers.values():
            each.close()

    def _remove(self, viewer: Viewer) -> None:
        del self._viewers[viewer]
        if not self._viewers:
            self._lookups.on_result = None

    def _on_result(self, viewer: Viewer, user_id: UserKey, result: LookupResult) -> None:
        found = self._viewers.get(viewer)
        if found is not None:
            found.on_result(user_id, result)
