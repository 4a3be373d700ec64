"""`--on-behalf-of`, `check` and warnings: the commands where our credential can speak for others, or is used up."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest

from adapters.selfcommunity.simulator import SECRET
from adapters.simulation.faults import Fault
from tests.cli.served import Run, Served
from tests.gateways import KEY

OAUTH = 'mode = "oauth2", client_id = "demo", client_secret_file = "secret"'
FORM = {
    "grant_type": "password",
    "client_id": "demo",
    "client_secret": SECRET,
    "username": "demo",
    "password": "demo",
}


@pytest.fixture
def named(tmp_path: Path, pod: Served, community: Served) -> str:
    """`acme` and `club` name viewers, `own` does not."""
    (tmp_path / "acme.pem").write_text(KEY)
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "token").write_text("demo")
    for file in tmp_path.iterdir():
        file.chmod(0o600)
    file = tmp_path / "gateway.toml"
    file.write_text(f"""
        [[callers]]
        name = "web"
        key_sha256 = "{"0" * 64}"
        [platforms.acme]
        adapter = "symphony"
        base_url = "{pod.url}"
        credentials = {{ mode = "obo", app_id = "app", private_key_file = "acme.pem" }}
        [platforms.club]
        adapter = "selfcommunity"
        base_url = "{community.url}"
        credentials = {{ mode = "jwt", secret_file = "secret" }}
        [platforms.own]
        adapter = "selfcommunity"
        base_url = "{community.url}"
        credentials = {{ mode = "token", token_file = "token" }}
    """)
    return str(file)


def test_check_needs_no_viewer(run: Run, named: str) -> None:
    result = run("check", "--config", named)
    assert result.output.splitlines() == [
        "configuration: ok",
        "acme (symphony/obo): ok: it takes us for app; callers name the viewer",
        "club (selfcommunity/jwt): ok: it answers; our credential shows only with a viewer: try a lookup with --on-behalf-of",
        "own (selfcommunity/token): ok: it takes us for demo",
    ]
    assert result.exit_code == 0


def test_check_finds_an_app_that_is_refused(run: Run, named: str, pod: Served) -> None:
    pod.simulator.misbehave(Fault(path="/app/authenticate", status=401))
    result = run("check", "--config", named)
    assert "acme (symphony/obo): platform-credential-refused: the pod refused the login" in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize("platform", ["acme", "club"])
@pytest.mark.parametrize("form", ["{}", "{platform}={}"])
def test_lookup_and_act_on_behalf(run: Run, named: str, platform: str, form: str) -> None:
    whom = ["--config", named, "--on-behalf-of", form.format(103, platform=platform)]
    assert msgspec.json.decode(run("lookup", *whom, platform, "1").stdout)["status"] == "pending_incoming"
    assert msgspec.json.decode(run("act", *whom, platform, "1", "accept").stdout)["status"] == "connected"


def test_list_on_behalf(run: Run, named: str) -> None:
    result = run(
        "list",
        "--config",
        named,
        "--status",
        "all",
        "--platform",
        "acme",
        "--platform",
        "club",
        "--on-behalf-of",
        "acme=103,club=102",
    )
    found = [msgspec.json.decode(line) for line in result.stdout.splitlines()]
    assert [(each["platform"], each["status"]) for each in found] == [
        ("acme", "pending_incoming"),
        ("club", "pending_outgoing"),
    ]


def test_a_viewer_without_a_platform_is_for_the_only_one_that_names_viewers(run: Run, named: str) -> None:
    words = ("--platform", "acme", "--platform", "own", "--status", "connected", "--on-behalf-of", "101")
    result = run("list", "--config", named, *words)
    found = [msgspec.json.decode(line) for line in result.stdout.splitlines()]
    assert {(each["platform"], each["user_id"]) for each in found if each["platform"] != "own"} == {("acme", "1")}
    assert len(found) == 1 + 1001


def test_a_viewer_without_a_platform_is_not_for_two(run: Run, named: str) -> None:
    """The same number is another person on another platform."""
    result = run("list", "--config", named, "--on-behalf-of", "101")
    text = "--on-behalf-of: acme and club would take it: name each, as acme=USER_ID"
    assert (result.exit_code, result.stderr) == (2, f"connection-gateway: {text}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lookup", "acme", "1"], "platform acme: --on-behalf-of: expected the user as whom this platform is asked"),
        (["lookup", "acme", "1", "--on-behalf-of", "club=1"], "platform acme: --on-behalf-of: expected the user"),
        (["lookup", "acme", "1", "--on-behalf-of", "x"], "--on-behalf-of: expected a user id"),
        (["lookup", "acme", "1", "--on-behalf-of", "nowhere=1"], "--on-behalf-of: part 1: expected PLATFORM=USER_ID"),
        (["lookup", "own", "1", "--on-behalf-of", "1"], "platform own: --on-behalf-of: this platform is not asked"),
        (
            ["lookup", "own", "1", "--on-behalf-of", "own=1"],
            "platform own: --on-behalf-of: this platform is not asked",
        ),
        (["act", "club", "1", "accept"], "platform club: --on-behalf-of: expected the user"),
        (["list"], "platform acme: --on-behalf-of: expected the user"),
        (
            ["list", "--on-behalf-of", "acme=1,club=1,own=1"],
            "platform own: --on-behalf-of: this platform is not asked",
        ),
    ],
)
def test_what_is_wrong_is_one_line(run: Run, named: str, words: list[str], said: str) -> None:
    result = run(*words, "--config", named)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"connection-gateway: {said}")
    assert result.stderr.count("\n") == 1


def test_a_file_that_everybody_can_read_is_told(run: Run, named: str, tmp_path: Path) -> None:
    (tmp_path / "secret").chmod(0o644)
    result = run("lookup", "--config", named, "own", "103")
    assert result.exit_code == 0
    assert result.stderr == (
        "connection-gateway: warning: platforms.club.credentials.secret_file: everybody on this machine can read it\n"
    )
    assert run("wait", "--config", named, "--timeout", "0").stderr.startswith("connection-gateway: not ready")


def refresh_token(community: Served) -> str:
    return str(httpx.post(f"{community.url}/oauth/token/", data=FORM).json()["refresh_token"])


def test_check_writes_back_the_refresh_token_that_it_gets(
    run: Run, named: str, tmp_path: Path, community: Served
) -> None:
    kept = tmp_path / "refresh"
    kept.write_text(refresh_token(community))
    kept.chmod(0o600)
    text = Path(named).read_text()
    Path(named).write_text(
        text.replace('mode = "token", token_file = "token"', f'{OAUTH}, refresh_token_file = "refresh"')
    )
    seen = {kept.read_text()}
    for _ in range(3):
        assert "own (selfcommunity/oauth2): ok: it takes us for demo" in run("check", "--config", named).output
        seen.add(kept.read_text())
    assert len(seen) == 4


def test_check_uses_up_no_refresh_token_that_it_can_not_write_back(run: Run, named: str, community: Served) -> None:
    token = refresh_token(community)
    text = Path(named).read_text()
    Path(named).write_text(text.replace('mode = "token", token_file = "token"', OAUTH))
    environ = {"GATEWAY_PLATFORMS__OWN__CREDENTIALS__REFRESH_TOKEN": token}
    for _ in range(2):
        result = run("check", "--config", named, **environ)
        assert "own (selfcommunity/oauth2): ok: it answers; our credential was not tried" in result.stdout
        assert "refresh_token: can't be replaced there" in result.stderr
    for words in (["lookup", "own", "103"], ["act", "own", "102", "accept"], ["list", "--platform", "own"]):
        result = run(*words, "--config", named, **environ)
        assert result.exit_code == 2
        assert "platform own: to ask would use up its refresh token for good" in result.stderr
    assert community.simulator.calls.by_path.get("POST /oauth/token/") == 1, "the test's own"
    assert token not in result.output
