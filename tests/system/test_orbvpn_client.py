"""OrbVPN's document, followed to the letter by a client that nobody here wrote: to a running bridge, and out of it."""

from pathlib import Path

import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError

from tests.admin.test_graphql import DOCUMENTED
from tests.processes import a_bridge, a_receiver, free_port

pytestmark = pytest.mark.process
TOKEN = "act-0123456789abcdef"
FILE = """
admin: {{listen: 127.0.0.1:{port}, token: {token}}}
webhooks:
  - id: your-webhook-id
    name: Sales
    providerType: ZAPIER
    endpoint: {url}
    active: true
    subscribedEvents: [USER_CREATED]
"""


async def test_the_documented_mutation_is_true_where_the_service_took_it_and_an_error_where_not(
    tmp_path: Path,
) -> None:
    port = free_port()
    async with (
        a_receiver() as receiver,
        a_bridge(tmp_path, FILE.format(port=port, token=TOKEN, url=receiver.url)) as bridge,
    ):
        await bridge.start()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        transport = AIOHTTPTransport(f"http://127.0.0.1:{port}/graphql", headers=headers, ssl=False)
        async with Client(transport=transport, fetch_schema_from_transport=True) as session:
            assert await session.execute(gql(DOCUMENTED)) == {"testWebhookConfiguration": True}
            [body] = receiver.got
            assert (body["event_type"], body["test"]) == ("USER_CREATED", True)
            with pytest.raises(TransportQueryError, match="was sent a test just now"):
                await session.execute(gql(DOCUMENTED))
        assert receiver.asked == 1
        assert await bridge.end() == 0
