"""A program of the operator's own: takes any POST, checks a Standard Webhooks signature where it has a secret."""

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from tests.services.service import Service, parsed


class Receiver(Service):
    """`bodies` keeps the bytes of what was taken, as they came."""

    def __init__(self, *, secret: str | None = None) -> None:
        super().__init__()
        self.bodies: list[bytes] = []
        self._signer = Webhook(secret) if secret else None

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if self._signer is not None:
            try:
                self._signer.verify(body, dict(request.headers), json_parse=False)
            except WebhookVerificationError as error:
                self.refuse(str(error))
                return web.json_response({"error": "bad signature"}, status=401)
        self.bodies.append(body)
        self.take(request, parsed(body))
        return web.json_response({"received": len(self.taken)}, status=202)
