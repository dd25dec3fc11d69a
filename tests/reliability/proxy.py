"""A TCP proxy before a server, in which a connection can go wrong in every way."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path

Address = Path | tuple[str, int]
"""A Unix socket, or a host and a port."""

_ABORTIVE = struct.pack("ii", 1, 0)
_STEP_SECONDS = 10.0
_CHUNK_BYTES = 65_536


class Proxy:
    """Listens on `port` and passes on what it hears, until it is told otherwise.

    Args:
        target: where the server listens.
    """

    def __init__(self, target: Address) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._mute_to_server = self._mute_to_client = False
        # keeps the port while nothing listens there
        self._reserved = _bound(0)
        self.port = int(self._reserved.getsockname()[1])
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._thread.start()
        self.pass_on()

    def pass_on(self) -> None:
        """Carry the connections that come from now on; one that fell into the black hole stays there."""
        self._mute_to_server = self._mute_to_client = False
        self._do(self._listen())

    def refuse(self) -> None:
        """Reset every connection and refuse new ones."""
        self._do(self._stop_listening())
        self._do(self._reset())

    def drop(self) -> None:
        """Reset every connection; new ones are carried."""
        self._do(self._reset())

    def black_hole(self, *, to_server: bool = True, to_client: bool = True) -> None:
        """Keep all connections open, also new ones, acknowledge everything and pass on nothing.

        Args:
            to_server: swallow what clients send.
            to_client: swallow what the server answers.
        """
        self._mute_to_server, self._mute_to_client = to_server, to_client
        self._do(self._mute())

    def close(self) -> None:
        """End everything."""
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._reserved.close()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, sock=_bound(self.port))

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _reset(self) -> None:
        for link in list(self._links):
            link.reset()
        while self._links:
            await asyncio.sleep(0)

    async def _mute(self) -> None:
        for link in self._links:
            link.mute_to_server |= self._mute_to_server
            link.mute_to_client |= self._mute_to_client

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer, mute_to_server=self._mute_to_server, mute_to_client=self._mute_to_client)
        self._links.add(link)
        try:
            await link.carry(reader, *await self._connect())
        except (OSError, asyncio.CancelledError):
            return  # the server is away, an end has reset its connection, or `reset` was called
        finally:
            self._links.discard(link)
            link.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(str(self._target))
        return await asyncio.open_connection(*self._target)

    def _do(self, step: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result(_STEP_SECONDS)


class _Link:
    """One client's connection, and the one to the server that belongs to it."""

    def __init__(self, client: asyncio.StreamWriter, *, mute_to_server: bool, mute_to_client: bool) -> None:
        self.task = asyncio.current_task()
        self.mute_to_server = mute_to_server
        self.mute_to_client = mute_to_client
        self._client = client
        self._ends = [client]

    async def carry(
        self,
        from_client: asyncio.StreamReader,
        from_server: asyncio.StreamReader,
        server: asyncio.StreamWriter,
    ) -> None:
        """Carry both ways until an end closes, of which the other isn't told where it is muted."""
        self._ends.append(server)
        ways = [
            asyncio.ensure_future(_forward(from_client, server, lambda: self.mute_to_server)),
            asyncio.ensure_future(_forward(from_server, self._client, lambda: self.mute_to_client)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def reset(self) -> None:
        """End both connections with a reset."""
        for end in self._ends:
            end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)
        if self.task is not None:
            self.task.cancel()

    def close(self) -> None:
        """End both connections; what is not sent yet is dropped."""
        for end in self._ends:
            end.transport.abort()


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_muted: Callable[[], bool]
) -> None:
    while data := await reader.read(_CHUNK_BYTES):
        if not is_muted():
            writer.write(data)
            await writer.drain()
    if is_muted():
        await asyncio.Event().wait()


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound
