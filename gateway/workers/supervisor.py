"""The parent of the workers: starts them, replaces those that end, and passes on what the process is told.

| signal | what it does |
| --- | --- |
| SIGTERM, SIGINT | every worker ends as a single process would; the second one ends them at once |
| SIGHUP | the workers reload one after another; if the first refuses the configuration, no other is told |
| SIGUSR2 | the workers are replaced one after another, each once its successor accepts connections |
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final

from gateway.server.listener import remove_file
from gateway.server.notifier import Notifier
from gateway.telemetry.worker_metrics import Snapshot, lasting, total
from gateway.workers.backoff import Backoff
from gateway.workers.balance import Balance
from gateway.workers.channel import Kind
from gateway.workers.heartbeat import PING_INTERVAL, feed_watchdog, watch_over
from gateway.workers.inquiries import measure_all, reload_all
from gateway.workers.job import Job
from gateway.workers.log import ParentLog
from gateway.workers.process import Gone, Listeners, Spawn, Worker

NONE_LIVES: Final = 1
"""The exit code if no worker can be kept alive."""


class Supervisor:
    """Looks after `workers` processes, numbered from 1."""

    def __init__(
        self,
        spawn: Spawn,
        workers: int,
        listeners: Listeners,
        *,
        balance: Balance,
        notifier: Notifier,
        log: ParentLog,
        keeps_listener: bool = False,
        ping_interval: float = PING_INTERVAL,
    ) -> None:
        """`keeps_listener`: the listener is the service manager's too, and outlives this process."""
        self._spawn = spawn
        self._balance = balance
        self._count = workers
        self._listeners = listeners
        self._notifier = notifier
        self._log = log
        self._keeps_listener = keeps_listener
        self._ping_interval = ping_interval
        self._current: dict[int, Worker] = {}
        """by number; a worker that has ended stays until it is replaced"""
        self._running: dict[int, Worker] = {}
        """by process id; those that are leaving too"""
        self._ended: Snapshot = ()
        self._backoffs: defaultdict[int, Backoff] = defaultdict(Backoff)
        self._failed_starts = 0
        """in a row"""
        self._restarting: int | None = None
        """the number whose successor is being started"""
        self._was_ready = False
        """all workers at once have been"""
        self._is_stopping = False
        self._is_released = False
        self._exit: asyncio.Future[int]
        self._jobs = {"reload": Job(self._reload), "restart": Job(self._restart)}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, first: Worker, early_signals: Callable[[], Collection[int]] = frozenset) -> int:
        """Look after the workers until the end, and return the exit code. `first` has been started already."""
        loop = asyncio.get_running_loop()
        self._exit = loop.create_future()
        handlers: dict[int, Callable[[], None]] = {
            signal.SIGTERM: self._stop,
            signal.SIGINT: self._stop,
            signal.SIGHUP: self._jobs["reload"].start,
            signal.SIGUSR2: self._jobs["restart"].start,
            signal.SIGCHLD: self._reap,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        self._current[first.number] = first
        await self._attend(first)
        for number in range(2, self._count + 1):
            await self._start(number)
        self._reap()
        for each in early_signals():
            handlers.get(each, self._stop)()
        self._begin(watch_over(self._running, self._log, self._ping_interval))
        self._begin(feed_watchdog(self._notifier))
        return await self._exit

    # what workers tell

    async def scrape(self) -> Snapshot:
        await measure_all([each for each in self._running.values() if each.is_ready])
        return total((each.metrics for each in self._running.values()), self._ended)

    def release(self) -> bool:
        if not self._is_stopping or self._keeps_listener:
            return False
        if not self._is_released:
            self._is_released = True
            if self._listeners.listener is not None:
                remove_file(self._listeners.listener)
                self._listeners.listener.close()
        return True

    def replace(self, worker: Worker) -> None:
        if self._is_stopping or worker.is_leaving or self._current.get(worker.number) is not worker:
            return
        self._leave(worker)
        if self._restarting != worker.number:
            self._begin(self._start(worker.number))

    def has_become_ready(self) -> None:
        self._failed_starts = 0
        all_ready = len(self._current) == self._count and all(
            each.is_ready and each.stays for each in self._current.values()
        )
        if all_ready and not self._was_ready:
            self._was_ready = True
            self._notifier.ready()

    def has_ended(self, worker: Worker) -> None:
        del self._running[worker.process.pid]
        self._ended = lasting([self._ended, worker.metrics])
        if self._is_stopping:
            if not self._running:
                self._finish(0)
            return
        if not worker.is_leaving:
            self._log.line("worker-ended", level="error", worker=worker.number, exit_code=worker.exit_code or 0)
        if self._current.get(worker.number) is not worker:
            return
        self._balance.exclude(worker.number)
        if not worker.is_leaving and self._restarting != worker.number:
            self._replace_after_backoff(worker)

    # what the process is told

    def _stop(self) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            self._notifier.stopping()
            for job in self._jobs.values():
                job.cancel()
        for each in self._running.values():
            each.stop()
        if not self._running:
            self._finish(0)

    async def _reload(self) -> None:
        self._notifier.reloading()
        try:
            await reload_all(list(self._current.values()))
        finally:
            self._notifier.reloaded()

    async def _restart(self) -> None:
        for number in range(1, self._count + 1):
            self._restarting = number
            try:
                old, new = self._current[number], self._spawn(number, self._listeners)
                await self._attend(new)
                await new.until_ready()
            except (Gone, OSError):
                self._log.line("workers-not-restarted", level="error", worker=number)
                self._restarting = None
                if not old.stays:
                    self._begin(self._start(number))
                return
            finally:
                self._restarting = None
            self._current[number] = new
            if new.ended.done():
                self._replace_after_backoff(new)
            if old.exit_code is None:
                self._leave(old)
                await asyncio.wait([old.ended])
        self._log.line("workers-restarted")

    # how workers begin and end

    async def _attend(self, worker: Worker) -> None:
        self._running[worker.process.pid] = worker
        await worker.attend(self)

    async def _start(self, number: int, delay: float = 0.0) -> None:
        await asyncio.sleep(delay)
        current = self._current.get(number)
        if self._is_stopping or self._restarting == number or (current is not None and current.stays):
            return
        try:
            worker = self._current[number] = self._spawn(number, self._listeners)
        except OSError as error:  # no more processes, or no memory
            self._log.line("worker-not-started", level="error", worker=number, error=type(error).__name__)
            self._begin(self._start(number, self._backoffs[number].after(lived=0.0)))
        else:
            await self._attend(worker)

    def _leave(self, worker: Worker) -> None:
        if self._current.get(worker.number) is worker:
            self._balance.exclude(worker.number)
        worker.is_leaving = True
        worker.send(Kind.LEAVE)

    def _replace_after_backoff(self, worker: Worker) -> None:
        if not worker.is_ready:
            self._failed_starts += 1
            lives = any(each.is_ready for each in self._running.values())
            if self._failed_starts >= self._count and not lives:
                self._finish(NONE_LIVES)
                return
        delay = self._backoffs[worker.number].after(lived=worker.age)
        self._begin(self._start(worker.number, delay))

    def _reap(self) -> None:
        """Take note of every child that has ended, also of those that became ours because we are process 1."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid in self._running:
                self._running[pid].reaped(os.waitstatus_to_exitcode(status))

    def _finish(self, exit_code: int) -> None:
        for each in self._running.values():
            each.kill()
        if not self._exit.done():
            self._exit.set_result(exit_code)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
