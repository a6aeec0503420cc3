"""The yardstick: an aiohttp handler that reads a body, parses it and answers, run as aiohttp's own pages show."""

import json
import sys

from aiohttp import web


async def take(request: web.Request) -> web.Response:
    json.loads(await request.read())
    return web.json_response({"accepted": 1, "set_aside": 0})


def main() -> None:
    app = web.Application(client_max_size=32 * 2**20)
    app.router.add_post("/in/{source}", take)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
