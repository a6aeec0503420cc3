"""What is read out of a pasted link: the one thing in it that only a customer has."""

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.people.pasted import LONGEST, proofs_in
from bridge.people.proof import MOST, ProofKind

UUID, PASSWORD, TOKEN = "b52e0610-3b41-4f80-94da-8ac07eda9651", "Wo+TyPVh0n/gCxc_rU@Kcw==", "aBcD3fGh1jKl"
VMESS = f'{{"add": "127.0.0.1", "id": "{UUID}", "ps": "🚀 Marz", "port": 8080, "v": "2"}}'


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def base64_of_urls(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("link", "kind", "value"),
    [
        (f"https://sub.example.com/{TOKEN}", "sub", TOKEN),
        (f"http://sub.example.com:8080/api/sub/{TOKEN}/singbox?x=1#alice", "sub", TOKEN),
        (f"https://sub.example.com/sub/alice/{TOKEN}/", "sub", TOKEN),
        (f"HTTPS://sub.example.com/{TOKEN}", "sub", TOKEN),
        (f"vless://{UUID}@127.0.0.1:443?security=reality&path=/@x#%F0%9F%9A%80", "id", UUID),
        (f"vless://{UUID}@[::1]:443/?x#🚀 Marz (alice) [VLESS - tcp]", "id", UUID),
        (f"trojan://{quote(PASSWORD, safe='')}@127.0.0.1:2083?security=none#a", "id", PASSWORD),
        (f"hysteria2://{quote(PASSWORD, safe='')}@127.0.0.1:2083/?sni=a", "id", PASSWORD),
        (f"hy2://{TOKEN}@127.0.0.1:2083", "id", TOKEN),
        (f"vmess://{base64(VMESS)}", "id", UUID),
        (f"vmess://{base64_of_urls(VMESS)}#alice", "id", UUID),
        (f"vmess://{UUID}@127.0.0.1:443?type=ws", "id", UUID),
        (f"ss://{base64('chacha20-ietf-poly1305:' + PASSWORD)}@127.0.0.1:1080#a", "id", PASSWORD),
        (f"ss://{base64_of_urls('chacha20-ietf-poly1305:' + PASSWORD)}@127.0.0.1:1080/?plugin=x", "id", PASSWORD),
        (f"ss://{quote('aes-256-gcm:' + PASSWORD, safe='')}@127.0.0.1:1080", "id", PASSWORD),
        (f"ss://{base64(f'aes-256-gcm:{TOKEN}@127.0.0.1:1080')}#a", "id", TOKEN),
        (f"ss://{base64(f'2022-blake3-aes-128-gcm:{UUID}:{TOKEN}')}@127.0.0.1:1080", "id", TOKEN),
    ],
)
@pytest.mark.parametrize("around", ["{}", "  {}\n", "my link: {}", "<{}>", "`{}`"])
def test_a_link_shows_what_only_the_customer_has(link: str, kind: str, value: str, around: str) -> None:
    assert (kind, value) in [(one.kind, one.value) for one in proofs_in(around.format(link))]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "hello",
            UUID,
            TOKEN,
            "alice",
            f"sub.example.com/{TOKEN}",
            "https://",
            "https://sub.example.com",
            "vless://",
        ),
        *(
            "https://sub.example.com/sub/alice",
            "vless://1234@127.0.0.1:443",
            "vmess://e30=",
            "vmess://%%%",
            "ss://:@",
            "ss://",
        ),
        *(
            f"tg://resolve?domain={TOKEN}",
            f"wireguard://{TOKEN}@127.0.0.1:51820",
            f"javascript://{TOKEN}@x",
            f"vless://{TOKEN}",
        ),
        f"https://sub.example.com/?token={TOKEN}",
        f"https://a.example.com/{TOKEN} https://b.example.com/{TOKEN}",
        f"vless://{UUID}@127.0.0.1:443\ntrojan://{TOKEN}@127.0.0.1:443",
        f"https://sub.example.com/{TOKEN}" + "#" * LONGEST,
        " " * LONGEST + f"https://sub.example.com/{TOKEN}",
    ],
)
def test_what_is_no_link_or_several_or_no_secret_shows_nothing(text: str) -> None:
    assert proofs_in(text) == ()


PIECES = st.sampled_from(
    ["https://", "vmess://", "ss://", "vless://", "@", "/", "?", "#", "%", "=", "\ud800", UUID, TOKEN, " ", "[" * 500]
)


@given(st.one_of(st.text(max_size=200), st.lists(st.one_of(PIECES, st.text(max_size=9)), max_size=12).map("".join)))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    found = proofs_in(text)
    assert len(found) <= MOST
    assert {one.kind for one in found} <= set(ProofKind)


@given(st.binary(max_size=300))
def test_no_base64_is_too_odd_to_be_read(body: bytes) -> None:
    for scheme in ("vmess", "ss"):
        proofs_in(f"{scheme}://{b64encode(body).decode()}")
