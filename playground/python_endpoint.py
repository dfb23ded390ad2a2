#!/usr/bin/python3
"""Server `python-1` on topic `demo`: the real oslo.messaging, for the page to call.

Writes "ready" to standard output when it serves, and exits at the end of its standard input.
"""
import sys
import time

from oslo_config import cfg
import oslo_messaging as om
from oslo_messaging._metrics import client as metrics

SERVER = 'python-1'


class PeerError(Exception):
    pass


class Endpoint(object):
    """Has the same methods as the servers in JavaScript."""

    def __init__(self, notifier):
        self.notifier = notifier
        self.notes = 0
        self.last = None

    def echo(self, ctxt, arg):
        return arg

    def ping(self, ctxt):
        return 'pong from %s' % SERVER

    def whoami(self, ctxt):
        return {'server': SERVER, 'python': sys.version.split()[0], 'ctxt': ctxt}

    def add(self, ctxt, a, b):
        return a + b

    def fail(self, ctxt, kind='value'):
        raise PeerError('custom trouble') if kind == 'custom' else ValueError('bad value \u00e9')

    def slow(self, ctxt, secs):
        time.sleep(secs)
        return 'slept %s' % secs

    def note(self, ctxt, arg):
        self.notes += 1
        self.last = arg
        self.notifier.info({}, 'demo.note', {'server': SERVER, 'note': arg})

    def counts(self, ctxt):
        return {'server': SERVER, 'notes': self.notes, 'last': self.last}


def main():
    conf = cfg.ConfigOpts()
    conf([], project='playground', default_config_files=[])
    # The library registers these only on the global cfg.CONF.
    conf.register_opts(metrics.oslo_messaging_metrics, group='oslo_messaging_metrics')
    # Without this the exit takes 10 s in the metrics thread, even with metrics off.
    conf.set_override('metrics_thread_stop_timeout', 0, group='oslo_messaging_metrics')
    url = sys.argv[1]
    rpc = om.get_rpc_transport(conf, url='%s?container_name=python-1' % url)
    notifications = om.get_notification_transport(conf, url='%s?container_name=python-1+notifier' % url)
    notifier = om.Notifier(notifications, 'demo.python-1', driver='messagingv2', topics=['notifications'], retry=0)
    server = om.get_rpc_server(rpc, om.Target(topic='demo', server=SERVER), [Endpoint(notifier)],
                               executor='threading', access_policy=om.DefaultRPCAccessPolicy)
    server.start()
    print('ready', flush=True)
    sys.stdin.read()
    server.stop()
    server.wait()
    rpc.cleanup()
    notifications.cleanup()


if __name__ == '__main__':
    main()
