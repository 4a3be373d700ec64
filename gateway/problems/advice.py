"""What each problem means, and what to do about it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources

import msgspec

from gateway.problems.problem import Kind


class Advice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sentences, in which `code` stands between backticks."""

    meaning: str
    caller: str
    """what the program that asked can do, or whoever writes it"""
    operator: str
    """what whoever runs the gateway can do"""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            msgspec.structs.force_setattr(self, name, " ".join(getattr(self, name).split()))


@functools.cache
def advice() -> Mapping[Kind, Advice]:
    """For every kind of problem, from `advice.toml`: few processes are ever asked, so it is read when one is."""
    text = resources.files("gateway.problems").joinpath("advice.toml").read_bytes()
    found = msgspec.toml.decode(text, type=dict[str, Advice])
    return {kind: found[kind.slug] for kind in Kind}
