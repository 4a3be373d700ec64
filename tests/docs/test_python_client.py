"""A client for Python that openapi-python-client makes of the document: it reads connections and problems, typed."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from click.testing import CliRunner

from gateway.cli.commands import main
from tests.docs.served import demo

READ = """
import sys
from generated import Client
from generated.api.connections import act_on_connection, get_connection, lookup_connections
from generated.models import Action, ExplainedConnection, Problem404, Problem409, Status, Found, LookupRequest, Target
from generated.models.problem_404_type import Problem404Type

client = Client(base_url=sys.argv[1])
found = get_connection.sync("symphony", "102", client=client)
assert isinstance(found, ExplainedConnection), found
assert found.status is Status.PENDING_INCOMING
missing = get_connection.sync("community", "404404", client=client)
assert isinstance(missing, Problem404), missing
assert missing.type_ is Problem404Type.USER_NOT_FOUND
assert missing.retryable is False
refused = act_on_connection.sync("symphony", "104", Action.ACCEPT, client=client)
assert isinstance(refused, Problem409), refused
assert refused.connection.status is Status.REJECTED
many = lookup_connections.sync(client=client, body=LookupRequest(users=[Target(platform="symphony", user_id="101")]))
assert isinstance(many.results[0], Found), many
print(many.results[0].connection.status)
"""


async def run(*words: str | Path, cwd: Path) -> tuple[int, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=PIPE, stderr=STDOUT, cwd=cwd, env={**os.environ, "PATH": path}
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, printed.decode()


async def test_a_generated_client_is_generated_without_a_warning_and_reads_from_the_demo(
    tmp_path: Path, port: int
) -> None:
    document = tmp_path / "openapi.json"
    document.write_text(CliRunner().invoke(main, ["openapi"]).output)
    words = ("generate", "--path", document, "--meta", "none", "--output-path", tmp_path / "generated")
    code, printed = await run("-m", "openapi_python_client", *words, "--fail-on-warning", cwd=tmp_path)
    assert (code, printed.count("WARNING")) == (0, 0), printed
    (tmp_path / "read.py").write_text(READ)
    async with demo(port) as url:
        code, printed = await run("read.py", url, cwd=tmp_path)
    assert (code, printed) == (0, "connected\n"), printed
