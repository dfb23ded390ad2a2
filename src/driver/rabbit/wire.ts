import { kindOf } from "../../core/kinds.js";
import { readUtf8, utf8Encoder } from "../../core/types/utf8.js";
import type { RequestBody } from "../driver.js";
import { MessagingException, type RemoteFailure } from "../exceptions.js";
import type { Reply } from "../sending/pending-reply.js";
import { envelopeOf, openEnvelope, parseObject } from "../values/envelope.js";
import { isJsonObject, type NonFiniteNumbers, toJson } from "../values/json.js";
import { monitorMs, monitorSeconds } from "../values/monitor-timeout.js";
import { failureFromJson, failureToJson } from "../values/remote-failure.js";

/** Content type of every message. */
export const JSON_TYPE = "application/json";

/** Where the server of a call sends its replies. */
export interface ReplyTo {
  messageId: string;
  replyQueue: string;
  callMonitorTimeoutMs: number | undefined;
}

export interface RequestInit {
  body: RequestBody;
  context: object;
  /** Identifies the message: a repeat has the same. */
  uniqueId: string;
  /** Undefined for a cast. */
  replyTo?: ReplyTo | undefined;
}

/**
 * The body of an RPC request, in an envelope (oslo_messaging/_drivers/amqpdriver.py _send).
 *
 * @throws TypeError for a value that JSON cannot hold. The other encoders throw it too.
 */
export function encodeRequest({ body, context, uniqueId, replyTo }: RequestInit): Uint8Array {
  const { method, args, namespace, version } = body;
  const request = { method, args, namespace, version, ...(replyTo && replyMembers(replyTo)) };
  return enveloped(withContext({ ...request, [UNIQUE_ID]: uniqueId }, context));
}

export interface NotificationInit {
  body: object;
  context: object;
  uniqueId: string;
  /** Wrap the body in the envelope of version 2.0. */
  envelope: boolean;
}

export function encodeNotification({ body, context, uniqueId, envelope }: NotificationInit): Uint8Array {
  const message = withContext({ ...body, [UNIQUE_ID]: uniqueId }, context);
  return envelope ? enveloped(message) : utf8Encoder().encode(toJson(message));
}

export interface ReplyIds {
  /** Message ID of the request. */
  messageId: string;
  /** A new one for each attempt to send the reply. */
  uniqueId: string;
}

export function encodeReply(value: unknown, ids: ReplyIds): Uint8Array {
  return encodedReply(value === undefined ? null : value, null, true, ids);
}

export function encodeFailure(failure: RemoteFailure, ids: ReplyIds): Uint8Array {
  return encodedReply(null, failureToJson(failure), true, ids);
}

/** The body of a call monitor's heartbeat. */
export function encodeHeartbeat(ids: ReplyIds): Uint8Array {
  return encodedReply(null, null, false, ids);
}

/** The parts of a received message that are read. Its body is not compressed any more. */
export interface ReceivedMessage {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
}

export interface DecodedRequest {
  /** The request or the notification without its envelope, its context and its ids. Its members are untrusted input. */
  readonly body: Record<string, unknown>;
  readonly context: object;
  /** Identifies the message: a repeat has the same. */
  readonly uniqueId: string | undefined;
  /** Undefined when the sender does not wait for a reply. */
  readonly replyTo: ReplyTo | undefined;
}

/**
 * Reads a request or a notification, with or without an envelope.
 *
 * @throws MessagingException for another content type, a body that cannot be read, or an envelope of an incompatible version.
 */
export function decodeRequest(message: ReceivedMessage, nonFinite?: NonFiniteNumbers): DecodedRequest {
  const members = readMembers(message, "request", nonFinite);
  const body: [name: string, value: unknown][] = [];
  const context: [name: string, value: unknown][] = [];
  for (const [name, value] of Object.entries(members)) {
    if (name.startsWith(CONTEXT)) context.push([name.slice(CONTEXT.length), value]);
    else if (!IDS.includes(name)) body.push([name, value]);
  }
  const { [MESSAGE_ID]: messageId, [REPLY_QUEUE]: replyQueue, [TIMEOUT]: timeout, [UNIQUE_ID]: uniqueId } = members;
  const isCall = isId(messageId) && isId(replyQueue);
  return {
    body: Object.fromEntries(body),
    context: Object.fromEntries(context),
    uniqueId: isId(uniqueId) ? uniqueId : undefined,
    replyTo: isCall ? { messageId, replyQueue, callMonitorTimeoutMs: monitorMs(timeout) } : undefined,
  };
}

export interface DecodedReply {
  /** Message ID of the request. */
  readonly messageId: string;
  /**
   * Undefined without a failure or a result: a heartbeat, or with `ending` a result of null. Old servers send the result
   * first, and then the ending without a result.
   */
  readonly reply: Reply | undefined;
  /** True for the last message of the reply. */
  readonly ending: boolean;
}

/**
 * Reads a reply (amqpdriver.py _process_reply).
 *
 * @throws MessagingException for a body that cannot be read.
 */
export function decodeReply(message: ReceivedMessage, nonFinite?: NonFiniteNumbers): DecodedReply {
  const { [MESSAGE_ID]: messageId, failure, result, ending } = readMembers(message, "reply", nonFinite);
  if (!isId(messageId)) throw new MessagingException(`The body of a reply has no "${MESSAGE_ID}"`);
  return { messageId, reply: replyOf(failure, result), ending: ending === true };
}

const MESSAGE_ID = "_msg_id";
const REPLY_QUEUE = "_reply_q";
const TIMEOUT = "_timeout";
const UNIQUE_ID = "_unique_id";
/** Members that are not part of the message. */
const IDS: readonly string[] = [MESSAGE_ID, REPLY_QUEUE, TIMEOUT, UNIQUE_ID];
/** Prefix of the members of the context. */
const CONTEXT = "_context_";

function replyMembers({ messageId, replyQueue, callMonitorTimeoutMs }: ReplyTo): object {
  return {
    [MESSAGE_ID]: messageId,
    [REPLY_QUEUE]: replyQueue,
    [TIMEOUT]: callMonitorTimeoutMs === undefined ? null : monitorSeconds(callMonitorTimeoutMs),
  };
}

function withContext(message: Record<string, unknown>, context: object): object {
  for (const [name, value] of Object.entries(context)) message[CONTEXT + name] = value;
  return message;
}

function encodedReply(result: unknown, failure: string | null, ending: boolean, ids: ReplyIds): Uint8Array {
  return enveloped({ result, failure, ending, [MESSAGE_ID]: ids.messageId, [UNIQUE_ID]: ids.uniqueId });
}

/** The envelope holds text only, which JSON can always represent. */
function enveloped(message: object): Uint8Array {
  return utf8Encoder().encode(JSON.stringify(envelopeOf(toJson(message))));
}

/** The members of a message, after its envelope. */
function readMembers(
  { body, contentType }: ReceivedMessage,
  kind: "request" | "reply",
  nonFinite: NonFiniteNumbers | undefined,
): Record<string, unknown> {
  if (contentType !== JSON_TYPE) {
    const given = contentType === undefined ? "no content type" : `the content type ${contentType.slice(0, 40)}`;
    throw new MessagingException(`The body of a ${kind} has ${given}, not ${JSON_TYPE}`);
  }
  const source = `The body of a ${kind}`;
  const message = openEnvelope(parseObject(textOf(body, source), source, nonFinite), nonFinite);
  if (isJsonObject(message)) return message;
  throw new MessagingException(`The message of a ${kind} is not a JSON object but ${kindOf(message)}`);
}

function textOf(bytes: Uint8Array, source: string): string {
  const text = readUtf8(bytes, 0, bytes.length);
  if (text !== undefined) return text;
  throw new MessagingException(`${source} is ${bytes.length} bytes that are not UTF-8 text`);
}

function replyOf(failure: unknown, result: unknown): Reply | undefined {
  if (failure !== undefined && failure !== null) return { type: "failure", failure: failureFromJson(failure) };
  return result === undefined || result === null ? undefined : { type: "response", value: result };
}

function isId(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
