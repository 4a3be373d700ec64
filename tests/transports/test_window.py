from __future__ import annotations

import pickle

from gateway.transports.window import Window


def test_a_window_counts_calls_and_those_marked() -> None:
    window = Window(10.0)
    window.add(0.0, calls=1)
    window.add(0.5, calls=1, marked=1)
    window.add(9.0, calls=1, marked=1)
    assert window.totals(9.5) == (3, 2)


def test_what_is_older_is_forgotten() -> None:
    window = Window(10.0)
    window.add(0.0, calls=5, marked=5)
    window.add(6.0, calls=1)
    assert window.totals(9.9) == (6, 5)
    assert window.totals(10.0) == (1, 0)
    assert window.totals(16.0) == (0, 0)


def test_nothing_grows_with_time() -> None:
    window = Window(10.0)
    for second in range(10_000):
        window.add(float(second), calls=1)
    assert window.totals(9_999.0) == (10, 0)
    assert len(pickle.dumps(window)) < 1000


def test_a_window_can_begin_anew() -> None:
    window = Window(10.0)
    window.add(0.0, calls=1, marked=1)
    window.clear()
    assert window.totals(0.0) == (0, 0)
