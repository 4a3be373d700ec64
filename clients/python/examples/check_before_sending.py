"""Send a message only to whom one is connected with."""

import sys

from connection_gateway import Gateway, Status

with Gateway(sys.argv[1]) as gateway:
    connection = gateway.lookup("symphony", sys.argv[2])
    print("send" if connection.status is Status.CONNECTED else f"don't send: {connection.status}")
