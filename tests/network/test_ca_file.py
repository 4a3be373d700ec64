"""`ca_file`: who is trusted, and by whom."""

from __future__ import annotations

import pytest

from adapters.contract import Unreachable
from adapters.simulation import Simulator
from gateway.config.converter import from_tables
from gateway.config.settings import ConfigurationError
from tests.network.asking import BOT, NOWHERE, ask, assert_untrusted, lookup, wired
from tests.network.servers import over_tls
from tests.tls import Authority


async def test_a_platform_of_a_private_authority_is_answered_with_its_ca_file(
    pod: Simulator, authority: Authority
) -> None:
    async with over_tls(pod, authority) as url:
        assert await ask(BOT | {"base_url": url, "ca_file": str(authority.file)}) == "pending_outgoing"


async def test_without_a_ca_file_it_is_unreachable(pod: Simulator, authority: Authority) -> None:
    async with over_tls(pod, authority) as url, wired(acme=BOT | {"base_url": url}) as platforms:
        await assert_untrusted(platforms["acme"])


async def test_with_the_ca_file_of_another_authority_it_is_unreachable(
    pod: Simulator, authority: Authority, another: Authority
) -> None:
    table = BOT | {"ca_file": str(another.file)}
    async with over_tls(pod, authority) as url, wired(acme=table | {"base_url": url}) as platforms:
        await assert_untrusted(platforms["acme"])


async def test_a_certificate_for_another_name_is_not_trusted(pod: Simulator, authority: Authority) -> None:
    table = BOT | {"ca_file": str(authority.file)}
    async with (
        over_tls(pod, authority) as url,
        wired(acme=table | {"base_url": url.replace("127.0.0.1", "localhost")}) as platforms,
    ):
        await assert_untrusted(platforms["acme"])


async def test_one_platforms_ca_file_is_not_anothers(pod: Simulator, authority: Authority) -> None:
    async with over_tls(pod, authority) as url:
        table = BOT | {"base_url": url}
        async with wired(acme=table | {"ca_file": str(authority.file)}, bank=table) as platforms:
            assert await lookup(platforms["acme"]) == "pending_outgoing"
            await assert_untrusted(platforms["bank"])


async def test_who_is_not_trusted_sees_no_credential(pod: Simulator, authority: Authority) -> None:
    async with over_tls(pod, authority) as url, wired(acme=BOT | {"base_url": url}) as platforms:
        with pytest.raises(Unreachable):
            await lookup(platforms["acme"])
    assert pod.calls.logins == 0


async def test_the_environment_says_whom_to_trust_where_the_configuration_does_not(
    pod: Simulator, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with over_tls(pod, authority) as url:
        assert await ask(BOT | {"base_url": url}) == "pending_outgoing"


async def test_a_ca_file_is_trusted_instead_of_the_environments(
    pod: Simulator, authority: Authority, another: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    table = BOT | {"ca_file": str(another.file)}
    async with over_tls(pod, authority) as url, wired(acme=table | {"base_url": url}) as platforms:
        await assert_untrusted(platforms["acme"])


async def test_a_ca_file_may_have_a_byte_order_mark_and_comments(pod: Simulator, authority: Authority) -> None:
    certificates = authority.file.read_text()
    authority.file.write_text(f"\ufeff{certificates}# Türktrust\r\n")
    async with over_tls(pod, authority) as url:
        assert await ask(BOT | {"base_url": url, "ca_file": str(authority.file)}) == "pending_outgoing"


@pytest.mark.parametrize("text", ["", "\ufeff", "ü", " \n", "-----BEGIN CERTIFICATE-----\n"])
def test_a_ca_file_without_certificates_is_refused(authority: Authority, text: str) -> None:
    """Python trusts the system's authorities where it is given none."""
    authority.file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"^platforms\.acme\.ca_file: .*: expected a file with certificates"):
        from_tables({"platforms": {"acme": BOT | {"base_url": f"https://{NOWHERE}", "ca_file": str(authority.file)}}})
