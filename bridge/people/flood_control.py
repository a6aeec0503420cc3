"""How much of what strangers write is heeded: a little of each, less of who guesses. Pure: times are arguments."""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

from bridge.people.chat import BotAnswer, BotReply, ChatAction, ChatUpdate
from bridge.value import replace

BURST, EVERY = 5, 10.0  # so many at once of a chat, then one each so many seconds
WRONG, FORGIVEN = 5, 86400.0  # wrong tokens and proofs of a chat, and the seconds after which it may try again
GUESSES, WITHIN, PAUSE = 300, 3600.0, 600.0  # wrong ones of all chats within so many seconds stop proofs for others
CHATS = 4096  # that are remembered; whose last word is oldest is forgotten
#: What is heeded however much of it there is: it only ever makes us say less.
ALWAYS = (ChatAction.STOP, ChatAction.BLOCKED)
#: What says that a token or a proof was wrong; what is somebody else's is so for whoever has shown it.
GUESSED = (BotReply.EXPIRED, BotReply.UNKNOWN, BotReply.HAS_CHAT, BotReply.NO_PROOF)


@dataclass(slots=True)
class _ChatFlood:
    until: float = 0.0  # when what it said is made up for
    wrong: int = 0
    since: float = 0.0  # of its first wrong token or proof


class Floods:
    """What each chat has said lately."""

    def __init__(self) -> None:
        self._chats: OrderedDict[int, _ChatFlood] = OrderedDict()
        self._guesses: deque[float] = deque(maxlen=GUESSES)
        self._paused_until = 0.0

    def heeded(self, heard: Iterable[ChatUpdate], now: float) -> list[ChatUpdate]:
        """What of it is heeded, in order; of what is said too often and heeded all the same, nothing is answered."""
        kept: list[ChatUpdate] = []
        stopped: defaultdict[int, set[ChatAction]] = defaultdict(set)
        for one in heard:
            may = self._may(one, now)
            if one.said in ALWAYS and (may or one.said not in stopped[one.chat]):
                kept.append(one if may else replace(one, silent=True))
                stopped[one.chat].add(one.said)
            elif may and one.said not in ALWAYS:
                kept.append(one)
                stopped[one.chat].clear()
        return kept

    def learn(self, answers: Iterable[BotAnswer], now: float) -> bool:
        """Remember whose tokens and proofs were wrong; whether it were so many that no proof is heeded for a while."""
        for one in answers:
            if one.told in GUESSED:
                chat = self._chat(one.chat)
                if now - chat.since >= FORGIVEN:
                    chat.wrong, chat.since = 0, now
                chat.wrong += 1
                self._guesses.append(now)
        if len(self._guesses) < GUESSES or now - self._guesses[0] > WITHIN:
            return False
        self._guesses.clear()
        self._paused_until = now + PAUSE
        return True

    def _may(self, one: ChatUpdate, now: float) -> bool:
        chat = self._chat(one.chat)
        if (one.token or one.said is ChatAction.SHOWN) and chat.wrong >= WRONG and now - chat.since < FORGIVEN:
            return False
        if one.said is ChatAction.SHOWN and now < self._paused_until:
            return False
        until = max(chat.until, now) + EVERY
        if until - now > BURST * EVERY:
            return False
        chat.until = until
        return True

    def _chat(self, id_: int) -> _ChatFlood:
        chat = self._chats.pop(id_, None) or _ChatFlood()
        self._chats[id_] = chat
        if len(self._chats) > CHATS:
            self._chats.popitem(last=False)
        return chat
