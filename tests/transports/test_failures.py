"""The table of failures: nothing that aiohttp raises is missing from it, and each row says whether a request left."""

from __future__ import annotations

import inspect
from itertools import combinations

import aiohttp
import httpx
import pytest
from aiohttp import client_exceptions, http_exceptions

from adapters.extensions import BEFORE_IT_LEFT
from gateway.transports.errors import FAILURES, Row, translated

ERRORS = sorted(
    {
        error
        for module in (aiohttp, client_exceptions, http_exceptions)
        for _, error in inspect.getmembers(module, inspect.isclass)
        if issubclass(error, Exception) and not issubclass(error, Warning) and error.__module__.startswith("aiohttp")
    },
    key=lambda error: error.__name__,
)
EACH_ROW = pytest.mark.parametrize("row", FAILURES.values(), ids=[kind.__name__ for kind in FAILURES])


def test_all_that_aiohttp_exports_is_looked_at() -> None:
    exported = [getattr(aiohttp, name) for name in aiohttp.__all__]
    classes = [each for each in exported if inspect.isclass(each) and issubclass(each, Exception)]
    assert {each for each in classes if not issubclass(each, Warning)} <= set(ERRORS)
    assert {aiohttp.ClientOSError, aiohttp.EofStream, http_exceptions.TransferEncodingError} <= set(ERRORS)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_nothing_that_aiohttp_raises_is_missing(error: type[Exception]) -> None:
    assert issubclass(error, tuple(FAILURES))


@EACH_ROW
def test_before_it_left_is_certainly_before(row: Row) -> None:
    assert issubclass(row.before, BEFORE_IT_LEFT)


@EACH_ROW
def test_after_it_may_have_left_is_never_before(row: Row) -> None:
    assert not issubclass(row.after, BEFORE_IT_LEFT)


@EACH_ROW
def test_all_are_failures_of_the_transport(row: Row) -> None:
    """For so the breaker and the retry know them."""
    assert issubclass(row.before, httpx.TransportError)
    assert issubclass(row.after, httpx.TransportError)


def test_no_row_is_hidden_by_one_before_it() -> None:
    hidden = [(kind, earlier) for earlier, kind in combinations(FAILURES, 2) if issubclass(kind, earlier)]
    assert hidden == []


@pytest.mark.parametrize(("sent", "kind"), [(False, httpx.ConnectError), (True, httpx.ReadError)])
def test_a_failure_is_what_its_row_says_and_keeps_text_and_request(
    sent: bool, kind: type[httpx.TransportError]
) -> None:
    request = httpx.Request("GET", "http://acme.example/")
    error = translated(ConnectionResetError("by peer"), sent=sent, request=request)
    assert (type(error), str(error), error.request) == (kind, "by peer", request)


def test_a_failure_without_a_text_says_its_name() -> None:
    error = translated(aiohttp.ClientPayloadError(), sent=True, request=httpx.Request("GET", "http://acme.example/"))
    assert str(error) == "ClientPayloadError"
