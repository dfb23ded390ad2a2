import type { Requirements } from "./requirement.js";

/** Outcomes of sent messages, and the links that carry them. */
export const SENDING = {
  "send:timeout": {
    behaviour:
      "A message without credit fails after its timeout: with MessagingTimeout for the caller's, with MessageDeliveryFailure for the default.",
    source: "_drivers/amqp1_driver/controller.py:148-162",
  },
  "send:timeout:told": {
    behaviour: "A timeout names its phase, address and host.",
    source: "ours",
  },
  "send:signal": {
    behaviour: "An AbortSignal ends a call in each of its phases, with its reason.",
    source: "ours",
  },
  "send:fail-fast": {
    behaviour: "With failFast a call whose connection is lost fails at once.",
    source: "ours",
  },
  "send:queue:bound": {
    behaviour: "A message above the bound of queued messages or bytes is refused; the error names the bound.",
    source: "ours",
  },
  "send:queue:writable": {
    behaviour: "A caller can wait until the queue has room for another message.",
    source: "ours",
  },
  "send:not-acknowledged": {
    behaviour: "A message that is never acknowledged fails after its time.",
    source: "_drivers/amqp1_driver/controller.py:148-162",
    upstream: ["TestAmqpSend.test_send_not_acked"],
  },
  "send:pre-settled": {
    behaviour: "A pre-settled cast resolves once it is sent, with or without an acknowledgement.",
    source: "_drivers/impl_amqp1.py:223-263",
    upstream: ["TestAmqpSend.test_no_ack_cast"],
  },
  "send:pre-settled:kinds": {
    behaviour: "Calls, casts, notifications and replies are pre-settled, each as pre_settled says.",
    source: "_drivers/impl_amqp1.py:223-263",
  },
  "send:released": {
    behaviour: "A message that is released is sent again after link_retry_delay.",
    source: "_drivers/amqp1_driver/controller.py:478-498",
    upstream: ["TestMessageRetransmit.test_released"],
  },
  "send:modified": {
    behaviour: "A message that is modified, and has neither failed nor is undeliverable, is sent again.",
    source: "_drivers/amqp1_driver/controller.py:478-498",
    upstream: ["TestMessageRetransmit.test_modified"],
  },
  "send:modified-failed": {
    behaviour: "A message that is modified as failed, or as undeliverable here, fails at once.",
    source: "_drivers/amqp1_driver/controller.py:478-498",
    upstream: ["TestMessageRetransmit.test_modified_failed"],
  },
  "send:rejected": {
    behaviour: "A message that is rejected fails at once, with the peer's reason.",
    source: "_drivers/amqp1_driver/controller.py:478-498",
    upstream: ["TestMessageRetransmit.test_rejected"],
  },
  "send:too-large": {
    behaviour: "A message beyond the peer's max-message-size fails at once, with both sizes.",
    source: "ours",
  },
  "send:retries": {
    behaviour: "A message is sent again as often as its retries allow.",
    source: "_drivers/amqp1_driver/controller.py:184-190",
  },
  "send:connection-lost": {
    behaviour:
      "When the connection is lost, unacknowledged messages fail, and unsent ones wait for the next connection.",
    source: "_drivers/amqp1_driver/controller.py:449-454",
  },

  "link:sender:refused": {
    behaviour:
      "A sending link that is closed by the peer is attached again after link_retry_delay, while retries remain.",
    source: "_drivers/amqp1_driver/controller.py:438-447",
    upstream: ["TestLinkRecovery.test_send_retry_ok"],
  },
  "link:sender:refused-too-often": {
    behaviour:
      "A message that waits for a sending link fails when the link is closed more often than its retries allow.",
    source: "_drivers/amqp1_driver/controller.py:438-447",
    upstream: ["TestLinkRecovery.test_send_retry_fail"],
  },
  "link:sender:blocked": {
    behaviour: "Messages that wait for credit on one link delay no other link, and are sent when credit arrives.",
    source: "_drivers/amqp1_driver/controller.py:511-526",
    upstream: ["TestLinkRecovery.test_sender_credit_blocked"],
  },
  "link:sender:idle": {
    behaviour:
      "A sending link that is idle for default_sender_link_timeout is detached, and the next message gets a new one.",
    source: "_drivers/amqp1_driver/controller.py:1310-1328",
    upstream: ["TestAmqpSend.test_sender_link_maintenance"],
  },
  "link:listener:recovery": {
    behaviour: "Each link of a listener that is closed is attached again after link_retry_delay, under its name.",
    source: "_drivers/amqp1_driver/controller.py:734-741",
    upstream: ["TestLinkRecovery.test_listener_recovery"],
  },
  "link:reply:loss": {
    behaviour: "The loss of the reply link ends the connection, and the next one has another.",
    source: "_drivers/amqp1_driver/controller.py:1139-1145",
  },
  "link:credit:minimal": {
    behaviour: "With a credit of 1 for requests and replies all calls are answered, one after the other.",
    source: "_drivers/amqp1_driver/controller.py:761-770",
    upstream: ["TestAmqpSend.test_sender_minimal_credit"],
  },
  "link:credit:returned": {
    behaviour: "The credit of a message is returned when the message is settled.",
    source: "_drivers/amqp1_driver/controller.py:747-756",
  },
} as const satisfies Requirements;
