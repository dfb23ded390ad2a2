#!/usr/bin/python3
"""Prints url-forms.json: what the TransportURL.parse of the installed oslo.messaging makes of many forms of a URL."""
import json
import logging
import sys

from oslo_config import cfg
from oslo_messaging import transport

logging.disable(logging.CRITICAL)  # hosts with and without credentials are warned about

AUTHORITIES = [
    # hosts and ports
    'h', 'h:', 'h:5672', 'h:5672:1', 'h:5672:', 'h::1', 'h::', 'h:x', 'h:0', 'h:1', 'h:65535', 'h:65536', 'h:-1', 'h:+5',
    'h:1_0', 'h:٥', 'h:05672', 'h: 5672', 'h:5672 ', ':5672', ':', '::', '', '127.0.0.1', '127.0.0.1:1', 'a.b-c.example.:1',
    'H.Example', 'h%20x', 'bücher', ' h', 'h ', 'a b', 'h;x', 'h=x',
    # IPv6
    '[::1]', '[::1]:', '[::1]:5672', '[::1]:x', '[::1]:1:2', '[::1]x', '[::1', '::1]', 'x[::1]', '[]', '[]:1', '[h]', '[[::1]]',
    '::1', '::1:5672', 'fe80::1', 'fe80::1%eth0', '[fe80::1%eth0]', '[fe80::1%25eth0]:1', '1:2:3:4:5:6:7:8', '1:2:3',
    '::ffff:10.0.0.1', 'abc:5672:1', '[::ffff:10.0.0.1]:1',
    # several hosts
    'h1,h2', 'h1:1,h2:2', ',h1,,h2,', 'h1, h2', ',', 'h1:,h2:', 'h1:1:1,h2', '[::1]:1,[::2]:2', 'u:p@h1,h2', 'h1,u:p@h2',
    'u:p@h1,v:q@h2:1',
    # credentials
    'u@h', 'u:@h', ':p@h', '@h', ':@h', 'u:p@', 'u:p@:1', 'u@realm:p@h', 'u:p@q@h', 'u:p:q@h', 'u:p@h:', 'u:p@h:1:1', 'u:p@::1',
    'u%40r:p%3Aq%2F%3F%23%2C%40@h', 'u%C3%A9:p%F0%9F%98%80@h', 'u%ff:p%zz%@h', 'u+x:p+y@h', 'u x:p y@h', 'ü:ß@h', "&=$-_.+!*()':p@h",
    'u:a,b@h', 'u:[@h', 'u:%00@h',
]

PATHS = ['', '/', '//', '///', '/v', '/v/w', '/v/', '/%2F', '/%2Fv', '/%41%20b+c', '/%zz%ff', '/é', '/v;p=1', '/ v ', '/v:1@h', '/%00',
         '/v,w', '/v&a=1']

QUERIES = ['?', '?a', '?a=', '?=b', '?a=b', '?a=b&', '?&a=b', '?a=1&a=2', '?a=1&b=2&a=3', '?a=b=c', '?a=b;c=d', '?a=%2C,', '?a=x+y%2Bz',
           '?a=b?c', '?a=b/c', '?a=b@c:d', '?%61=b', '?a=%zz%ff', '?é=ü', '?a=%C3%A9', '?a= b ', '?a.b-c=d', '?a[0]=b', '?a=1&a=']

URLS = (
    ['amqp://%s/' % authority for authority in AUTHORITIES]
    + ['amqp://h' + path for path in PATHS]
    + ['amqp://h/v' + query for query in QUERIES]
    + ['amqp://h?a=b', 'amqp://?a=b', 'amqp:', 'amqp:/', 'amqp:/v', 'amqp:///', 'amqp:///v', 'amqp:h', 'amqp:h/v', 'amqp:?a=b', 'amqp://',
       'AMQP://h/', 'amqp+ws://h/', 'a.b-c+d1://h/', '1amqp://h/', 'am_qp://h/', 'amqp', '//h/v', '/v', 'h:5672', '127.0.0.1:5672', '://h/',
       ' amqp://h/', 'amqp ://h/', 'amqp://h/v#f', 'amqp://u:p#q@h/', 'amqp://u:p/q@h/', 'amqp://u:p?q@h/', 'amqp://h/v?a=b#c',
       'amqp://h\n/v', 'amqp://h/v\t', 'amqp://h\\v', 'amqp:\\\\h', 'amqp:////', 'amqp://h//v', 'amqp://h1,h2', 'amqp://h1,h2?a=b']
)


def host(entry):
    return [entry.hostname, entry.port, entry.username, entry.password]


def vector(url):
    try:
        made = transport.TransportURL.parse(cfg.ConfigOpts(), url)
    except Exception as error:
        return {'url': url, 'raises': type(error).__name__}
    return {'url': url, 'scheme': made.transport, 'hosts': [host(entry) for entry in made.hosts],
            'virtualHost': made.virtual_host, 'query': made.query}


def main():
    lines = [json.dumps(vector(url), ensure_ascii=False) for url in URLS]
    sys.stdout.write('{\n  "origin": "test/data/url-forms.py > test/data/url-forms.json",\n  "vectors": [\n    ')
    sys.stdout.write(',\n    '.join(lines) + '\n  ]\n}\n')


if __name__ == '__main__':
    main()
