#!/usr/bin/python3
"""Prints amqp091-frames.json: the frames of recorded conversations of oslo.messaging with RabbitMQ, as py-amqp writes them.

   amqp091-frames.py RECORDING.json > amqp091-frames.json

The recording has the methods with their arguments, properties and bodies, without secrets. Of the frames that differ only in
names, delivery tags and bodies, the first is written, with the names of its fields in camelCase. The login is that of guest
with AMQPLAIN.
"""
import json
import re
import struct
import sys

from amqp import sasl
from amqp.basic_message import Message
from amqp.serialization import dumps

# Class, method and arguments in py-amqp's letters: o octet, B short, l long, L longlong, s shortstr, S longstr, F table, b bit.
METHODS = {
    'connection.start': (10, 10, 'o version_major, o version_minor, F server_properties, S mechanisms, S locales'),
    'connection.start-ok': (10, 11, 'F client_properties, s mechanism, S response, s locale'),
    'connection.tune': (10, 30, 'B channel_max, l frame_max, B heartbeat'),
    'connection.tune-ok': (10, 31, 'B channel_max, l frame_max, B heartbeat'),
    'connection.open': (10, 40, 's virtual_host, s reserved1, b reserved2'),
    'connection.open-ok': (10, 41, 's reserved1'),
    'connection.close': (10, 50, 'B reply_code, s reply_text, B class_id, B method_id'),
    'channel.open': (20, 10, 's reserved1'),
    'channel.close': (20, 40, 'B reply_code, s reply_text, B class_id, B method_id'),
    'exchange.declare': (40, 10, 'B reserved1, s exchange, s type, b passive, b durable, b auto_delete, b internal, '
                                 'b no_wait, F arguments'),
    'queue.declare': (50, 10, 'B reserved1, s queue, b passive, b durable, b exclusive, b auto_delete, b no_wait, '
                              'F arguments'),
    'queue.bind': (50, 20, 'B reserved1, s queue, s exchange, s routing_key, b no_wait, F arguments'),
    'queue.delete': (50, 40, 'B reserved1, s queue, b if_unused, b if_empty, b no_wait'),
    'basic.qos': (60, 10, 'l prefetch_size, B prefetch_count, b global'),
    'basic.consume': (60, 20, 'B reserved1, s queue, s consumer_tag, b no_local, b no_ack, b exclusive, b no_wait, '
                              'F arguments'),
    'basic.cancel': (60, 30, 's consumer_tag, b no_wait'),
    'basic.publish': (60, 40, 'B reserved1, s exchange, s routing_key, b mandatory, b immediate'),
    'basic.return': (60, 50, 'B reply_code, s reply_text, s exchange, s routing_key'),
    'basic.deliver': (60, 60, 's consumer_tag, L delivery_tag, b redelivered, s exchange, s routing_key'),
    'basic.ack': (60, 80, 'L delivery_tag, b multiple'),
    'basic.reject': (60, 90, 'L delivery_tag, b requeue'),
    'basic.nack': (60, 120, 'L delivery_tag, b multiple, b requeue'),
    'confirm.select': (85, 10, 'b no_wait'),
}
EMPTY = {'B': 0, 's': '', 'S': '', 'b': False, 'F': {}}

NAMES = {'queue', 'exchange', 'routingKey', 'deliveryTag'}


def camel(name):
    return re.sub('_(.)', lambda match: match.group(1).upper(), name)


def kind_of(fields):
    return {name: value for name, value in fields.items() if name not in NAMES}


def frame(kind, channel, payload):
    return struct.pack('>BHI', kind, channel, len(payload)) + payload + b'\xce'


def main():
    with open(sys.argv[1]) as file:
        recording = json.load(file)
    seen, vectors = set(), []
    for group in ('scenarios', 'variants', 'variants-newest'):
        for entry in (entry for entries in recording[group].values() for entry in entries):
            if entry['m'] not in METHODS:
                continue
            vector = vector_of(entry)
            kind = json.dumps([vector['direction'], vector['method'], kind_of(vector['fields']), vector.get('properties')])
            if kind not in seen:
                seen.add(kind)
                vectors.append(json.dumps(vector, ensure_ascii=False))
    print('{\n  "origin": "test/data/amqp091-frames.py RECORDING.json > test/data/amqp091-frames.json",')
    print('  "vectors": [\n    ' + ',\n    '.join(vectors) + '\n  ]\n}')


def vector_of(entry):
    class_id, method_id, arguments = METHODS[entry['m']]
    values, letters, fields = [], '', {}
    for argument in arguments.split(', '):
        letter, name = argument.split()
        value = entry['a'].get(name, EMPTY.get(letter))
        if name == 'response':
            value = sasl.AMQPLAIN('guest', 'guest').start(None)
        letters += letter
        values.append(value)
        if not name.startswith('reserved'):
            fields[camel(name)] = {'hex': value.hex()} if isinstance(value, bytes) else value
    method = struct.pack('>HH', class_id, method_id) + dumps(letters, values)
    channel = entry.get('ch', 0)
    vector = {'direction': 'out' if entry['d'] == '>' else 'in', 'method': entry['m'], 'channel': channel, 'fields': fields}
    frames = [frame(1, channel, method)]
    if 'p' in entry:
        properties = {('application_headers' if name == 'headers' else name): value for name, value in entry['p'].items()}
        body = json.dumps(entry['b'], ensure_ascii=False).encode()
        message = Message(body, **properties)
        header = struct.pack('>HHQ', class_id, 0, len(body)) + message._serialize_properties()
        frames += [frame(2, channel, header), frame(3, channel, body)]
        vector['properties'] = {camel(name): value for name, value in entry['p'].items()}
        vector['body'] = body.decode()
    vector['hex'] = [f.hex() for f in frames]
    return vector


main()
