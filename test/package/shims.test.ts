import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Buffer as Shim } from "@/scripts/shims/buffer.js";
import { EventEmitter } from "@/scripts/shims/events.js";
import { inherits } from "@/scripts/shims/util.js";

const reads = [
  "readUInt8",
  "readUInt16BE",
  "readUInt32BE",
  "readInt8",
  "readInt16BE",
  "readInt32BE",
  "readFloatBE",
  "readDoubleBE",
] as const;

const writes = [
  ["writeUInt8", 0, 2 ** 8 - 1],
  ["writeUInt16BE", 0, 2 ** 16 - 1],
  ["writeUInt32BE", 0, 2 ** 32 - 1],
  ["writeInt8", -(2 ** 7), 2 ** 7 - 1],
  ["writeInt16BE", -(2 ** 15), 2 ** 15 - 1],
  ["writeInt32BE", -(2 ** 31), 2 ** 31 - 1],
  ["writeFloatBE", -1, 1],
  ["writeDoubleBE", -1, 1],
] as const;

const bytes = fc.uint8Array({ maxLength: 20 });
const offset = fc.integer({ min: -2, max: 22 });

describe("the Buffer of the web build", () => {
  it.each(reads)("%s reads as Node's does, and throws RangeError past the end", (read) => {
    fc.assert(
      fc.property(bytes, offset, (content, at) => {
        expect(outcome(() => Shim.from(content)[read](at))).toEqual(outcome(() => Buffer.from(content)[read](at)));
      }),
    );
  });

  it.each(writes)("%s writes as Node's does, and throws RangeError past the end", (write, min, max) => {
    fc.assert(
      fc.property(offset, fc.integer({ min, max }), (at, value) => {
        expect(outcome(() => written(Shim.alloc(20), write, value, at))).toEqual(
          outcome(() => written(Buffer.alloc(20), write, value, at)),
        );
      }),
    );
  });

  it.each(["utf8", "ascii"] as const)("encodes and decodes %s as Node's does", (encoding) => {
    fc.assert(
      fc.property(bytes, (content) => {
        const text = Buffer.from(content).toString(encoding);
        expect(Shim.from(content).toString(encoding)).toBe(text);
        expect([...Shim.from(text, encoding)]).toEqual([...Buffer.from(text, encoding)]);
        expect(Shim.byteLength(text)).toBe(Buffer.byteLength(text));
      }),
    );
  });

  it("a slice of the Buffer shim is a Buffer on the same bytes", () => {
    const whole = Shim.from(Uint8Array.of(1, 2, 3, 4));
    const part = whole.slice(1, 3);
    part.writeUInt8(9);
    expect(Shim.isBuffer(part)).toBe(true);
    expect([...whole]).toEqual([1, 9, 3, 4]);
  });

  it("the Buffer shim can be a view on an ArrayBuffer", () => {
    const { buffer } = Uint8Array.of(1, 2, 3, 4);
    expect(Shim.from(buffer, 1, 2).readUInt16BE()).toBe(0x0203);
  });

  it("the Buffer shim copies as Node's does", () => {
    const target = Shim.alloc(4);
    expect(Shim.from("abc").copy(target, 2)).toBe(2);
    expect([...target]).toEqual([0, 0, 97, 98]);
  });

  it("the Buffer shim refuses unknown encodings and types", () => {
    expect(() => Shim.from("x", "latin1")).toThrow(TypeError);
    expect(() => Shim.from("x").toString("base64")).toThrow(TypeError);
    expect(() => Shim.from(5)).toThrow(TypeError);
  });
});

describe("the EventEmitter of the web build", () => {
  it("the EventEmitter shim calls listeners in order, with the object as this", () => {
    const heard: unknown[] = [];
    const emitter = new EventEmitter();
    emitter.on("x", function (this: unknown, ...args) {
      heard.push(this === emitter, ...args);
    });
    emitter.on("x", () => heard.push("second"));
    expect(emitter.emit("x", 1, 2)).toBe(true);
    expect(heard).toEqual([true, 1, 2, "second"]);
  });

  it("the EventEmitter shim keeps listeners per object, without a constructor call", () => {
    const parent: EventEmitter = Object.create(EventEmitter.prototype);
    const child: EventEmitter = Object.create(parent);
    parent.on("x", () => {});
    expect(parent.listeners("x")).toHaveLength(1);
    expect(child.listeners("x")).toEqual([]);
    child.on("x", () => {});
    child.on("x", () => {});
    expect(parent.listeners("x")).toHaveLength(1);
  });

  it("the EventEmitter shim throws an error event without a listener", () => {
    expect(() => new EventEmitter().emit("error", new RangeError("no"))).toThrow(RangeError);
    expect(new EventEmitter().emit("other")).toBe(false);
  });
});

describe("inherits", () => {
  it("inherits sets the parent's prototype as the prototype of the child's", () => {
    function Child(): void {}
    inherits(Child, Error);
    expect(Object.getPrototypeOf(Child.prototype)).toBe(Error.prototype);
  });
});

/** The value, or that it threw a RangeError. */
function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error instanceof RangeError ? "RangeError" : error;
  }
}

function written<B extends Uint8Array, W extends (typeof writes)[number][0]>(
  buffer: B & Record<W, (value: number, at: number) => unknown>,
  write: W,
  value: number,
  at: number,
): number[] {
  buffer[write](value, at);
  return [...buffer];
}
