"""Where panels are listened to: one address, or all of them in both families."""

import socket
from itertools import product
from pathlib import Path

import pytest

from bridge.config.endpoints import local_url
from bridge.errors import BridgeError
from bridge.listening import bound_socket, clash
from tests.config.files import loaded
from tests.processes import free_port

HAS_IPV6 = socket.has_dualstack_ipv6()
EVERYWHERE = [":0", "*:0", "[::]:0"]
HOSTS = ["", "*", "[::]", "0.0.0.0", "127.0.0.1", "127.0.0.2", "[::1]", "localhost"]


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=10).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("listen", EVERYWHERE)
def test_all_addresses_are_those_of_both_families(tmp_path: Path, listen: str) -> None:
    with bound_socket(loaded(tmp_path, f"listen: '{listen}'").config.listen) as listener:
        port = listener.getsockname()[1]
        assert answers("127.0.0.1", port)  # where the image's healthcheck asks
        assert answers("::1", port) or not HAS_IPV6


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "127.0.0.1:0"])
def test_an_address_of_ipv4_is_that_alone(tmp_path: Path, listen: str) -> None:
    with bound_socket(loaded(tmp_path, f"listen: '{listen}'").config.listen) as listener:
        port = listener.getsockname()[1]
        assert answers("127.0.0.1", port)
        assert not answers("::1", port)


@pytest.mark.skipif(not HAS_IPV6, reason="there is no IPv6 here")
@pytest.mark.parametrize("taken", ["127.0.0.1", "::"])
def test_a_port_that_is_taken_in_one_family_is_not_to_be_had(taken: str) -> None:
    family = socket.AF_INET6 if ":" in taken else socket.AF_INET
    with socket.create_server((taken, 0), family=family) as other:
        port = other.getsockname()[1]
        with pytest.raises(BridgeError, match=rf"listen: cannot listen on :{port}: "):
            bound_socket(f":{port}")


def are_both_given(one: str, other: str) -> bool:
    with bound_socket(one):
        try:
            bound_socket(other).close()
        except BridgeError:
            return False
    return True


@pytest.mark.skipif(not HAS_IPV6, reason="there is no IPv6 here")
def test_two_clash_where_the_system_does_not_give_both_of_them() -> None:
    port = free_port()
    for one, other in product([f"{host}:{port}" for host in HOSTS], repeat=2):
        assert clash(one, other) is not are_both_given(one, other), (one, other)


@pytest.mark.parametrize("listen", [*EVERYWHERE, "0.0.0.0:0", "127.0.0.1:0"])
def test_the_lines_to_paste_name_an_address_that_answers(listen: str) -> None:
    assert local_url(listen) == "http://127.0.0.1:0"
