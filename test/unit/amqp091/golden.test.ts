import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ContentAssembly, writePublish } from "@/src/amqp091/content.js";
import type { FieldTable } from "@/src/amqp091/field-table.js";
import { FrameSplitter } from "@/src/amqp091/frames.js";
import { readMethod, writeMethod } from "@/src/amqp091/method-codec.js";
import { type MethodName, methodByName } from "@/src/amqp091/methods.js";
import { type Properties, type ReceivedProperties, writeProperties } from "@/src/amqp091/properties.js";
import { Reader } from "@/src/amqp091/reader.js";
import { writeAck, writeReject } from "@/src/amqp091/settlement.js";
import { Output } from "@/src/core/links/output.js";
import { Writer } from "@/src/core/types/writer.js";
import { FakeSocket } from "@/test/fixtures/fakes/fake-socket.js";
import { projectPath } from "@/test/fixtures/project.js";

type Json = null | boolean | number | string | { [name: string]: Json } | readonly Json[];

/** Frames as py-amqp writes them: the method, and the content header and the body of a message. */
interface Vector {
  direction: "in" | "out";
  method: MethodName;
  channel: number;
  /** A long string is text or, if it is binary, `{ hex }`. */
  fields: Record<string, Json>;
  properties?: Properties & { headers?: FieldTable & { compression?: string } };
  body?: string;
  hex: [method: string, header?: string, body?: string];
}

const { vectors } = JSON.parse(readFileSync(projectPath("test/data/amqp091-frames.json"), "utf8")) as {
  vectors: Vector[];
};

const titled = vectors.map((vector, index) => [`${index} ${vector.method}`, vector] as const);

/** The fields as our types: long strings as bytes. */
function fieldsOf({ method, fields }: Vector): Record<string, unknown> {
  const longstrs = methodByName(method).fields.filter(([, type]) => type === "longstr");
  const binary = longstrs.map(([name]) => {
    const value = fields[name];
    return [
      name,
      value instanceof Object && "hex" in value ? fromHex(String(value["hex"])) : Buffer.from(String(value)),
    ];
  });
  return { ...fields, ...Object.fromEntries(binary) };
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

describe("the recorded frames of oslo.messaging and RabbitMQ", () => {
  it("there are some of each kind", () => {
    expect(new Set(vectors.map(({ method }) => method)).size).toBeGreaterThan(18);
  });

  it.each(titled)("%s: the method is written in the bytes of py-amqp", (_, vector) => {
    const writer = new Writer();
    writeMethod(writer, vector.channel, vector.method, fieldsOf(vector), 131_072);
    expect(hexOf(writer.take())).toBe(vector.hex[0]);
  });

  it.each(titled)("%s: the method is read as it was recorded", (_, vector) => {
    const bytes = fromHex(vector.hex[0]);
    const { method, fields } = readMethod(new Reader(bytes, 7, bytes.length - 1));
    expect(method.name).toBe(vector.method);
    const known = Object.entries(fields).filter(([name]) => !name.startsWith("reserved"));
    expect(plain(Object.fromEntries(known))).toEqual(plain(fieldsOf(vector)));
  });

  it.each(titled.filter(([, { method }]) => method === "basic.publish"))(
    "%s: a publish is written in the bytes of py-amqp",
    (_, { channel, fields, properties = {}, body = "", hex }) => {
      const socket = new FakeSocket();
      const output = new Output(socket, { maxBufferedBytes: 1e9, onOverflow() {}, onWritable() {} });
      const message = {
        exchange: String(fields["exchange"]),
        routingKey: String(fields["routingKey"]),
        mandatory: fields["mandatory"] === true,
        properties,
        body: Buffer.from(body),
      };
      writePublish(output, channel, message, 131_072);
      output.flush();
      expect(hexOf(Buffer.concat(socket.sent))).toBe(hex.join(""));
    },
  );

  it.each(titled.filter(([, { body }]) => body !== undefined))(
    "%s: the properties are written in the bytes of py-amqp",
    (_, { properties = {}, hex }) => {
      const writer = new Writer();
      writeProperties(writer, properties);
      expect(hexOf(writer.take())).toBe(hex[1]?.slice(2 * (7 + 12), -2));
    },
  );

  it.each(titled.filter(([, { body }]) => body !== undefined))(
    "%s: the content is read as it was recorded",
    (_, vector) => {
      const { properties: { headers = {}, ...properties } = {} } = vector;
      const contents: [ReceivedProperties | undefined, string, string][] = [];
      const assembly = new ContentAssembly(1e6, (method, read, body, _size, refusal) => {
        contents.push([read, Buffer.from(body ?? []).toString(), `${method}${refusal}`]);
      });
      assembly.begin("method");
      const splitter = new FrameSplitter(131_072, (bytes, at, end) => {
        if (bytes[at] === 2) assembly.onHeader(new Reader(bytes, at + 7, end - 1));
        else assembly.onBody(bytes, at + 7, end - 1);
        return true;
      });
      splitter.receive(fromHex(vector.hex.slice(1).join("")));
      const expected = { ...properties, compression: headers["compression"], streamOffset: headers["x-stream-offset"] };
      expect(contents).toHaveLength(1);
      expect(contents[0]?.slice(1)).toEqual([vector.body, "method"]);
      expect({ ...contents[0]?.[0] }).toEqual(expected);
    },
  );

  it.each(titled.filter(([, { method }]) => method === "basic.ack" || method === "basic.reject"))(
    "%s: a settlement is written in the bytes of py-amqp",
    (_, { channel, method, fields, hex }) => {
      const writer = new Writer();
      const tag = Number(fields["deliveryTag"]);
      if (method === "basic.ack") writeAck(writer, channel, tag);
      else writeReject(writer, channel, tag, fields["requeue"] === true);
      expect(hexOf(writer.take())).toBe(hex[0]);
    },
  );
});

/** Tables without a prototype compare as others do, views as their bytes. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, item) =>
      item?.type === "Buffer" || item instanceof Uint8Array
        ? hexOf(item.data ? Uint8Array.from(item.data) : item)
        : item,
    ),
  );
}
