"""What proves something, what proves nothing, and what stands for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.people.proof import HASH_BYTES, MOST, Proof, ProofKey, ProofKind, is_strong

KEY = ProofKey("a-key-of-thirty-two-signs-or-more")
SUB, ID = ProofKind.SUBSCRIPTION, ProofKind.CREDENTIAL
UUID = "b52e0610-3b41-4f80-94da-8ac07eda9651"


@pytest.mark.parametrize(
    "value",
    [
        UUID,
        "ce161c435a98551e80139e84505e5cbd",  # a key of Marzneshin
        "aBcD3fGh1jKl",  # a shortUuid of Remnawave
        "WoGTyPVh0n9gCxc_rUaKcw",  # a password of Marzban
        "4815926370482915",
    ],
)
def test_what_panels_make_by_chance_proves_something(value: str) -> None:
    assert is_strong(value)


@pytest.mark.parametrize(
    "value",
    [
        *("", "a1b2c3d4", "Ab3$Ef6&i", "481592637048", "qwertyuiop", "a" * 40, "ab" * 20, "aaaaaaaaaaaaaaaaaa1B"),
        *(
            "00000000-0000-0000-0000-000000000000",
            "aBcD3fGh1jKl " + UUID,
            "aBcD3fGh\n1jKl",
            "پیوند-اشتراک-آلیس",
            "\ud800" * 20,
        ),
        "aBcD3fGh1jKl" * 22,
    ],
)
def test_what_is_short_or_guessed_or_no_value_proves_nothing(value: str) -> None:
    assert not is_strong(value)
    assert KEY.hashes(["marzban"], [Proof(ID, value)]) == ()


@given(st.text(max_size=300))
def test_no_value_is_too_odd_to_be_judged(value: str) -> None:
    assert len(KEY.hashes(["marzban"], [Proof(ID, value)])) == is_strong(value)


def test_a_hash_is_of_one_realm_one_kind_one_value_and_one_key() -> None:
    other = ProofKey("another-key-of-thirty-two-signs-or-more")
    found = [
        *KEY.hashes(["marzban", "remnawave", 'marzban","sub'], [Proof(SUB, UUID), Proof(ID, UUID)]),
        *KEY.hashes(["marzban"], [Proof(ID, UUID.replace("9", "8"))]),
        *other.hashes(["marzban"], [Proof(ID, UUID)]),
    ]
    assert len(set(found)) == 8
    assert {len(bytes.fromhex(one)) for one in found} == {HASH_BYTES}


def test_it_is_the_same_after_a_restart_and_in_every_replica() -> None:
    assert ProofKey("a-key-of-thirty-two-signs-or-more").hashes(["marzban"], [Proof(ID, UUID)]) == KEY.hashes(
        ["marzban"], [Proof(ID, UUID)]
    )
    assert KEY.hashes(["marzban"], [Proof(ID, UUID)]) == ("d0441b5913de2b59a7b44f1c210c9cb7",)


def test_programs_may_write_an_id_in_capitals_and_a_token_is_another_one_then() -> None:
    assert KEY.hashes(["marzban"], [Proof(ID, UUID.upper())]) == KEY.hashes(["marzban"], [Proof(ID, UUID)])
    one, other = KEY.hashes(["marzban"], [Proof(SUB, "aBcD3fGh1jKl"), Proof(SUB, "abcd3fgh1jkl")])
    assert one != other


def test_so_many_are_kept_of_one_and_no_more() -> None:
    assert len(KEY.hashes(["marzban"], [Proof(ID, f"{UUID}-{one}") for one in range(3 * MOST)])) == MOST


def test_a_value_stands_in_no_text_of_ours() -> None:
    assert UUID not in f"{Proof(ID, UUID)!r} {Proof(ID, UUID)} {KEY!r} {vars(KEY)}"
