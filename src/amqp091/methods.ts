import type { FieldTable } from "./field-table.js";

/** JavaScript types of the domains of AMQP 0-9-1 (4.2.1). Integers of 64 bits must be safe integers. */
interface FieldTypes {
  octet: number;
  short: number;
  long: number;
  longlong: number;
  bit: boolean;
  shortstr: string;
  longstr: Uint8Array;
  table: FieldTable;
}

export type FieldType = keyof FieldTypes;

type Definition = readonly [classId: number, methodId: number, fields: Readonly<Record<string, FieldType>>];

/**
 * The methods that a client sends or receives, with RabbitMQ's extensions. Names of methods are those of the specification,
 * names of fields are too, in camelCase.
 */
const DEFINITIONS = {
  "connection.start": [
    10,
    10,
    {
      versionMajor: "octet",
      versionMinor: "octet",
      serverProperties: "table",
      mechanisms: "longstr",
      locales: "longstr",
    },
  ],
  "connection.start-ok": [
    10,
    11,
    { clientProperties: "table", mechanism: "shortstr", response: "longstr", locale: "shortstr" },
  ],
  "connection.secure": [10, 20, { challenge: "longstr" }],
  "connection.secure-ok": [10, 21, { response: "longstr" }],
  "connection.tune": [10, 30, { channelMax: "short", frameMax: "long", heartbeat: "short" }],
  "connection.tune-ok": [10, 31, { channelMax: "short", frameMax: "long", heartbeat: "short" }],
  "connection.open": [10, 40, { virtualHost: "shortstr", reserved1: "shortstr", reserved2: "bit" }],
  "connection.open-ok": [10, 41, { reserved1: "shortstr" }],
  "connection.close": [10, 50, { replyCode: "short", replyText: "shortstr", classId: "short", methodId: "short" }],
  "connection.close-ok": [10, 51, {}],
  "connection.blocked": [10, 60, { reason: "shortstr" }],
  "connection.unblocked": [10, 61, {}],
  "connection.update-secret": [10, 70, { newSecret: "longstr", reason: "shortstr" }],
  "connection.update-secret-ok": [10, 71, {}],

  "channel.open": [20, 10, { reserved1: "shortstr" }],
  "channel.open-ok": [20, 11, { reserved1: "longstr" }],
  "channel.flow": [20, 20, { active: "bit" }],
  "channel.flow-ok": [20, 21, { active: "bit" }],
  "channel.close": [20, 40, { replyCode: "short", replyText: "shortstr", classId: "short", methodId: "short" }],
  "channel.close-ok": [20, 41, {}],

  "exchange.declare": [
    40,
    10,
    {
      reserved1: "short",
      exchange: "shortstr",
      type: "shortstr",
      passive: "bit",
      durable: "bit",
      autoDelete: "bit",
      internal: "bit",
      noWait: "bit",
      arguments: "table",
    },
  ],
  "exchange.declare-ok": [40, 11, {}],
  "exchange.delete": [40, 20, { reserved1: "short", exchange: "shortstr", ifUnused: "bit", noWait: "bit" }],
  "exchange.delete-ok": [40, 21, {}],

  "queue.declare": [
    50,
    10,
    {
      reserved1: "short",
      queue: "shortstr",
      passive: "bit",
      durable: "bit",
      exclusive: "bit",
      autoDelete: "bit",
      noWait: "bit",
      arguments: "table",
    },
  ],
  "queue.declare-ok": [50, 11, { queue: "shortstr", messageCount: "long", consumerCount: "long" }],
  "queue.bind": [
    50,
    20,
    {
      reserved1: "short",
      queue: "shortstr",
      exchange: "shortstr",
      routingKey: "shortstr",
      noWait: "bit",
      arguments: "table",
    },
  ],
  "queue.bind-ok": [50, 21, {}],
  "queue.purge": [50, 30, { reserved1: "short", queue: "shortstr", noWait: "bit" }],
  "queue.purge-ok": [50, 31, { messageCount: "long" }],
  "queue.delete": [50, 40, { reserved1: "short", queue: "shortstr", ifUnused: "bit", ifEmpty: "bit", noWait: "bit" }],
  "queue.delete-ok": [50, 41, { messageCount: "long" }],
  "queue.unbind": [
    50,
    50,
    { reserved1: "short", queue: "shortstr", exchange: "shortstr", routingKey: "shortstr", arguments: "table" },
  ],
  "queue.unbind-ok": [50, 51, {}],

  "basic.qos": [60, 10, { prefetchSize: "long", prefetchCount: "short", global: "bit" }],
  "basic.qos-ok": [60, 11, {}],
  "basic.consume": [
    60,
    20,
    {
      reserved1: "short",
      queue: "shortstr",
      consumerTag: "shortstr",
      noLocal: "bit",
      noAck: "bit",
      exclusive: "bit",
      noWait: "bit",
      arguments: "table",
    },
  ],
  "basic.consume-ok": [60, 21, { consumerTag: "shortstr" }],
  "basic.cancel": [60, 30, { consumerTag: "shortstr", noWait: "bit" }],
  "basic.cancel-ok": [60, 31, { consumerTag: "shortstr" }],
  "basic.publish": [
    60,
    40,
    { reserved1: "short", exchange: "shortstr", routingKey: "shortstr", mandatory: "bit", immediate: "bit" },
  ],
  "basic.return": [60, 50, { replyCode: "short", replyText: "shortstr", exchange: "shortstr", routingKey: "shortstr" }],
  "basic.deliver": [
    60,
    60,
    {
      consumerTag: "shortstr",
      deliveryTag: "longlong",
      redelivered: "bit",
      exchange: "shortstr",
      routingKey: "shortstr",
    },
  ],
  "basic.ack": [60, 80, { deliveryTag: "longlong", multiple: "bit" }],
  "basic.reject": [60, 90, { deliveryTag: "longlong", requeue: "bit" }],
  "basic.nack": [60, 120, { deliveryTag: "longlong", multiple: "bit", requeue: "bit" }],

  "confirm.select": [85, 10, { noWait: "bit" }],
  "confirm.select-ok": [85, 11, {}],
} as const satisfies Readonly<Record<string, Definition>>;

type Definitions = typeof DEFINITIONS;

export type MethodName = keyof Definitions;

/** All fields of a method. */
export type Fields<M extends MethodName> = {
  [F in keyof Definitions[M][2]]: Definitions[M][2][F] extends FieldType ? FieldTypes[Definitions[M][2][F]] : never;
};

/** Fields of a method to send. Omitted ones are false, 0 or empty. */
export type SentFields<M extends MethodName> = Partial<Fields<M>>;

/** Methods that the peer answers with the method of this name and `-ok`. */
export type RequestName = {
  [M in MethodName]: `${M}-ok` extends MethodName ? M : never;
}[MethodName];

/** Fields of the answer to a request. */
export type AnswerFields<M extends RequestName> = `${M}-ok` extends MethodName ? Fields<`${M}-ok`> : never;

export interface Method {
  readonly name: MethodName;
  readonly classId: number;
  readonly methodId: number;
  /** Names and types of the fields, in order. */
  readonly fields: readonly (readonly [name: string, type: FieldType])[];
}

const BY_NAME = new Map<string, Method>();
const BY_CODE = new Map<number, Method>();
for (const [name, [classId, methodId, fields]] of Object.entries(DEFINITIONS)) {
  const method: Method = { name: name as MethodName, classId, methodId, fields: Object.entries(fields) };
  BY_NAME.set(name, method);
  BY_CODE.set(methodCode(classId, methodId), method);
}

/** One number for class and method, as the first four bytes of a method frame's payload. */
function methodCode(classId: number, methodId: number): number {
  return classId * 0x1_0000 + methodId;
}

export function methodByCode(classId: number, methodId: number): Method | undefined {
  return BY_CODE.get(methodCode(classId, methodId));
}

export function methodByName(name: MethodName | `${RequestName}-ok`): Method {
  const method = BY_NAME.get(name);
  if (method === undefined) throw new RangeError(`unknown method ${name}`);
  return method;
}

/** Codes of the methods that move messages. They are read and written without the table. */
export const BASIC_PUBLISH = methodCode(60, 40);
export const BASIC_RETURN = methodCode(60, 50);
export const BASIC_DELIVER = methodCode(60, 60);
export const BASIC_ACK = methodCode(60, 80);
export const BASIC_REJECT = methodCode(60, 90);
export const BASIC_NACK = methodCode(60, 120);
/** Class of content headers. */
export const BASIC = 60;
