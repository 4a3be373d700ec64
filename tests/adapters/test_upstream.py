"""httpx's failures become the contract's errors, once and all of them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from adapters.contract import DeadlineExceeded, InvalidAnswer, Overloaded, PlatformError, Unreachable
from adapters.extensions import LocalShortage
from adapters.upstream import Base, Upstream

PLACES = [
    "http://pod.example/pod",
    "https://pod.example:8443/a/b/pod",
    "http://[::1]:9001/pod",
    "http://müller.example/x",
]
PATHS = ["/v1/connection/user/101/info", "/v1/connection/list?status=ALL&userIds=1,2,3", "/user/1/?", "/a?b=%20c?d"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_below_a_base_is_what_httpx_would_make_of_both(place: str, path: str, method: str) -> None:
    base = Base(place)
    request = base.get(path) if method == "GET" else base.acting("POST", path, 1, {"é": 1})
    json = None if method == "GET" else {"é": 1}
    expected = httpx.Request(method, place + path.rstrip("?"), headers={"Accept": "application/json"}, json=json)
    assert (request.url, str(request.url), request.url.raw_path) == (
        *(expected.url, str(expected.url)),
        expected.url.raw_path,
    )
    assert (request.method, request.headers.raw, request.content) == (method, expected.headers.raw, expected.content)


async def test_a_request_is_written_once_and_may_be_authorized_by_itself() -> None:
    """What all requests begin with is nobody's to change."""
    base = Base("http://pod.example/pod")
    base.get("/one").headers["sessionToken"] = "canary-7a"
    assert "sessionToken" not in base.get("/two").headers


def concrete(kind: type[Exception]) -> Iterator[type[Exception]]:
    subclasses = kind.__subclasses__()
    if not subclasses:
        yield kind
    for each in subclasses:
        yield from concrete(each)


FAILURES = sorted(concrete(httpx.RequestError), key=lambda kind: kind.__name__)
TIMEOUTS = {httpx.ConnectTimeout, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout}


@pytest.mark.parametrize("failure", FAILURES, ids=lambda kind: kind.__name__)
async def test_every_failure_of_httpx_is_one_of_the_contract(failure: type[httpx.RequestError]) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise failure("canary-1f")

    upstream = Upstream("acme", httpx.MockTransport(fail), timeout=1.0)
    with pytest.raises(PlatformError) as caught:
        await upstream.send(httpx.Request("GET", "http://acme.example/"))
    if failure in TIMEOUTS:
        expected: type[PlatformError] = DeadlineExceeded
    elif failure is LocalShortage:
        expected = Overloaded
    else:
        expected = InvalidAnswer if failure in {httpx.DecodingError, httpx.TooManyRedirects} else Unreachable
    assert type(caught.value) is expected
    assert isinstance(caught.value.__cause__, failure)
    assert "canary" not in str(caught.value)


async def test_what_is_no_failure_of_the_wire_is_not_taken_for_one() -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Upstream("acme", httpx.MockTransport(fail), timeout=1.0).send(
            httpx.Request("GET", "http://acme.example/")
        )
