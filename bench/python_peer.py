#!/usr/bin/python3
"""Runs one end of the contender Python: `python_peer.py --url URL --role serve|call`.

It is a child of Node with a channel of JSON lines, as peer.ts is, and takes the same rounds.
"""
import json
import logging
import os
from pathlib import Path
import socket
import sys
import threading
import time

import oslo_messaging as om

sys.path.insert(0, str(Path(__file__).parent.parent / 'test/fixtures/python'))
import py_common as c  # noqa: E402

TARGET = {'topic': 'bench-python'}
PAYLOAD = 'x' * 1000


class Endpoint(object):
    def echo(self, ctxt, arg):
        return arg


def measure(client, in_flight, ms):
    """Calls from as many threads as there are calls in flight."""
    start = time.monotonic()
    cpu = time.process_time()
    calls = [0] * in_flight

    def call(caller):
        while (time.monotonic() - start) * 1000 < ms:
            if client.call({}, 'echo', arg=PAYLOAD) != PAYLOAD:
                raise ValueError('wrong reply')
            calls[caller] += 1

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(in_flight)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return {'calls': sum(calls), 'ms': (time.monotonic() - start) * 1000, 'cpuMs': (time.process_time() - cpu) * 1000}


def main():
    parser = c.parser(__doc__)
    parser.add_argument('--role', required=True, choices=['serve', 'call'])
    args = parser.parse_args()
    channel = socket.socket(fileno=int(os.environ['NODE_CHANNEL_FD']))
    channel.setblocking(True)

    def send(message):
        channel.sendall(json.dumps(message).encode() + b'\n')

    transport = c.rpc_transport(args)
    logging.disable(logging.WARNING)  # with many threads it warns of its pool of connections, again and again
    if args.role == 'serve':
        target = om.Target(server='bench', **TARGET)
        server = om.get_rpc_server(transport, target, [Endpoint()], executor='threading')
        server.start()
    else:
        client = om.get_rpc_client(transport, om.Target(**TARGET))
    send({'address': args.url})
    for line in channel.makefile():
        message = json.loads(line)
        send(measure(client, message['inFlight'], message['ms']))
    os._exit(0)  # the parent has disconnected


if __name__ == '__main__':
    main()
