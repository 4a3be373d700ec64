"""Who asks, and as whom: which headers say so, and which of them a call takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from adapters.contract import Adapter
from gateway.auth.callers import KEY_HEADER
from gateway.auth.viewers import NAMING_HEADER
from gateway.openapi.operation import Operation

CALLER: Final = "callerKey"
NAMED: Final = "`acme=TOKEN, club=TOKEN`: names the platform of each token, and wins over a platform's own header."


class Security:
    """`kinds` are the kinds of platforms that are configured. `is_open`: there are no callers who need a key."""

    def __init__(self, kinds: Mapping[str, Adapter], *, is_open: bool) -> None:
        self._is_open = is_open
        self._tokens = dict(_tokens(kinds))

    @property
    def schemes(self) -> dict[str, Any]:
        who = "Who calls: a key, or a token that a caller's backend has signed."
        if not self._is_open:
            who += " Needed here."
        return {CALLER: _in_header(KEY_HEADER, who), **self._tokens}

    def of(self, operation: Operation) -> list[Mapping[str, list[str]]]:
        """Any one of these will do; which of the tokens is needed depends on the platform."""
        return list(self._of(operation))

    def _of(self, operation: Operation) -> Iterator[Mapping[str, list[str]]]:
        if not operation.needs_key:
            return
        keys: list[dict[str, list[str]]] = [{}, {CALLER: []}] if self._is_open else [{CALLER: []}]
        for key in keys:
            yield key
            if operation.sees:
                yield from ({**key, token: []} for token in self._tokens)


def _tokens(kinds: Mapping[str, Adapter]) -> Iterable[tuple[str, Any]]:
    for kind, each in kinds.items():
        what = f"The viewer's own token, for a platform of the kind `{kind}` with credentials `caller`."
        if not each.TOKEN_SCHEMES:
            yield f"{kind}Token", _in_header(each.TOKEN_HEADER, what)
        for place, scheme in enumerate(each.TOKEN_SCHEMES):
            name = f"{kind}{scheme if place else 'Token'}"
            yield name, {"type": "http", "scheme": scheme.lower(), "description": what}
    yield "platformToken", _in_header(NAMING_HEADER, NAMED)


def _in_header(name: str, what: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": name, "description": what}
