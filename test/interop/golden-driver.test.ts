import { describe, expect, test } from "vitest";
import { readWireMessage, type WireMessage, type WireValue } from "@/test/fixtures/peers/wire-message.js";
import golden from "../data/golden-messages.json";
import { perform, type ScenarioMessage } from "./golden-scenarios.js";

interface Difference {
  what: string;
  /** Messages that are changed before they are compared: Python's, or those of both drivers. */
  in: "both" | "Python's";
  even: (message: WireMessage, names: Names) => void;
}

/** All allowed differences. Any other one, in a section, field, type, number of fields or settled flag, fails. */
const DIFFERENCES: readonly Difference[] = [
  {
    what: "each language spells JSON in its own way, in a str8 or a str32 by length",
    in: "both",
    even: (message) => {
      const body = message["amqp-value"];
      if (typeof body?.value !== "string") return;
      expect(body.type).toBe(`SmallUlong ${Buffer.byteLength(body.value) < 256 ? "Str8" : "Str32"}`);
      message["amqp-value"] = { type: "SmallUlong Str", value: JSON.parse(body.value, readInnerJson) };
    },
  },
  {
    what: "ids, reply addresses and times differ; a reply has the id and the address of its request",
    in: "both",
    even: (message, names) => {
      names.introduce("message id", message["properties.message-id"], /^[0-9a-f]{32}$/);
      names.introduce("reply address", message["properties.reply-to"], /./);
      names.recognize(message["properties.correlation-id"]);
      names.recognize(message["properties.to"]);
      const notification = notificationOf(message);
      if (notification === undefined) return;
      expect(notification["message_id"]).toMatch(/^[-0-9a-f]{36}$/);
      expect(notification["timestamp"]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?$/);
      Object.assign(notification, { message_id: "its own", timestamp: "its own" });
    },
  },
  {
    what: "absolute-expiry-time is omitted: the Python driver's is no time of day",
    in: "Python's",
    even: (message) => {
      if (message["properties.absolute-expiry-time"]?.type !== "Timestamp") return;
      const cut = ["correlation-id", "content-type", "content-encoding", "absolute-expiry-time"];
      for (const field of cut) delete message[`properties.${field}`];
      message["properties"] = { type: "SmallUlong List8", value: "5 fields" };
    },
  },
  {
    what: "a cast has a message id, by which a server recognises a repeat",
    in: "Python's",
    even: (message) => {
      if (message["properties.message-id"]?.value !== null || !isRequest(message)) return;
      message["properties.message-id"] = { type: "Str8", value: "message id" };
    },
  },
  {
    what: "a heartbeat has the body null: some brokers refuse a message without a body",
    in: "Python's",
    even: (message) => {
      message["amqp-value"] ??= { type: "SmallUlong Null", value: null };
    },
  },
  {
    what: "a failure does not contain the stack of the server",
    in: "Python's",
    even: (message) => {
      const failure = failureOf(message);
      if (failure !== undefined) Object.assign(failure, { tb: [] });
    },
  },
  {
    what: "a JavaScript error has the module javascript and its message as its argument",
    in: "Python's",
    even: (message) => {
      const failure = failureOf(message);
      if (failure === undefined || failure["module"] === "oslo_messaging.rpc.dispatcher") return;
      Object.assign(failure, { module: "javascript", args: [failure["message"]] });
    },
  },
];

const SCENARIOS = [...new Set(golden.map(({ scenario }) => scenario))];

describe.concurrent("Our driver sends the messages of the Python driver, except for the allowed differences,", () => {
  test.each(SCENARIOS)("in the scenario %s", async (scenario) => {
    const ours = await perform(scenario);
    const inBoth = DIFFERENCES.filter((difference) => difference.in === "both");
    const sent = evened(KEPT_ONCE.test(scenario) ? oneOfEach(ours) : ours, inBoth);
    expect(sent).toEqual(evened(pythonsOf(scenario), DIFFERENCES));
  });
});

test.each(DIFFERENCES)("an allowed difference occurs in a message of the Python driver: $what", (difference) => {
  const before = DIFFERENCES.slice(0, DIFFERENCES.indexOf(difference));
  const changed = SCENARIOS.map(pythonsOf).filter((messages) => {
    const after = evened(messages, [...before, difference]);
    return JSON.stringify(after) !== JSON.stringify(evened(messages, before));
  });
  expect(changed).not.toEqual([]);
});

/** Scenarios with repeated messages, of which the file has one: heartbeats, a notification that was sent again. */
const KEPT_ONCE = /-(monitored|notify-requeue)$/;

function pythonsOf(scenario: string): ScenarioMessage[] {
  const messages = golden.filter((message) => message.scenario === scenario);
  return messages.map(({ message, ...facts }) => ({ ...facts, payload: Buffer.from(message, "hex") }));
}

/** Without repeated messages, which are the same byte by byte. */
function oneOfEach(messages: readonly ScenarioMessage[]): ScenarioMessage[] {
  return [...new Map(messages.map((message) => [Buffer.from(message.payload).toString("hex"), message])).values()];
}

interface Sent {
  sentBy: string;
  settled: boolean;
  message: WireMessage;
}

/** The messages of one scenario, to be compared. */
function evened(messages: readonly ScenarioMessage[], differences: readonly Difference[]): Sent[] {
  const names = new Names();
  return messages.map(({ sentBy, settled, payload }) => {
    const message = readWireMessage(payload);
    for (const { even } of differences) even(message, names);
    return { sentBy, settled, message };
  });
}

/** Replaces generated values by names that are the same for both drivers. */
class Names {
  readonly #names = new Map<unknown, string>();

  introduce(name: string, field: WireValue | undefined, shape: RegExp): void {
    if (typeof field?.value !== "string") return;
    expect(field.value).toMatch(shape);
    this.#names.set(field.value, name);
    field.value = name;
  }

  /** An unknown value stays unchanged. */
  recognize(field: WireValue | undefined): void {
    if (field !== undefined) field.value = this.#names.get(field.value) ?? field.value;
  }
}

/** Parses members that are JSON text themselves. */
function readInnerJson(key: string, value: unknown): unknown {
  return key === "oslo.message" || key === "failure" ? JSON.parse(String(value)) : value;
}

type Json = Record<string, unknown>;

function failureOf(message: WireMessage): Json | undefined {
  return (message["amqp-value"]?.value as { failure?: Json } | null | undefined)?.failure;
}

function isRequest(message: WireMessage): boolean {
  const request = (message["amqp-value"]?.value as { request?: Json } | null | undefined)?.request;
  return request !== undefined && "method" in request;
}

/** With or without its envelope. */
function notificationOf(message: WireMessage): Json | undefined {
  const request = (message["amqp-value"]?.value as { request?: Json } | null | undefined)?.request;
  const notification = (request?.["oslo.message"] as Json | undefined) ?? request;
  return notification !== undefined && "publisher_id" in notification ? notification : undefined;
}
