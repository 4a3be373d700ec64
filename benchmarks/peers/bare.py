"""The least that a Starlette route can do: the same bytes for everybody. What a cached lookup is measured against."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BODY = (
    b'{"platform":"acme","user_id":"769658112378","status":"pending_outgoing","native_status":"PENDING_OUTGOING",'
    b'"actions":[],"first_requested_at":"2016-08-01T02:21:13.812Z","updated_at":"2016-08-12T16:07:56.255Z",'
    b'"request_count":1,"as_of":"2026-11-21T21:41:00.123Z","stale":false}'
)


async def constant(_request: Request) -> Response:
    return Response(BODY, media_type="application/json")


app = Starlette(routes=[Route("/v1/connections/{platform}/{user_id}", constant)])
