"""Tokens and sessions: who may look, who may act, and when that is over."""

import pytest

from bridge.admin.access.auth import AHEAD, IDLE, RENEWED_AFTER, SIGNED_OUT, Authenticator, Principal, Role
from bridge.admin.settings import AdminSettings
from tests.fakes import FakeClock

ACT, NEXT, LOOK = "act-0123456789abcdef", "next-0123456789abcdef", "look-0123456789abcdef"
SETTINGS = AdminSettings.model_validate({"token": [ACT, NEXT], "read_token": LOOK, "session": "12h"})


@pytest.fixture
def auth(clock: FakeClock) -> Authenticator:
    return Authenticator(SETTINGS, lambda: clock.now().timestamp())


def signed_in(auth: Authenticator, token: str = ACT) -> str:
    cookie = auth.sign_in(token)
    assert cookie is not None
    return cookie


@pytest.mark.parametrize(
    ("token", "role"),
    [
        (ACT, Role.ACT),
        (NEXT, Role.ACT),
        (LOOK, Role.LOOK),
        ("", None),
        (ACT[:-1], None),
        (f"{ACT} ", None),
        ("é" * 16, None),
        ("\udce9", None),
    ],
)
def test_a_token_gives_its_role_and_anything_else_none(auth: Authenticator, token: str, role: Role | None) -> None:
    assert auth.role_of(token) is role
    cookie = auth.sign_in(token)
    found = auth.session(cookie) if cookie is not None else None
    assert (found and found.role) is role


def test_a_session_of_one_role_does_not_become_that_of_another(auth: Authenticator) -> None:
    payload, stamp, _ = signed_in(auth, LOOK).rsplit(".", 2)
    *_, signature = signed_in(auth, ACT).rsplit(".", 2)
    assert auth.session(f"{payload}.{stamp}.{signature}") is None


@pytest.mark.parametrize("odd", ["", ".", "a.b.c", "x" * 5000, "é.é.é", "...", "\x00.1.a"])
def test_what_was_not_signed_is_no_session(auth: Authenticator, odd: str) -> None:
    assert auth.session(odd) is None


def test_a_session_that_was_tampered_with_is_none(auth: Authenticator) -> None:
    cookie = signed_in(auth)
    changed = [cookie[:at] + ("A" if cookie[at] != "A" else "B") + cookie[at + 1 :] for at in range(len(cookie) - 1)]
    assert [one for one in changed if auth.session(one) is not None] == []


def test_a_session_ends_when_nothing_was_asked_for_so_long(auth: Authenticator, clock: FakeClock) -> None:
    cookie = signed_in(auth)
    clock.step(IDLE)
    assert auth.session(cookie) is not None
    clock.step(1)
    assert auth.session(cookie) is None


def test_a_session_that_is_used_is_signed_anew_and_ends_all_the_same(auth: Authenticator, clock: FakeClock) -> None:
    cookie, renewed = signed_in(auth), 0
    began = clock.now()
    while (who := auth.session(cookie)) is not None:
        cookie, renewed = who.renew or cookie, renewed + (who.renew is not None)
        clock.step(RENEWED_AFTER + 1)
    assert renewed > 100
    assert SETTINGS.session < (clock.now() - began).total_seconds() <= SETTINGS.session + 2 * RENEWED_AFTER


def test_a_session_is_not_signed_anew_with_every_request(auth: Authenticator, clock: FakeClock) -> None:
    cookie = signed_in(auth)
    clock.step(RENEWED_AFTER)
    who = auth.session(cookie)
    assert who is not None
    assert who.renew is None


@pytest.mark.parametrize(("back", "holds"), [(AHEAD, True), (AHEAD + 1, False)])
def test_a_clock_that_was_set_back_a_little_ends_no_session(
    auth: Authenticator, clock: FakeClock, back: float, holds: bool
) -> None:
    cookie = signed_in(auth)
    clock.set_back(back)
    assert (auth.session(cookie) is not None) is holds


def test_a_session_ends_with_its_token_and_no_other(auth: Authenticator) -> None:
    old, new = signed_in(auth, ACT), signed_in(auth, NEXT)
    auth.configure(AdminSettings.model_validate({"token": NEXT}))
    assert auth.session(old) is None
    assert auth.session(new) is not None


def test_a_session_holds_on_another_replica(auth: Authenticator, clock: FakeClock) -> None:
    other = Authenticator(SETTINGS, lambda: clock.now().timestamp())
    who = other.session(signed_in(auth))
    assert who is not None
    assert other.is_form_token(who, auth.form_token(who))


def test_who_signs_out_is_out_also_with_the_cookie(auth: Authenticator, clock: FakeClock) -> None:
    cookie, other = signed_in(auth), signed_in(auth)
    clock.step(RENEWED_AFTER + 1)
    who = auth.session(cookie)
    assert who is not None
    auth.sign_out(who)
    assert [auth.session(one) for one in (cookie, who.renew or "")] == [None, None]
    assert auth.session(other) is not None


def test_what_is_remembered_of_signing_out_is_bounded(auth: Authenticator) -> None:
    last = None
    for _ in range(SIGNED_OUT + 50):
        last = auth.session(signed_in(auth))
        assert last is not None
        auth.sign_out(last)
    assert len(auth._signed_out) == SIGNED_OUT
    assert last is not None
    assert last.nonce in auth._signed_out


def test_a_form_of_one_session_is_none_of_another(auth: Authenticator) -> None:
    one, other = (auth.session(signed_in(auth)) for _ in range(2))
    assert one is not None
    assert other is not None
    assert auth.is_form_token(one, auth.form_token(one))
    assert not auth.is_form_token(other, auth.form_token(one))
    assert not auth.is_form_token(one, "\udcff")


def test_without_a_token_forms_are_those_of_this_process(clock: FakeClock) -> None:
    open_ones = [Authenticator(AdminSettings(), lambda: clock.now().timestamp()) for _ in range(2)]
    who = Principal(Role.ACT, "open")
    assert open_ones[0].is_form_token(who, open_ones[0].form_token(who))
    assert not open_ones[1].is_form_token(who, open_ones[0].form_token(who))


def test_no_token_and_no_key_is_in_a_cookie_or_a_form(auth: Authenticator) -> None:
    cookie = signed_in(auth)
    who = auth.session(cookie)
    assert who is not None
    assert ACT not in cookie + auth.form_token(who) + repr(who) + repr(auth) + repr(SETTINGS)
