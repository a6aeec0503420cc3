"""An owner who sees what is theirs."""

from bridge.people.recipient import Audience, recipient_key
from bridge.value import Value


class Owner(Value):
    """An admin or a reseller of one realm, by the exact name that the panel has for them."""

    realm: str
    name: str

    @property
    def key(self) -> str:
        """That of the recipient."""
        return recipient_key(self.realm, Audience.OWNER, self.name)
