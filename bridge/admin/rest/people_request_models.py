"""What programs ask with about people, and about what they are told."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from bridge.admin.people.announcement_templates import timed
from bridge.admin.people.drafts import template_of
from bridge.admin.rest.request_models import Flag, JsonBody, JsonId, PageLimit, QueryParameters, RowId, ShortText, whole
from bridge.admin.trials.dry_run import DryRun
from bridge.messages.catalog import Locale
from bridge.people.wants import Category
from bridge.store.base import State
from bridge.store.queries.people import PeopleFilter

LONGEST = 16_384  # characters of what is announced
AnnouncementText = Annotated[str, Field(max_length=LONGEST, pattern=r"^[^\x00]*$")]
HOURS = r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"
LENGTH = r"^([1-9][0-9]{0,4}m|[1-9][0-9]{0,3}h|([1-9]|[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])d)$"


class PeopleAsked(QueryParameters):
    q: ShortText | None = Field(None, description="how their names begin: ali, or user:ali")
    which: PeopleFilter = Field(PeopleFilter.ALL, description="all, who has linked a chat, or who wants nothing")
    limit: PageLimit = Field(50, description="how many")
    after: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")] | None = Field(
        None, description="those behind this key: `next` of the page before"
    )


class OnlyDryRun(QueryParameters):
    dry_run: Flag = Field(False, description="say what would be, and change nothing")


class ForgetAsked(OnlyDryRun):
    mentions: Flag = Field(False, description="also events of others that name them")


class ToWant(JsonBody):
    """What somebody is to be told; what is not named stays, null takes back what was said."""

    reminders: bool | None = Field(None, description="that time or traffic runs out")
    status: bool | None = Field(None, description="that it is over, renewed, blocked; a new device")
    news: bool | None = Field(None, description="announcements, and what rows of that category tell")
    locale: Locale | None = Field(None, description="their language")
    zone: ShortText | None = Field(None, description="their time zone, as Asia/Tehran")
    quiet: Annotated[str, Field(pattern=HOURS)] | None = Field(
        None, description="hours in which nothing is told, as 23:00-08:00"
    )


class ToGive(JsonBody):
    expire: Annotated[str, Field(pattern=LENGTH)] | None = Field(
        None, description="how long it can be used: 90m, 12h, 2d; else as the file says"
    )


class WordsIn(JsonBody):
    """Words in each language; `{{ me.name }}` is their name, and no other sign means anything."""

    en: AnnouncementText = ""
    fa: AnnouncementText = ""
    ru: AnnouncementText = ""


class ToAnnounce(JsonBody):
    """Whom to tell, and by what."""

    to: tuple[ShortText, ...] = Field(
        min_length=1,
        max_length=100,
        examples=[["all"]],
        description="all, user:NAME, owner:NAME, realm:NAME or source:NAME",
    )
    realm: ShortText | None = Field(None, description="whose users and owners these are, where there are several")
    sink: ShortText = Field(examples=["dm"], description="by which customers are told")
    category: Category = Field("news", description="what of they may have switched off")
    critical: bool = Field(False, description="pass quiet hours and max_per_day")


class InWords(ToAnnounce):
    """To tell somebody these words."""

    words: WordsIn = Field(examples=[{"en": "Soon, {{ me.name }}"}], description="what they are told")

    def said(self, ready: DryRun) -> str:
        """The template of it."""
        return template_of(self.words.model_dump())


class ByTemplate(ToAnnounce):
    """To tell somebody what a template over `me` says, as the command takes it."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"^[^\x00]*$")] = Field(
        examples=["{% block en %}Soon{% endblock %}"], description="the template"
    )

    def said(self, ready: DryRun) -> str:
        return self.text


class ByName(ToAnnounce):
    """To tell somebody what a template of that name says: one of `announcements/` in the file's templates, or a shipped
    one.
    """

    template: ShortText = Field(examples=["maintenance"], description="its name")
    start: ShortText | None = Field(
        None, examples=["2026-12-01 02:00"], description="the time that it speaks of, in the file's zone"
    )
    end: ShortText | None = Field(None, examples=["02:30"], description="the other time, of the same day or the next")

    def said(self, ready: DryRun) -> str:
        return timed(ready.folders, ready.zone, self.template, start=self.start or "", end=self.end or "")


class ConfirmedCount(JsonBody):
    """What was counted before."""

    count: JsonId = Field(
        examples=[2], description="how many it reaches, as counting it said; another number is refused"
    )
    again: bool = Field(False, description="also where the very same was announced within the hour")


class CountedInWords(ConfirmedCount, InWords):
    """The same, once it was counted."""


class CountedByTemplate(ConfirmedCount, ByTemplate):
    """The same, once it was counted."""


class ToRetry(JsonBody):
    """Which of those who may have got it; all where nothing is said."""

    deliveries: tuple[JsonId, ...] | None = Field(
        None, min_length=1, max_length=1000, examples=[[17]], description="the numbers of these deliveries alone"
    )


class CountedByName(ConfirmedCount, ByName):
    """The same, once it was counted."""


class AnnouncementsAsked(QueryParameters):
    limit: Annotated[int, Field(ge=1, le=50), BeforeValidator(whole)] = Field(20, description="how many")
    before: RowId | None = Field(None, description="those before this one: `next` of the page before")


class AnnouncedAsked(QueryParameters):
    state: tuple[State, ...] = Field((), description="how it stands with them")
    uncertain: Flag = Field(False, description="only who may have got it, when the bridge was killed")
    limit: PageLimit = Field(50, description="how many")
    after: RowId | None = Field(None, description="those behind this delivery: `next` of the page before")
