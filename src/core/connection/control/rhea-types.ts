import { endFrame } from "../../frames/performatives.js";
import { NULL } from "../../types/codes.js";
import { ERROR } from "../../types/descriptors.js";
import type { Reader } from "../../types/reader.js";
import type { Writer } from "../../types/writer.js";

// The module `types` of rhea for the modules that define performatives and termini. It has this library's codec, which checks
// bounds and is in every bundle already, in the place of rhea's own, which needs Node's Buffer.

interface FieldDefinition {
  readonly name: string;
  /** Name of the AMQP type. `*`: a terminus or an outcome. */
  readonly type: string;
}

interface Definition {
  readonly name: string;
  readonly code: number;
  readonly fields: readonly FieldDefinition[];
}

/** A performative, a terminus or an error. Its fields are accessible by their names, too. */
export class Composite {
  readonly definition: Definition;
  /** Values in the order of the fields. */
  readonly value: unknown[];

  constructor(definition: Definition, value: unknown[]) {
    this.definition = definition;
    this.value = value;
  }

  get descriptor(): { value: number } {
    return { value: this.definition.code };
  }

  described(): this {
    return this;
  }

  /** Calls the handler of the performative: `on_open`, `on_begin` and so on. */
  dispatch(handler: object, frame: object): void {
    Reflect.get(handler, `on_${this.definition.name}`).call(handler, frame);
  }
}

/** A class with the accessors of one definition. */
type CompositeClass = new (value?: unknown[]) => Composite;

const classes = new Map<number, CompositeClass>();

function defineComposite(definition: Definition): object {
  const type = class extends Composite {
    constructor(value: unknown[] = []) {
      super(definition, value);
    }
  };
  for (const [index, { name }] of definition.fields.entries()) {
    Object.defineProperty(type.prototype, name, {
      get(this: Composite) {
        return this.value[index];
      },
      set(this: Composite, value: unknown) {
        this.value[index] = value;
      },
      enumerable: true,
    });
  }
  classes.set(definition.code, type);
  const create = (fields?: object): Composite => Object.assign(new type(), fields);
  return Object.assign(type, { create, descriptor: { numeric: definition.code } });
}

defineComposite({
  name: "error",
  code: ERROR,
  fields: [
    { name: "condition", type: "symbol" },
    { name: "description", type: "string" },
    { name: "info", type: "map" },
  ],
});

/** Fields that are never used. They may contain any types. */
const UNUSED: ReadonlySet<string> = new Set(["unsettled", "default_outcome", "filter", "dynamic_node_properties"]);

/**
 * Reads the performative of a frame that `checkControlFrame` has checked.
 *
 * @throws ProtocolError when a field is malformed.
 */
export function readPerformative(reader: Reader): Composite {
  const code = reader.described();
  const type = classes.get(code);
  if (type === undefined) throw reader.error(`unknown descriptor 0x${code.toString(16)}`);
  const performative = new type();
  const { fields } = performative.definition;
  const count = reader.list();
  const end = reader.listEnd;
  for (const field of fields.slice(0, count)) performative.value.push(readField(reader, field));
  reader.leaveList(count - performative.value.length, end);
  return performative;
}

function readField(reader: Reader, { name, type }: FieldDefinition): unknown {
  if (UNUSED.has(name) || reader.bytes[reader.at] === NULL) {
    reader.skip();
    return undefined;
  }
  if (type === "*" || type === "error") return readPerformative(reader);
  const value = reader.value();
  return typeof value === "bigint" ? Number(value) : value;
}

/**
 * Writes a frame and returns its bytes, which the caller owns.
 *
 * @throws RangeError for a symbol that is not ASCII, or a number out of range.
 */
export function writeFrame(writer: Writer, channel: number, performative: Composite): Uint8Array {
  try {
    writer.append(Uint8Array.of(0, 0, 0, 0, 2, 0, channel >>> 8, channel));
    writeComposite(writer, performative);
    endFrame(writer, 0);
    return writer.take();
  } finally {
    writer.at = writer.from;
  }
}

function writeComposite(writer: Writer, { definition, value }: Composite): void {
  writer.descriptor(definition.code);
  const list = writer.beginList();
  for (const [index, field] of definition.fields.slice(0, value.length).entries()) {
    writeField(writer, field, value[index]);
  }
  writer.endList(list, value.length);
}

function writeField(writer: Writer, { type }: FieldDefinition, value: unknown): void {
  if (value === undefined) writer.null();
  else if (value instanceof Composite) writeComposite(writer, value);
  else if (Array.isArray(value)) writer.symbols(value);
  else if (type === "symbolic_map") writeSymbolicMap(writer, value as object);
  else if (type === "error") writeComposite(writer, Object.assign(new (classes.get(ERROR) as CompositeClass)(), value));
  else writer[type as "string"](value as string);
}

function writeSymbolicMap(writer: Writer, map: object): void {
  const entries = Object.entries(map);
  const mark = writer.beginList();
  for (const [key, value] of entries) {
    writer.symbol(key);
    if (typeof value === "number") writer.uint(value);
    else if (typeof value === "boolean") writer.boolean(value);
    else writer.string(value);
  }
  writer.endMap(mark, entries.length * 2);
}

export default { MAX_UINT: 0xffff_ffff, define_composite: defineComposite };
