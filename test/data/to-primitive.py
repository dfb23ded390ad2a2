#!/usr/bin/python3
"""Prints to-primitive.json: what oslo.serialization's jsonutils.to_primitive makes of values that both languages have.

A value is a JSON scalar or an object of one member that says what it is, as in build().
"""
import datetime
import json
import sys
import uuid

from oslo_serialization import jsonutils


class Instance(object):
    pass


class Iterable(object):
    def __init__(self, items):
        self.items_ = items

    def __iter__(self):
        return iter(self.items_)


def build(value):
    if not isinstance(value, dict):
        return value
    (kind, of), = value.items()
    if kind == 'list':
        return [build(item) for item in of]
    if kind == 'set':
        return frozenset(build(item) for item in of)
    if kind == 'iterable':
        return Iterable([build(item) for item in of])
    if kind == 'dict':
        return {build(key): build(member) for key, member in of}
    if kind == 'bytes':
        return of.encode('utf-8')
    if kind == 'badBytes':
        return bytes(of)
    if kind == 'date':
        return datetime.datetime.fromisoformat(of)
    if kind == 'uuid':
        return uuid.UUID(of)
    if kind == 'integer':
        return int(of)
    instance = Instance()
    if kind == 'loop':  # contains itself
        instance.me = instance
    for name, member in of:
        setattr(instance, name, build(member))
    return instance


def nested(levels, innermost):
    value = innermost
    for level in range(levels):
        value = {'instance': [['level', levels - level], ['of', value]]}
    return value


LEAVES = [5, 'text', {'bytes': 'é'}, {'date': '2026-01-31T12:30:00.123000'}, {'list': [1]}, {'set': [1]},
          {'dict': [['a', {'list': []}]]}, {'uuid': '00000000-0000-0000-0000-00000000000f'},
          {'instance': [['a', 1]]}, {'iterable': [1]}]

VALUES = [
    None, True, False, 0, -1.5, '', 'é', {'integer': '123456789012345678901234567890'},
    {'bytes': ''}, {'bytes': 'héllo \U0001f600'}, {'bytes': '\ufeffmark'}, {'badBytes': [0xff, 0xfe]},
    {'date': '2026-01-31T12:30:00.123000'}, {'date': '1999-12-31T23:59:59'},
    {'uuid': '12345678-1234-5678-1234-567812345678'},
    {'list': []}, {'list': [1, None, {'list': ['x', {'bytes': 'y'}]}]},
    {'set': []}, {'set': ['only']}, {'iterable': [1, {'set': [2]}, None]},
    {'dict': []}, {'dict': [['a', 1], ['b', {'dict': [['c', {'date': '2026-01-31T00:00:00'}]]}]]},
    {'dict': [[1, 'a'], [{'bytes': 'k'}, 'b'], [{'date': '2026-01-31T00:00:00'}, 'c'], ['s', 'd']]},
    {'dict': [[None, 0], [True, 1], [2.5, 2], [{'uuid': '12345678-1234-5678-1234-567812345678'}, 3]]},
    {'instance': []}, {'instance': [['a', 1], ['_hidden', {'set': [1]}], ['when', {'date': '2026-01-31T00:00:00'}]]},
    {'list': [{'instance': [['x', {'dict': [['y', {'instance': [['z', {'list': [{'instance': []}]}]]}]]}]]}]},
    {'loop': [['a', 1]]}, {'dict': [['in', {'list': [{'loop': []}]}]]},
] + [nested(levels, leaf) for levels in (2, 3, 4) for leaf in LEAVES] + [
    nested(2, {'list': [nested(2, 'deep'), {'dict': [['k', nested(3, 'deeper')]]}]}),
]


def vector(value):
    try:
        made = jsonutils.to_primitive(build(value), convert_instances=True)
    except Exception as error:
        return {'value': value, 'raises': type(error).__name__}
    return {'value': value, 'json': jsonutils.dumps(made, ensure_ascii=False)}


def main():
    lines = [json.dumps(vector(value), ensure_ascii=False) for value in VALUES]
    sys.stdout.write('{\n  "origin": "test/data/to-primitive.py > test/data/to-primitive.json",\n  "vectors": [\n    ')
    sys.stdout.write(',\n    '.join(lines) + '\n  ]\n}\n')


if __name__ == '__main__':
    main()
