"""List who waits for an answer, and since when."""

import sys

from connection_gateway import Gateway, Status

with Gateway(sys.argv[1]) as gateway:
    for pending in gateway.connections(status=Status.PENDING_INCOMING):
        print(pending.platform, pending.user_id, pending.first_requested_at or "unknown")
