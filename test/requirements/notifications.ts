import type { Requirements } from "./requirement.js";

/** Notifiers and notification listeners. */
export const NOTIFICATIONS = {
  "notify:event": {
    behaviour: "A notification arrives with its priority, publisher, event type, payload and metadata.",
    source: "notify/notifier.py:341-367",
    upstream: ["NotifyTestCase.test_simple"],
  },
  "notify:priorities": {
    behaviour: "Each priority arrives at the endpoint method of its name.",
    source: "notify/dispatcher.py:35-104",
    upstream: ["NotifyTestCase.test_all_categories"],
  },
  "notify:topics": {
    behaviour: "A notifier sends to each of its topics, and a listener can listen to several.",
    source: "notify/messaging.py:73-84",
    upstream: ["NotifyTestCase.test_multiple_topics"],
  },
  "notify:topics:independent": {
    behaviour: "Listeners of different topics hear only their own, side by side.",
    source: "notify/messaging.py:73-84",
    upstream: ["NotifyTestCase.test_independent_topics"],
  },
  "notify:listeners-share": {
    behaviour: "The notifications of a topic are shared by its listeners, each going to one.",
    source: "_drivers/amqp1_driver/controller.py:809-815",
    upstream: ["NotifyTestCase.test_multiple_servers"],
  },
  "notify:topic-and-priority": {
    behaviour:
      "A listener hears the priorities of a topic that it has methods for, in both versions of the envelope; " +
      "no other priority or topic reaches it.",
    source: "notify/listener.py:146-167",
    upstream: ["TestAmqpNotification.test_notification"],
  },
  "notify:envelope": {
    behaviour:
      "The driver messaging writes no envelope, messagingv2 the one of version 2.0, and a listener reads both.",
    source: "_drivers/common.py:297-339",
  },
  "notify:drivers": {
    behaviour: "A notifier's drivers log, noop, test and routing do what oslo's do.",
    source: "notify/_impl_routing.py:37-136",
  },
  "notify:drivers:default": {
    behaviour: "A notifier in code has the driver messagingv2.",
    source: "ours",
  },
  "notify:drivers:routing-file": {
    behaviour: "The rules of the driver routing are read from its YAML file.",
    source: "ours",
  },
  "notify:enabled": {
    behaviour: "A notifier says whether it has any driver but noop.",
    source: "notify/notifier.py:475-482",
  },
  "notify:context": {
    behaviour: "Only the chosen part of the context is sent.",
    source: "notify/notifier.py:174-216",
  },
  "notify:filter": {
    behaviour: "An endpoint with a filter gets what matches it, as Python's re.match would.",
    source: "notify/filter.py:19-89",
  },
  "notify:acknowledged-after": {
    behaviour: "A notification is acknowledged after its endpoints have handled it.",
    source: "notify/listener.py:183-198",
  },
  "notify:requeue": {
    behaviour: "A notification that an endpoint requeues or fails on is delivered again if the listener allows it.",
    source: "notify/listener.py:183-198",
  },
  "notify:no-requeue": {
    behaviour:
      "A notification that an endpoint requeues or fails on is acknowledged unless the listener allows requeueing.",
    source: "notify/listener.py:183-198",
  },
  "notify:unheard": {
    behaviour: "A notification without a listener fails through a router, and is kept by a broker.",
    source: "_drivers/impl_amqp1.py:366-397",
  },
  "notify:released": {
    behaviour: "A notification that is released and has no retry left fails as undelivered.",
    source: "_drivers/amqp1_driver/controller.py:478-498",
    upstream: ["TestAmqpNotification.test_released_notification"],
  },
  "notify:not-acknowledged": {
    behaviour: "A notification that is never acknowledged fails after default_notify_timeout.",
    source: "_drivers/impl_amqp1.py:366-397",
    upstream: ["TestAmqpNotification.test_notification_not_acked"],
  },
  "notify:pre-settled": {
    behaviour: "A pre-settled notification resolves once it is sent, with or without an acknowledgement.",
    source: "_drivers/impl_amqp1.py:223-263",
    upstream: ["TestAmqpNotification.test_no_ack_notification"],
  },
  "notify:batch": {
    behaviour: "A batch listener hands over full batches, and open ones after its timeout.",
    source: "_drivers/base.py:36-61",
    upstream: ["NotifyTestCase.test_simple_batch"],
  },
  "notify:batch:first": {
    behaviour: "The timeout of a batch counts from its first notification.",
    source: "ours",
  },
  "notify:batch:limit": {
    behaviour: "A batch listener needs a size or a timeout.",
    source: "ours",
  },
  "notify:batch:credit": {
    behaviour: "A batch listener has the credit for a whole batch, so that it can fill.",
    source: "ours",
  },
  "notify:batch:router": {
    behaviour:
      "A batch listener behind a router warns of it, with its figures, and when notifiers have waited for a timeout.",
    source: "ours",
  },
  "notify:router": {
    behaviour: "Notifications through a router are warned about, once: it stores nothing.",
    source: "ours",
  },
  "notify:hybrid": {
    behaviour: "RPC and notifications of one process can use two message buses.",
    source: "ours",
  },
} as const satisfies Requirements;
