#!/usr/bin/python3
"""An oslo.messaging notification listener for all priorities that writes every notification it sees.

A payload with "requeue": true is put back the first time that it comes. Ready as in py_server.py.
"""
import oslo_messaging as om
import py_common as c


class Endpoint(object):
    def __init__(self):
        self.requeued = set()

    def _see(self, priority, context, publisher_id, event_type, payload, metadata):
        c.emit(notification={'priority': priority, 'context': context, 'publisherId': publisher_id,
                             'eventType': event_type, 'payload': payload, 'metadata': metadata})
        message_id = metadata['message_id']
        if isinstance(payload, dict) and payload.get('requeue') is True and message_id not in self.requeued:
            self.requeued.add(message_id)
            return om.NotificationResult.REQUEUE
        return om.NotificationResult.HANDLED

    def audit(self, *args):
        return self._see('audit', *args)

    def debug(self, *args):
        return self._see('debug', *args)

    def info(self, *args):
        return self._see('info', *args)

    def warn(self, *args):
        return self._see('warn', *args)

    def error(self, *args):
        return self._see('error', *args)

    def critical(self, *args):
        return self._see('critical', *args)

    def sample(self, *args):
        return self._see('sample', *args)


def main():
    p = c.parser(__doc__)
    p.add_argument('--topic', required=True)
    args = p.parse_args()
    transport = c.notification_transport(args)
    listener = om.get_notification_listener(transport, [om.Target(topic=args.topic)], [Endpoint()],
                                            executor='threading', allow_requeue=True)
    c.run(listener, transport)


if __name__ == '__main__':
    main()
