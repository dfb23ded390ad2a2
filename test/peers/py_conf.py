"""Fills in what the real oslo.config makes of each `text`, or `file`, of test/data/conf-vectors.json.

`oslo` is that, or `error` the type of what it raises. The first text gives every option, the others what is different from it.

/usr/bin/python3 test/peers/py_conf.py test/data/conf-vectors.json
"""
import json
import os
import sys
import tempfile

from oslo_config import cfg
from oslo_messaging import opts

GROUPS = ['oslo_messaging_amqp', 'oslo_messaging_notifications']
DEFAULTS = ['transport_url', 'control_exchange', 'rpc_response_timeout', 'rpc_ping_enabled', 'executor_thread_pool_size']


def read(text):
    conf = cfg.ConfigOpts()
    for group, options in opts.list_opts():
        conf.register_opts(options, group=group)
    with tempfile.NamedTemporaryFile('w', suffix='.conf') as file:
        file.write(text)
        file.flush()
        conf(['--config-file', file.name], project='vectors')
        values = {group: {name: conf[group][name] for name in conf[group]} for group in GROUPS}
        return {'DEFAULT': {name: conf[name] for name in DEFAULTS}, **values}


def difference(values, base):
    changed = {group: {k: v for k, v in values[group].items() if v != base[group][k]} for group in values}
    return {group: options for group, options in changed.items() if options}


def main(path):
    with open(path) as file:
        vectors = json.load(file)
    base = read(vectors[0]['text'])

    def text_of(vector):
        if 'text' in vector:
            return vector['text']
        with open(os.path.join(os.path.dirname(path), vector['file'])) as file:
            return file.read()

    for vector in vectors:
        vector.pop('oslo', None)
        vector.pop('error', None)
        try:
            vector['oslo'] = base if vector is vectors[0] else difference(read(text_of(vector)), base)
        except Exception as error:
            vector['error'] = type(error).__name__
    with open(path, 'w') as file:
        json.dump(vectors, file, indent=1)
        file.write('\n')


main(sys.argv[1])
