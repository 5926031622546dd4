"""Serves the lines of a file as a session: python server.py FILE"""
import asyncio
import sys
from nasdaq_protocols import soup

LINES = open(sys.argv[1], encoding="utf-8").read().splitlines()


class Session(soup.SoupServerSession, session_type="server"):
    async def on_login(self, msg):
        first = int(msg.sequence)
        asyncio.get_running_loop().call_later(0.05, self.publish, first)
        return soup.LoginAccepted("PEER", first)

    def publish(self, first):
        for line in LINES[first - 1:]:
            self.send_seq_msg(line.encode())
        self.end_session()

    async def on_unsequenced(self, msg):
        pass


async def main():
    server = await asyncio.get_running_loop().create_server(Session, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
