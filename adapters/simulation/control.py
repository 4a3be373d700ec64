"""The calls under `/_simulator/`: set what is, set what goes wrong, read what was asked."""

from __future__ import annotations

from typing import Final, Protocol, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.simulation.calls import Calls
from adapters.simulation.faults import Fault
from adapters.user_ids import UserIds, UserKey

T = TypeVar("T")
PREFIX: Final = "/_simulator/"


class Controlled(Protocol):
    """What can be controlled: the simulator of a platform."""

    @property
    def platform(self) -> ControlledPlatform: ...

    @property
    def calls(self) -> Calls: ...

    def misbehave(self, *faults: Fault) -> None: ...


class ControlledPlatform(Protocol):
    @property
    def switches(self) -> dict[str, bool]: ...

    @property
    def user_ids(self) -> UserIds: ...

    def set_connection(self, viewer: UserKey, user: UserKey, status: str | None) -> None: ...


class _Side(msgspec.Struct, forbid_unknown_fields=True):
    status: str | None


_SIDE: Final = msgspec.json.Decoder(_Side)
_FAULTS: Final = msgspec.json.Decoder(Fault | list[Fault])
_SWITCHES: Final = msgspec.json.Decoder(dict[str, bool])


def routes(simulator: Controlled) -> list[Route]:
    async def put_connection(request: Request) -> Response:
        side = await _decode(request, _SIDE)
        try:
            viewer, user = (
                simulator.platform.user_ids.parse(request.path_params[each]) for each in ("viewer", "user")
            )
            simulator.platform.set_connection(viewer, user, side.status)
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        return Response(status_code=204)

    async def put_faults(request: Request) -> Response:
        faults = await _decode(request, _FAULTS)
        simulator.misbehave(*([faults] if isinstance(faults, Fault) else faults))
        return Response(status_code=204)

    async def delete_faults(_request: Request) -> Response:
        simulator.misbehave()
        return Response(status_code=204)

    async def get_calls(_request: Request) -> Response:
        return Response(msgspec.json.encode(simulator.calls), media_type="application/json")

    async def delete_calls(_request: Request) -> Response:
        simulator.calls.reset()
        return Response(status_code=204)

    async def get_switches(_request: Request) -> Response:
        return Response(msgspec.json.encode(simulator.platform.switches), media_type="application/json")

    async def put_switches(request: Request) -> Response:
        switches = await _decode(request, _SWITCHES)
        if unknown := switches.keys() - simulator.platform.switches.keys():
            raise HTTPException(400, f"unknown: {', '.join(sorted(unknown))}")
        simulator.platform.switches.update(switches)
        return Response(status_code=204)

    return [
        Route(f"{PREFIX}connections/{{viewer}}/{{user}}", put_connection, methods=["PUT"]),
        Route(f"{PREFIX}faults", put_faults, methods=["PUT"]),
        Route(f"{PREFIX}faults", delete_faults, methods=["DELETE"]),
        Route(f"{PREFIX}calls", get_calls, methods=["GET"]),
        Route(f"{PREFIX}calls", delete_calls, methods=["DELETE"]),
        Route(f"{PREFIX}switches", get_switches, methods=["GET"]),
        Route(f"{PREFIX}switches", put_switches, methods=["PUT"]),
    ]


async def _decode(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(await request.body())
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise HTTPException(400, str(error)) from error
