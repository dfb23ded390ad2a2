#!/usr/bin/python3
"""An oslo.messaging RPC client that does what it is told, all at a time.

In:  {"id", "kind": "call" | "cast", "target": {topic, exchange, server, fanout, namespace, version}, "method", "args",
      "floats": more args, as float() reads them, "context", "timeout" and "callMonitorTimeout" in seconds, "retry"}
Out: {"id", "value"} or {"id", "error": {"type", "module", "message", "excType", "value", "code"}}
"""
import oslo_messaging as om
import py_common as c


def perform(transport, command):
    client = om.get_rpc_client(transport, om.Target(**command['target']), timeout=command.get('timeout'),
                               call_monitor_timeout=command.get('callMonitorTimeout'), retry=command.get('retry'))
    act = client.call if command['kind'] == 'call' else client.cast
    floats = {name: float(text) for name, text in command.get('floats', {}).items()}
    try:
        value = act(command.get('context', {}), command['method'], **command.get('args', {}), **floats)
    except Exception as e:
        error = {'type': type(e).__name__, 'module': type(e).__module__, 'message': str(e)}
        for key, attribute in (('excType', 'exc_type'), ('value', 'value'), ('code', 'code')):
            if hasattr(e, attribute):
                error[key] = getattr(e, attribute)
        c.emit(id=command['id'], error=error)
    else:
        c.emit(id=command['id'], value=value)


def main():
    args = c.parser(__doc__).parse_args()
    transport = c.rpc_transport(args)
    c.emit(ready=True)
    c.obey(lambda command: perform(transport, command))
    transport.cleanup()


if __name__ == '__main__':
    main()
