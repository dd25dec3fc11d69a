"""The client for asyncio; what `client` holds beside it is made from these files, by `make client`."""
