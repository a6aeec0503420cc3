"""A Zapier catch hook; unlike the real one it refuses what is not in the documented format.

Source   tests/contracts/orbvpn.zapier.schema.json; zapier.com/help/webhooks
"""

from aiohttp import web

from tests.services.service import Service, breaches, contract, parsed

HOOK = "/hooks/catch/1234567/abcdef0/"


class Zapier(Service):
    def __init__(self) -> None:
        super().__init__()
        self.removed = False

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if self.removed or request.path != HOOK:
            self.refuse("410")
            return web.json_response({"status": "error", "message": "hook is gone"}, status=410)
        value = parsed(body)
        if faults := breaches(contract("orbvpn.zapier"), value):
            self.refuse(str(faults))
            return web.json_response({"status": "error", "message": faults}, status=400)
        self.take(request, value)
        said = {"attempt": f"a-{len(self.taken)}", "id": f"z-{len(self.taken)}", "request_id": "r", "status": "success"}
        return web.json_response(said)
