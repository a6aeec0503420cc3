"""How fast the bridge is, side by side with a bare aiohttp handler: `make bench`."""
