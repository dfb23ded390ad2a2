#!/usr/bin/python3
"""An oslo.messaging RPC server. Ready means that it has asked for its links, not that it has them."""
import threading
import time

import oslo_messaging as om
import peers_exc
import py_common as c


class Endpoint(object):
    target = om.Target(namespace=None, version='1.0')

    def __init__(self, name):
        self.name = name
        self.notes = []
        self.lock = threading.Lock()

    def echo(self, ctxt, arg):
        return arg

    def ping(self, ctxt):
        return 'pong from %s' % self.name

    def whoami(self, ctxt):
        return {'server': self.name, 'ctxt': ctxt}

    def fail(self, ctxt, kind='value'):
        if kind == 'value':
            raise ValueError('bad value \u00e9')
        if kind == 'custom':
            raise peers_exc.PeerError('custom trouble', code=42)
        raise RuntimeError('unknown kind %s' % kind)

    @om.expected_exceptions(KeyError)
    def fail_expected(self, ctxt):
        raise KeyError('expected-key')

    def fail_with_nan(self, ctxt):
        raise ValueError(float('nan'))

    def describe(self, ctxt, arg):
        return repr(arg)

    def number(self, ctxt, text):
        return float(text)

    def slow(self, ctxt, secs):
        time.sleep(secs)
        return 'slept %s' % secs

    def note(self, ctxt, arg):
        with self.lock:
            self.notes.append(arg)
        c.emit(note=arg)

    def counts(self, ctxt):
        with self.lock:
            return {'server': self.name, 'notes': len(self.notes), 'last': self.notes[-1] if self.notes else None}


def main():
    p = c.parser(__doc__)
    p.add_argument('--topic', required=True)
    p.add_argument('--server', required=True)
    p.add_argument('--exchange')
    args = p.parse_args()
    transport = c.rpc_transport(args)
    target = om.Target(exchange=args.exchange, topic=args.topic, server=args.server)
    server = om.get_rpc_server(transport, target, [Endpoint(args.server)], executor='threading',
                               access_policy=om.DefaultRPCAccessPolicy)
    c.run(server, transport)


if __name__ == '__main__':
    main()
