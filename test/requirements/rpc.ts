import type { Requirements } from "./requirement.js";

/** RPC: calls, casts, servers, and how a request finds its method. */
export const RPC = {
  "rpc:patterns": {
    behaviour: "A request for one server goes to that one, one for any server to one of them, a fanout to all, once.",
    source: "_drivers/amqp1_driver/addressing.py:79-89",
    upstream: ["TestAmqpSend.test_messaging_patterns"],
  },
  "rpc:exchanges": {
    behaviour: "Servers of the same topic in different exchanges get only what is for their own exchange.",
    source: "_drivers/amqp1_driver/addressing.py:165-260",
    upstream: ["TestAmqpSend.test_send_exchange_with_reply", "CallTestCase.test_different_exchanges"],
  },

  "rpc:call:reply": {
    behaviour: "A call returns the result of its method, any JSON value.",
    source: "rpc/client.py:169-203",
  },
  "rpc:call:context": {
    behaviour: "The caller's context reaches the method unchanged.",
    source: "_drivers/impl_amqp1.py:83-97",
  },
  "rpc:call:one-server": {
    behaviour:
      "Calls to one server are answered by that one, in the order in which they were made one after the other.",
    source: "_drivers/amqp1_driver/addressing.py:79-89",
    upstream: ["CallTestCase.test_specific_server"],
  },
  "rpc:call:any-server": {
    behaviour: "Calls to any server are shared by all servers of the topic, each call going to one.",
    source: "_drivers/amqp1_driver/addressing.py:79-89",
    upstream: ["CallTestCase.test_server_in_group"],
  },
  "rpc:call:many-at-once": {
    behaviour: "Of many calls at once each gets its own reply, in whatever order the replies come.",
    source: "_drivers/amqp1_driver/controller.py:193-235",
  },
  "rpc:call:while-another-times-out": {
    behaviour: "Short calls to a server are answered while a long one to it times out.",
    source: "server.py:384-417",
    upstream: ["CallTestCase.test_timeout_with_concurrently_queues"],
  },
  "rpc:call:no-fanout": {
    behaviour: "A call cannot be a fanout.",
    source: "rpc/client.py:169-203",
  },
  "rpc:call:ttl": {
    behaviour: "A request whose caller gave a timeout has it as its time to live.",
    source: "_drivers/impl_amqp1.py:299-363",
  },
  "rpc:call:new-message-id": {
    behaviour: "A call that is sent again has a new message id, so that a reply to the first attempt matches no call.",
    source: "_drivers/amqp1_driver/controller.py:208-217",
  },
  "rpc:call:unheard": {
    behaviour: "A call to a topic without a server times out.",
    source: "_drivers/amqp1_driver/controller.py:148-162",
    upstream: ["CallTestCase.test_timeout"],
  },
  "rpc:call:missing-reply": {
    behaviour: "A call whose request was accepted and is never answered times out.",
    source: "_drivers/amqp1_driver/controller.py:148-162",
    upstream: ["TestAmqpSend.test_send_timeout"],
  },
  "rpc:call:late-reply": {
    behaviour: "A reply that comes after its call's timeout is discarded, and affects no other call.",
    source: "_drivers/amqp1_driver/controller.py:648-662",
    upstream: ["TestAmqpSend.test_call_late_reply"],
  },
  "rpc:call:reply-too-large": {
    behaviour: "A reply beyond the caller's limit is rejected, and its call fails at once with both sizes.",
    source: "ours",
  },
  "rpc:call:unknown-reply": {
    behaviour: "A reply that matches no call is discarded, and affects no call.",
    source: "_drivers/amqp1_driver/controller.py:648-662",
  },
  "rpc:call:unreadable-reply": {
    behaviour: "A reply that cannot be read fails its call with the reason.",
    source: "_drivers/impl_amqp1.py:67-74",
  },
  "rpc:call:remote-error": {
    behaviour: "An error of a method reaches the caller with type, module, message and arguments.",
    source: "_drivers/common.py:164-198",
    upstream: ["TestAmqpSend.test_call_failed_reply", "CallTestCase.test_exception"],
  },
  "rpc:call:allowed-remote-exceptions": {
    behaviour: "A remote failure of an allowed module and class becomes that exception; any other is a RemoteError.",
    source: "_drivers/common.py:201-250",
  },
  "rpc:call:released": {
    behaviour: "A call that is released and has no retry left fails as undelivered, before its timeout.",
    source: "_drivers/amqp1_driver/controller.py:478-498",
    upstream: ["TestAmqpSend.test_released_send"],
  },

  "rpc:cast:fanout-unheard": {
    behaviour: "A fanout cast to a topic without a server is no failure.",
    source: "_drivers/amqp1_driver/controller.py:472-509",
  },
  "rpc:cast:any-server": {
    behaviour: "A cast arrives at one server of its topic, once, with its context; nothing comes back.",
    source: "rpc/client.py:144-167",
    upstream: ["TestAmqpSend.test_send_no_reply", "CastTestCase.test_server_in_group"],
  },
  "rpc:cast:one-server": {
    behaviour: "A cast to one server arrives at that one.",
    source: "rpc/client.py:144-167",
    upstream: ["CastTestCase.test_specific_server"],
  },
  "rpc:cast:fanout": {
    behaviour: "A cast by fanout arrives at every server of the topic.",
    source: "_drivers/amqp1_driver/addressing.py:79-89",
    upstream: ["CastTestCase.test_fanout"],
  },
  "rpc:cast:failing-method": {
    behaviour: "A cast whose method fails or is missing gets no reply, and its server goes on serving.",
    source: "rpc/server.py:152-199",
  },

  "rpc:client:prepare": {
    behaviour: "A prepared client has the given values, and those of its original client otherwise.",
    source: "rpc/client.py:408-458",
  },
  "rpc:client:version-cap": {
    behaviour: "A version above the cap is refused before anything is sent.",
    source: "rpc/client.py:123-126",
  },
  "rpc:client:can-send-version": {
    behaviour: "A client says whether it could send a request of a version.",
    source: "rpc/client.py:128-131",
  },
  "rpc:client:serializer": {
    behaviour: "Context, arguments and result pass through the serializer of each side.",
    source: "rpc/client.py:109-121",
  },
  "rpc:client:json-payload-serializer": {
    behaviour: "The JSON payload serializer converts dates, bytes, sets and objects as to_primitive does.",
    source: "serializer.py:78-81",
  },
  "rpc:json:long-integers": {
    behaviour: "Integers that a number cannot hold are bigints, and bigints are integers, in both directions.",
    source: "ours",
  },
  "rpc:json:not-a-number": {
    behaviour: "Sending NaN or an infinity is an error that names its path.",
    source: "ours",
  },
  "rpc:json:not-a-number-received": {
    behaviour: "Python's NaN is an error that names it, or a number where that is accepted.",
    source: "ours",
  },

  "rpc:server:acknowledged-first": {
    behaviour: "A request is acknowledged before its method runs, and not run when that fails: at most once.",
    source: "rpc/server.py:152-199",
  },
  "rpc:server:repeat": {
    behaviour: "A request that is delivered again after its dispatch is acknowledged, and not run again.",
    source: "ours",
  },
  "rpc:server:unused": {
    behaviour: "A server that never got a message stops and closes cleanly.",
    source: "server.py:420-430",
    upstream: ["TestAmqpSend.test_listener_cleanup"],
  },
  "rpc:server:stop": {
    behaviour: "A stopped server takes no new requests, finishes those that it has, and can be started again.",
    source: "server.py:420-430",
  },
  "rpc:server:concurrency": {
    behaviour: "A server works on as many requests at once as its pool allows, and the others get their turn.",
    source: "server.py:384-417",
  },
  "rpc:server:requeue": {
    behaviour: "An incoming message that is requeued is released to the message bus.",
    source: "_drivers/impl_amqp1.py:161-165",
    upstream: ["TestAmqpSend.test_listener_requeue"],
  },
  "rpc:server:reply-not-taken": {
    behaviour:
      "A reply that gets no credit is discarded after its time, the caller times out, and the server goes on serving.",
    source: "_drivers/impl_amqp1.py:134-153",
    upstream: ["TestAmqpSend.test_call_reply_timeout"],
  },
  "rpc:server:reply-rejected": {
    behaviour:
      "A reply that is rejected, for its size for example, is replaced once by a failure that names the reason; a rejected failure is only logged.",
    source: "ours",
  },
  "rpc:server:unreadable-request": {
    behaviour: "A message whose body cannot be read is rejected and logged, and costs no credit.",
    source: "_drivers/amqp1_driver/controller.py:743-759",
  },
  "rpc:server:ping": {
    behaviour: "A server answers oslo_rpc_server_ping only if its option `ping` is set.",
    source: "rpc/dispatcher.py:163-212",
  },
  "rpc:server:expected-exceptions": {
    behaviour:
      "An exception that a method is expected to raise reaches the caller as any other, and is not logged as an error.",
    source: "rpc/server.py:229-256",
  },

  "rpc:dispatch:versions": {
    behaviour:
      "An endpoint serves its own major version and no newer minor one than it has; any other is UnsupportedVersion.",
    source: "rpc/dispatcher.py:267-320",
    upstream: ["CallTestCase.test_endpoint_version_namespace"],
  },
  "rpc:dispatch:namespaces": {
    behaviour: "An endpoint serves its own namespace and its legacy ones; any other is UnsupportedVersion.",
    source: "rpc/dispatcher.py:267-320",
  },
  "rpc:dispatch:no-such-method": {
    behaviour: "A method that no matching endpoint has is NoSuchMethod, including names of object prototypes.",
    source: "rpc/dispatcher.py:76-82",
  },
  "rpc:dispatch:access-policy": {
    behaviour:
      "The access policy says which methods can be called: all, those without an underscore, the exposed ones.",
    source: "rpc/dispatcher.py:97-139",
  },
  "rpc:dispatch:bad-endpoint": {
    behaviour: "An endpoint whose target is no Target is refused when the server is created.",
    source: "rpc/dispatcher.py:163-212",
    upstream: ["CallTestCase.test_bad_endpoint"],
  },
  "rpc:dispatch:bad-request": {
    behaviour: "A request that can be read but not served is answered with the reason.",
    source: "rpc/dispatcher.py:267-320",
  },

  "rpc:monitor:good": {
    behaviour: "A monitored call goes on beyond the monitor's time while heartbeats come.",
    source: "_drivers/amqp1_driver/controller.py:238-284",
    upstream: ["TestAmqpSend.test_call_monitor_ok", "CallTestCase.test_monitor_long_call"],
  },
  "rpc:monitor:silent": {
    behaviour: "A monitored call fails when heartbeats stay away for the monitor's time.",
    source: "_drivers/amqp1_driver/controller.py:238-284",
    upstream: ["TestAmqpSend.test_call_monitor_bad_no_heartbeat"],
  },
  "rpc:monitor:slow": {
    behaviour: "A monitored call fails at its timeout although heartbeats arrive.",
    source: "_drivers/amqp1_driver/controller.py:238-284",
    upstream: ["TestAmqpSend.test_call_monitor_bad_call_timeout"],
  },
  "rpc:monitor:heartbeats": {
    behaviour:
      "A server sends a heartbeat for every half of the monitor's time while the method runs, and none after it.",
    source: "rpc/dispatcher.py:232-265",
  },
} as const satisfies Requirements;
