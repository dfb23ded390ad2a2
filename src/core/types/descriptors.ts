// Performatives (transport 2.7).
export const OPEN = 0x10;
export const BEGIN = 0x11;
export const ATTACH = 0x12;
export const FLOW = 0x13;
export const TRANSFER = 0x14;
export const DISPOSITION = 0x15;
export const DETACH = 0x16;
export const END = 0x17;
export const CLOSE = 0x18;

// The error that a performative or an outcome carries (transport 2.8.14).
export const ERROR = 0x1d;

// Delivery states (messaging 3.4).
export const RECEIVED_STATE = 0x23;
export const ACCEPTED_STATE = 0x24;
export const REJECTED_STATE = 0x25;
export const RELEASED_STATE = 0x26;
export const MODIFIED_STATE = 0x27;

// Termini (messaging 3.5).
export const SOURCE = 0x28;
export const TARGET = 0x29;

// SASL frames (security 5.3.3).
export const SASL_MECHANISMS = 0x40;
export const SASL_INIT = 0x41;
export const SASL_CHALLENGE = 0x42;
export const SASL_RESPONSE = 0x43;
export const SASL_OUTCOME = 0x44;

// Message sections (messaging 3.2).
export const HEADER = 0x70;
export const DELIVERY_ANNOTATIONS = 0x71;
export const MESSAGE_ANNOTATIONS = 0x72;
export const PROPERTIES = 0x73;
export const APPLICATION_PROPERTIES = 0x74;
export const DATA = 0x75;
export const AMQP_SEQUENCE = 0x76;
export const AMQP_VALUE = 0x77;
export const FOOTER = 0x78;

/** Symbolic descriptors and their numeric codes. */
const DESCRIPTORS: readonly (readonly [name: string, code: number])[] = [
  ["amqp:open:list", OPEN],
  ["amqp:begin:list", BEGIN],
  ["amqp:attach:list", ATTACH],
  ["amqp:flow:list", FLOW],
  ["amqp:transfer:list", TRANSFER],
  ["amqp:disposition:list", DISPOSITION],
  ["amqp:detach:list", DETACH],
  ["amqp:end:list", END],
  ["amqp:close:list", CLOSE],
  ["amqp:error:list", ERROR],
  ["amqp:received:list", RECEIVED_STATE],
  ["amqp:accepted:list", ACCEPTED_STATE],
  ["amqp:rejected:list", REJECTED_STATE],
  ["amqp:released:list", RELEASED_STATE],
  ["amqp:modified:list", MODIFIED_STATE],
  ["amqp:source:list", SOURCE],
  ["amqp:target:list", TARGET],
  ["amqp:sasl-mechanisms:list", SASL_MECHANISMS],
  ["amqp:sasl-init:list", SASL_INIT],
  ["amqp:sasl-challenge:list", SASL_CHALLENGE],
  ["amqp:sasl-response:list", SASL_RESPONSE],
  ["amqp:sasl-outcome:list", SASL_OUTCOME],
  ["amqp:header:list", HEADER],
  ["amqp:delivery-annotations:map", DELIVERY_ANNOTATIONS],
  ["amqp:message-annotations:map", MESSAGE_ANNOTATIONS],
  ["amqp:properties:list", PROPERTIES],
  ["amqp:application-properties:map", APPLICATION_PROPERTIES],
  ["amqp:data:binary", DATA],
  ["amqp:amqp-sequence:list", AMQP_SEQUENCE],
  ["amqp:amqp-value:*", AMQP_VALUE],
  ["amqp:footer:map", FOOTER],
];

const NAMES: ReadonlyMap<number, string> = new Map(DESCRIPTORS.map(([name, code]) => [code, name]));
const CODES: ReadonlyMap<string, number> = new Map(DESCRIPTORS);

/** Numeric code of a symbolic descriptor; undefined for one that AMQP does not define. */
export function descriptorCode(name: string): number | undefined {
  return CODES.get(name);
}

/** AMQP's name for a descriptor, such as `open` or `amqp-value`; undefined for a code that it does not define. */
export function descriptorName(code: number): string | undefined {
  return NAMES.get(code)?.split(":")[1];
}
