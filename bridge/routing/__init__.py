"""Routing: which sinks an event goes to, and why. Pure: an event and a table in, a fate out.

Every row that matches applies, from the top down, until one that says `stop`. A sink gets an event once, however
many rows name it: the first row that does decides the template and the terms.
"""

from bridge.routing.route import OWN, Route
from bridge.routing.router import Router

__all__ = ["OWN", "Route", "Router"]
