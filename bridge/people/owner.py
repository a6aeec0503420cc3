"""An owner who sees what is theirs."""

from dataclasses import dataclass

from bridge.people.recipient import Audience, recipient_key


@dataclass(frozen=True, slots=True)
class Owner:
    """An admin or a reseller of one realm, by the exact name that the panel has for them."""

    realm: str
    name: str

    @property
    def key(self) -> str:
        """That of the recipient."""
        return recipient_key(self.realm, Audience.OWNER, self.name)
