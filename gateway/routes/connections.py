"""`GET /v1/connections/{platform}/{user_id}`: the endpoint that everything else serves."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from gateway.call import Call
from gateway.routes import inputs
from gateway.routes.answers import reads
from gateway.routes.endpoint import Endpoint


def routes(identities: Iterable[str], request_timeout: float) -> list[Endpoint]:
    answer = reads(identities)

    async def lookup(request: Request) -> Response:
        call = Call.of(request)
        access = call.access
        access.action = "lookup"
        platform = inputs.platform(request, call)
        user_id = inputs.user_id(request, access)
        inputs.only_query(request, "explain")
        access.explains = inputs.flag(request, "explain")
        deadline, since = inputs.deadline(access, request_timeout), inputs.since(access)
        viewer = call.reader(platform.name)
        if not access.explains:
            reading = await platform.lookups.one(viewer, user_id, deadline, since)
            return answer(reading.body, reading.age, reading.source)
        access.account = account = platform.account(viewer, access.received_at)
        reading = await platform.lookups.one(viewer, user_id, deadline, since, account)
        told = msgspec.json.encode(account.explanation(reading))
        return answer(b'%b,"explain":%b}' % (reading.body[:-1], told), reading.age, reading.source)

    return [Endpoint("/v1/connections/{platform}/{user_id}", lookup, at_once=True)]
