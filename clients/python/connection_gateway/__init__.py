"""Client of the connection gateway: where two users stand with each other, on any platform."""

from connection_gateway.async_gateway import AsyncGateway
from connection_gateway.errors import GatewayError, GatewayUnreachable, IncompleteList, UnexpectedAnswer
from connection_gateway.models import Action, Connection, Platform, Status
from connection_gateway.problems import Problem
from connection_gateway.sync_gateway import Gateway

__all__ = [
    "Action",
    "AsyncGateway",
    "Connection",
    "Gateway",
    "GatewayError",
    "GatewayUnreachable",
    "IncompleteList",
    "Platform",
    "Problem",
    "Status",
    "UnexpectedAnswer",
]
