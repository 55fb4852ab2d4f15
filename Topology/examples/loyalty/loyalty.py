"""Loyalty: a point for each whole dollar of a confirmed order. Any language could do this."""
import json, os, socket, sys, time


def handle(event):
    """Returns the events to emit because of this one."""
    if event["type"] != "orders.confirmed.v1":
        return []
    order = event["data"]
    earned = {"customer": order["customer"], "points": order["total"] // 100}
    return [{"type": "loyalty.earned.v1", "subject": order["customer"], "data": earned}]


while True:  # squall may start this first, or the other end again: connect once more
    try:
        with socket.socket(socket.AF_UNIX) as mesh:
            mesh.connect(os.environ["SQUALL_SOCKET"])
            for line in mesh.makefile("r", encoding="utf-8"):
                event = json.loads(line)
                if "error" in event:
                    print(event["error"], file=sys.stderr, flush=True)
                    continue
                try:
                    reply = {"ack": event["id"], "emit": handle(event)}
                except Exception as error:
                    reply = {"nack": event["id"], "error": repr(error)}
                mesh.sendall(json.dumps(reply).encode() + b"\n")
    except OSError:
        time.sleep(0.01)
