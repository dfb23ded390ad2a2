"""What the oslo.messaging peers share. Run with Debian's /usr/bin/python3.

A peer writes one JSON object a line to its standard output and {"ready": true} once it has started. It ends when its
standard input does, so that it never outlives the test that started it.
"""
import argparse
import json
import logging
import sys
import threading

from oslo_config import cfg
import oslo_messaging as om
from oslo_messaging._metrics import client as metrics

_output = threading.Lock()


def parser(description):
    p = argparse.ArgumentParser(description=description)
    p.add_argument('--url', required=True, help='options of [oslo_messaging_amqp] in its query')
    return p


def rpc_transport(args):
    return om.get_rpc_transport(_conf(), url=args.url, allowed_remote_exmods=['peers_exc'])


def notification_transport(args):
    return om.get_notification_transport(_conf(), url=args.url)


def emit(**line):
    with _output:
        print(json.dumps(line), flush=True)


def obey(perform):
    """Performs the JSON objects that come in, each in a thread, until the input ends."""
    for line in sys.stdin:
        threading.Thread(target=perform, args=(json.loads(line),), daemon=True).start()


def run(server, transport):
    """Runs a server, or a listener, until the input ends."""
    server.start()
    emit(ready=True)
    sys.stdin.read()
    server.stop()
    server.wait()
    transport.cleanup()


def _conf():
    logging.basicConfig(level=logging.WARNING, format='%(asctime)s %(levelname)s %(name)s %(message)s')
    conf = cfg.ConfigOpts()
    conf([], project='peers', default_config_files=[])
    # The library registers these only on the global cfg.CONF.
    conf.register_opts(metrics.oslo_messaging_metrics, group='oslo_messaging_metrics')
    # Otherwise a client lingers 10 s at its end in the thread of the metrics, even with metrics off.
    conf.set_override('metrics_thread_stop_timeout', 0, group='oslo_messaging_metrics')
    return conf
