"""The table of failures: nothing that aiohttp raises is missing from it, and it says what left."""

from __future__ import annotations

import inspect
from types import ModuleType

import aiohttp
import httpx
import pytest
from aiohttp import client_exceptions, http_exceptions

from adapters.call import BEFORE_IT_LEFT
from gateway.transports.failures import FAILURES, Row, translated

REQUEST = httpx.Request("GET", "http://acme.example/")


def errors_of(module: ModuleType) -> set[type[Exception]]:
    return {
        each
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Exception) and not issubclass(each, Warning) and each.__module__.startswith("aiohttp")
    }


OF_A_SERVER = errors_of(aiohttp) & {aiohttp.web_exceptions.HTTPException} if hasattr(aiohttp, "web_exceptions") else set()
EXPORTED = errors_of(aiohttp) | errors_of(client_exceptions) | errors_of(http_exceptions)
