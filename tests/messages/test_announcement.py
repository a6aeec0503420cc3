"""What is announced is told as anything else that customers are told: with all that a service has around the words."""

from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.delivery.attempt import Customer, customer_message
from bridge.markup.service import Service, ServiceLook
from bridge.message import Message
from bridge.messages.catalog import RIGHT_TO_LEFT
from bridge.messages.customer import CUSTOMERS, WORDS
from bridge.messages.renderer import Renderer
from bridge.people.announcement import announcement
from bridge.sinks.email.letter import read_letter
from bridge.sinks.email.service import EMAIL
from bridge.sinks.telegram.service import TELEGRAM
from tests.fakes import START
from tests.messages.test_customer import EACH, ON_EACH
from tests.services.email import body_of, parsed_letter
from tests.sinks.values import a_sink

UTC, LINK = ZoneInfo("UTC"), "https://bridge.example.com/stop/a"
SAID = {
    "en": "Tonight from 2 to 3 it may be interrupted, alice. " * 3,
    "fa": "امشب از ساعت ۲ تا ۳ ممکن است قطع شود. " * 3,
    "ru": "Сегодня с 2 до 3 возможны перерывы. " * 3,
}
TEXT = "".join(f"{{% block {locale} %}}{said}{{% endblock %}}" for locale, said in SAID.items())


def announced(service: Service, locale: str, *folders: Path, several: bool = False) -> tuple[Message, str | None]:
    renderer = Renderer(folders=folders, timezone=UTC, locale="en")
    customer = Customer(UTC, locale, several=several, stop=LINK)
    return customer_message(announcement("alice", TEXT, START), ServiceLook(service), renderer, customer, at=START)


@EACH
@ON_EACH
def test_it_has_every_block_of_a_message_to_a_customer(service: Service, locale: str) -> None:
    message, fault = announced(service, locale)
    assert fault is None
    assert set(message.blocks) == set(service.blocks)
    assert message[WORDS].strip("\u200f ") == SAID[locale].strip()


@EACH
def test_a_letter_says_all_of_it_and_how_there_are_to_be_no_more(locale: str) -> None:
    message, _ = announced(EMAIL, locale)
    sink = a_sink(type="email", server="smtp.example.com", **{"from": "vpn@example.com", "to": "alice@example.com"})
    letter = parsed_letter(read_letter(sink.build(message).body).mime())
    said = body_of(letter)
    words, direction = SAID[locale].strip(), "rtl" if locale in RIGHT_TO_LEFT else "ltr"
    for part in (said["text"], said["html"]):
        assert words in part
        assert LINK in part
        assert "announcement" not in part
    assert f'lang="{locale}" dir="{direction}"' in said["html"]
    assert words.startswith(said["subject"].strip("\u200f…"))
    assert letter["List-Unsubscribe"] == f"<{LINK}>"


@EACH
def test_where_others_are_told_too_it_begins_with_the_name(locale: str) -> None:
    alone, among = (announced(TELEGRAM, locale, several=several)[0][WORDS].strip("\u200f") for several in (False, True))
    assert among.replace("\u2068", "", 1).replace("\u2069", "", 1) == f"alice: {alone}"


@EACH
def test_a_fault_in_what_the_operator_has_around_the_words_costs_nobody_the_words(tmp_path: Path, locale: str) -> None:
    (tmp_path / "email" / CUSTOMERS).mkdir(parents=True)
    (tmp_path / "email" / CUSTOMERS / f"{locale}.j2").write_text("{% block footer %}{{ 1 / 0 }}{% endblock %}")
    message, fault = announced(EMAIL, locale, tmp_path)
    assert fault is not None
    assert "ZeroDivisionError" in fault
    assert message[WORDS].strip("\u200f ") == SAID[locale].strip()
    assert LINK in message["footer"]
