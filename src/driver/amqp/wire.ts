import { kindOf } from "../../core/kinds.js";
import type { Body, Message } from "../../core/messages/message.js";
import type { RequestBody } from "../driver.js";
import { MessagingException, type RemoteFailure } from "../exceptions.js";
import type { Reply } from "../sending/pending-reply.js";
import { envelopeOf, openEnvelope, parseObject } from "../values/envelope.js";
import { type NonFiniteNumbers, toJson } from "../values/json.js";
import { monitorMs, monitorSeconds } from "../values/monitor-timeout.js";
import { failureFromJson, failureToJson } from "../values/remote-failure.js";

export interface RequestInit {
  body: RequestBody;
  context: object;
  callMonitorTimeoutMs?: number | undefined;
}

/**
 * The body of an RPC request. Requests have no envelope (oslo_messaging/_drivers/impl_amqp1.py marshal_request).
 *
 * @throws TypeError for a value that JSON cannot hold. The other encoders throw it too.
 */
export function encodeRequest({ body, context, callMonitorTimeoutMs }: RequestInit): Body {
  const { method, args, namespace, version } = body;
  return jsonBody({
    request: { method, args, namespace, version },
    context,
    call_monitor_timeout: callMonitorTimeoutMs === undefined ? undefined : monitorSeconds(callMonitorTimeoutMs),
  });
}

export interface NotificationInit {
  body: object;
  context: object;
  /** Wrap the body in the envelope of version 2.0. */
  envelope: boolean;
}

export function encodeNotification({ body, context, envelope }: NotificationInit): Body {
  const request = envelope ? envelopeOf(toJson(body)) : body;
  return jsonBody({ request, context });
}

export function encodeReply(value: unknown): Body {
  return jsonBody({ response: value === undefined ? null : value });
}

export function encodeFailure(failure: RemoteFailure): Body {
  return jsonBody({ failure: failureToJson(failure) });
}

/** The body of a call monitor's heartbeat. Python sends no body, which some brokers refuse. */
export const HEARTBEAT: Body = { type: "value", value: null };

export interface DecodedRequest {
  /** The request or the notification without its envelope. It is untrusted input: any JSON value. */
  readonly body: unknown;
  readonly context: object;
  readonly callMonitorTimeoutMs: number | undefined;
}

/**
 * Reads a request or a notification, with or without an envelope.
 *
 * @throws MessagingException for a body that cannot be read, or an envelope of an incompatible version.
 */
export function decodeRequest(message: Message, nonFinite?: NonFiniteNumbers): DecodedRequest {
  const part = "The body of a request";
  const text = textOf(message.body, part);
  if (text === undefined) throw new MessagingException(`${part} is missing`);
  const { request, context, call_monitor_timeout } = parseObject(text, part, nonFinite);
  if (request === undefined) throw new MessagingException(`${part} has no "request"`);
  if (context !== undefined && !(typeof context === "object" && !Array.isArray(context))) {
    throw new MessagingException(`The context of a request is not an object but ${kindOf(context)}`);
  }
  const body = openEnvelope(request, nonFinite);
  return { body, context: context ?? {}, callMonitorTimeoutMs: monitorMs(call_monitor_timeout) };
}

export type DecodedReply = Reply | { readonly type: "heartbeat" };

/**
 * Reads a reply (impl_amqp1.py unmarshal_response). A message without a body, or with null, is a heartbeat.
 *
 * @throws MessagingException for a body that cannot be read.
 */
export function decodeReply(message: Message, nonFinite?: NonFiniteNumbers): DecodedReply {
  const part = "The body of a reply";
  const text = textOf(message.body, part);
  if (text === undefined) return { type: "heartbeat" };
  const { failure, response } = parseObject(text, part, nonFinite);
  if (failure !== undefined && failure !== null) return { type: "failure", failure: failureFromJson(failure) };
  return { type: "response", value: response === undefined ? null : response };
}

/** JSON text in an amqp-value section, as proton encodes a Python string. */
function jsonBody(value: object): Body {
  return { type: "value", value: toJson(value) };
}

function textOf(body: Body | undefined, part: string): string | undefined {
  if (body === undefined) return undefined;
  switch (body.type) {
    case "value":
      if (body.value === null) return undefined;
      if (typeof body.value === "string") return body.value;
      throw new MessagingException(`${part} is an amqp-value section that holds ${kindOf(body.value)}, not text`);
    case "data":
      try {
        return new TextDecoder("utf-8", { fatal: true }).decode(body.bytes);
      } catch {
        throw new MessagingException(`${part} is a data section of ${body.bytes.length} bytes that are not UTF-8 text`);
      }
    case "sequence":
      throw new MessagingException(`${part} is an amqp-sequence section, which holds no text`);
    default:
      return body satisfies never;
  }
}
