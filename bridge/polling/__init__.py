"""Asks on a clock: panels that have no webhook what has changed, and any panel whether it is there."""
