import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeMessage, encodeMessage, type Message } from "@/src/core/messages/message.js";
import { Writer } from "@/src/core/types/writer.js";
import { projectPath } from "@/test/fixtures/project.js";

/**
 * A message of the Python driver, and its sections as another decoder prints them: values in Python's notation, each with
 * its AMQP type.
 */
interface Golden {
  scenario: string;
  sentBy: "client" | "server";
  sections: { header: string; properties: string; "amqp-value"?: string };
  /** Hex. */
  message: string;
}

const GOLDEN: readonly Golden[] = JSON.parse(readFileSync(projectPath("test/data/golden-messages.json"), "utf8"));

/**
 * Removes the absolute-expiry-time and the nulls before it, the only permitted difference between a message of the Python
 * driver and ours: properties of 9 fields, the last four of which are three nulls and a timestamp, become properties of 5
 * fields.
 */
function withoutExpiry(message: string): string {
  return message.replace(
    /^(.*?005373c0)(..)09(.*)40404083.{16}(005377.*|)$/,
    (_, before: string, size: string, fields: string, body: string) => {
      const smaller = (Number.parseInt(size, 16) - 12).toString(16).padStart(2, "0");
      return `${before}${smaller}05${fields}${body}`;
    },
  );
}

function fieldsOf(message: Message): Record<string, unknown> {
  const { body: _, ...fields } = message;
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** `{ttl=5000:uint, to='x':str8} (list8 with 3 fields)` */
function parseFields(section: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [, name = "", text, digits = "", type] of section.matchAll(/([a-z-]+)=(?:'([^']*)'|(\d+)):(\w+)/g)) {
    const camelCase = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    fields[camelCase] = text ?? (type === "timestamp" ? BigInt(digits) : Number(digits));
  }
  return fields;
}

describe.each(GOLDEN)("a message of the Python driver: $scenario, sent by the $sentBy", (golden) => {
  const bytes = Uint8Array.from(Buffer.from(golden.message, "hex"));

  test("a message of the Python driver is decoded as by another decoder", () => {
    const message = decodeMessage(bytes);
    expect(fieldsOf(message)).toEqual({
      ...parseFields(golden.sections.header),
      ...parseFields(golden.sections.properties),
    });
    const written = golden.sections["amqp-value"]?.match(/^'(.*)':str(?:8|32)$/)?.[1];
    const body = written?.replace(/\\(.)/g, "$1");
    expect(message.body).toEqual(body === undefined ? undefined : { type: "value", value: body });
  });

  test("a message of the Python driver is encoded to the same bytes, except for the expiry time", () => {
    const { absoluteExpiryTime, ...message } = decodeMessage(bytes);
    const writer = new Writer();
    encodeMessage(writer, message);
    const expected = absoluteExpiryTime === undefined ? golden.message : withoutExpiry(golden.message);
    expect(Buffer.from(writer.take()).toString("hex")).toBe(expected);
    expect(expected.length).toBe(golden.message.length - (absoluteExpiryTime === undefined ? 0 : 24));
  });
});
