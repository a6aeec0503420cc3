"""The outgoing socket, closed behind each test."""

from tests.sinks.conftest import http as http
