"""The tokens of the widget: read back, bound, expiring, and nobody else's."""

import base64

import pytest

from assistant.web.tokens import TokenExpired, TokenInvalid, Tokens

ORIGIN = "https://www.ngo.example"
OLD, NEW = "o" * 32, "n" * 32


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_token_says_what_it_was_made_for() -> None:
    clock = Clock()
    tokens = Tokens([NEW], lifetime=900, clock=clock)
    claims = tokens.read(tokens.issue("pub_a", ORIGIN, "talk"))
    assert (claims.site, claims.origin, claims.conversation) == ("pub_a", ORIGIN, "talk")
    assert claims.expires == 1_000_900


def test_each_frame_begins_a_conversation_of_its_own() -> None:
    tokens = Tokens()
    names = {tokens.read(tokens.issue("pub_a", ORIGIN)).conversation for _ in range(100)}
    assert len(names) == 100
    assert "" not in names


def test_a_token_ends_and_can_be_renewed_for_a_while() -> None:
    clock = Clock()
    tokens = Tokens([NEW], lifetime=900, clock=clock)
    token = tokens.issue("pub_a", ORIGIN, "talk")
    clock.now += 900
    assert tokens.read(token).site == "pub_a"
    clock.now += 1
    with pytest.raises(TokenExpired):
        tokens.read(token)
    assert tokens.read(token, expired_by=3600).conversation == "talk"
    clock.now += 3600
    with pytest.raises(TokenExpired):
        tokens.read(token, expired_by=3600)


def test_any_change_of_a_character_makes_it_invalid() -> None:
    tokens = Tokens([NEW])
    token = tokens.issue("pub_a", ORIGIN)
    for at, character in enumerate(token):
        if at == len(token) - 1:
            continue  # The last one of base64 has bits that stand for nothing.
        other = "A" if character != "A" else "B"
        with pytest.raises(TokenInvalid):
            tokens.read(token[:at] + other + token[at + 1 :])


def test_claims_of_ones_own_need_our_signature() -> None:
    tokens = Tokens([NEW])
    signature = tokens.issue("pub_a", ORIGIN, "talk").rsplit(".", 1)[1]
    forged = b'["pub_b","https://evil.example","talk",99999999999]'
    payload = base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
    with pytest.raises(TokenInvalid):
        tokens.read(f"{payload}.{signature}")


@pytest.mark.parametrize(
    "token", ["", ".", "a.b", "null", "é.é", "\udcff", "A" * 100_000, ".eJw.x", "\x00"]
)
def test_what_is_no_token_is_invalid(token: str) -> None:
    with pytest.raises(TokenInvalid):
        Tokens([NEW]).read(token)


def test_keys_are_changed_without_ending_what_is_open() -> None:
    token = Tokens([OLD]).issue("pub_a", ORIGIN)
    assert Tokens([NEW, OLD]).read(token).site == "pub_a"
    with pytest.raises(TokenInvalid):
        Tokens([NEW]).read(token)
    # The first key signs.
    assert Tokens([NEW]).read(Tokens([NEW, OLD]).issue("pub_a", ORIGIN)).site == "pub_a"


def test_without_a_key_each_process_takes_its_own() -> None:
    with pytest.raises(TokenInvalid):
        Tokens().read(Tokens().issue("pub_a", ORIGIN))
