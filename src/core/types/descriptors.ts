/** Symbolic descriptors and their numbers: frames (transport 2.7, security 5.3), sections and outcomes (messaging 3.2 to 3.5). */
const DESCRIPTORS: readonly (readonly [name: string, code: number])[] = [
  ["amqp:open:list", 0x10],
  ["amqp:begin:list", 0x11],
  ["amqp:attach:list", 0x12],
  ["amqp:flow:list", 0x13],
  ["amqp:transfer:list", 0x14],
  ["amqp:disposition:list", 0x15],
  ["amqp:detach:list", 0x16],
  ["amqp:end:list", 0x17],
  ["amqp:close:list", 0x18],
  ["amqp:error:list", 0x1d],
  ["amqp:received:list", 0x23],
  ["amqp:accepted:list", 0x24],
  ["amqp:rejected:list", 0x25],
  ["amqp:released:list", 0x26],
  ["amqp:modified:list", 0x27],
  ["amqp:source:list", 0x28],
  ["amqp:target:list", 0x29],
  ["amqp:sasl-mechanisms:list", 0x40],
  ["amqp:sasl-init:list", 0x41],
  ["amqp:sasl-challenge:list", 0x42],
  ["amqp:sasl-response:list", 0x43],
  ["amqp:sasl-outcome:list", 0x44],
  ["amqp:header:list", 0x70],
  ["amqp:delivery-annotations:map", 0x71],
  ["amqp:message-annotations:map", 0x72],
  ["amqp:properties:list", 0x73],
  ["amqp:application-properties:map", 0x74],
  ["amqp:data:binary", 0x75],
  ["amqp:amqp-sequence:list", 0x76],
  ["amqp:amqp-value:*", 0x77],
  ["amqp:footer:map", 0x78],
];

const NAMES: ReadonlyMap<number, string> = new Map(DESCRIPTORS.map(([name, code]) => [code, name]));
const CODES: ReadonlyMap<string, number> = new Map(DESCRIPTORS);

/** The number that stands for a symbolic descriptor; undefined for one that AMQP does not define. */
export function descriptorCode(name: string): number | undefined {
  return CODES.get(name);
}

/** What AMQP calls it: `open`, `amqp-value`; undefined for a number that it does not define. */
export function descriptorName(code: number): string | undefined {
  return NAMES.get(code)?.split(":")[1];
}
