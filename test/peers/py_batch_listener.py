#!/usr/bin/python3
"""An oslo.messaging batch notification listener for the priorities info and error that writes every batch it sees.

Ready as in py_server.py.
"""
import oslo_messaging as om
import py_common as c


class Endpoint(object):
    def _see(self, priority, messages):
        c.emit(batch={'priority': priority, 'events': [message['event_type'] for message in messages]})

    def info(self, messages):
        self._see('info', messages)

    def error(self, messages):
        self._see('error', messages)


def main():
    p = c.parser(__doc__)
    p.add_argument('--topic', required=True)
    p.add_argument('--batch-size', type=int, required=True)
    p.add_argument('--batch-timeout', type=int, required=True)
    args = p.parse_args()
    transport = c.notification_transport(args)
    listener = om.get_batch_notification_listener(transport, [om.Target(topic=args.topic)], [Endpoint()],
                                                  executor='threading', allow_requeue=True,
                                                  batch_size=args.batch_size, batch_timeout=args.batch_timeout)
    c.run(listener, transport)


if __name__ == '__main__':
    main()
