#!/usr/bin/python3
"""An oslo.messaging notifier that sends what it is told, all at a time. The library reports no failure: it logs it.

In:  {"id", "driver": "messaging" | "messagingv2", "topic", "priority", "publisherId", "eventType", "payload", "context"}
Out: {"id", "value": null} when the library is done with it
"""
import oslo_messaging as om
import py_common as c


def perform(transport, command):
    notifier = om.Notifier(transport, publisher_id=command['publisherId'], driver=command['driver'],
                           topics=[command['topic']])
    getattr(notifier, command['priority'])(command.get('context', {}), command['eventType'], command['payload'])
    c.emit(id=command['id'], value=None)


def main():
    args = c.parser(__doc__).parse_args()
    transport = c.notification_transport(args)
    c.emit(ready=True)
    c.obey(lambda command: perform(transport, command))
    transport.cleanup()


if __name__ == '__main__':
    main()
