"""Prints so many messages of a session: python client.py PORT COUNT"""
import asyncio
import sys
from nasdaq_protocols import soup


async def main():
    count = int(sys.argv[2])
    ended = asyncio.Event()

    async def message(msg):
        nonlocal count
        if isinstance(msg, soup.SequencedData):
            print(msg.data.decode())
            count -= 1
            if count == 0:
                ended.set()

    async def closed():
        ended.set()

    await soup.connect_async(("127.0.0.1", int(sys.argv[1])), "QC", "secret", sequence=1,
                             on_msg_coro=message, on_close_coro=closed)
    await ended.wait()


asyncio.run(main())
