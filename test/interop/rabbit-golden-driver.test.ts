import { describe, expect, test } from "vitest";
import golden from "@/test/data/rabbit-golden.json";
import { withoutVariables } from "@/test/fixtures/peers/comparable-frames.js";
import { RABBIT_VARIANTS } from "@/test/fixtures/peers/rabbit-variants.js";
import type { RecordedFrame } from "@/test/fixtures/peers/recorded-frames.js";
import { record, recordVariant } from "./rabbit-golden-scenarios.js";

/** A frame with the role of its connection, numbered: one that consumes is `listening`, each other one `publishing`. */
interface Frame extends RecordedFrame {
  readonly connection: string;
}

interface Difference {
  what: string;
  /** Frames that are changed before they are compared: Python's, ours, or both. */
  in: "both" | "ours" | "Python's";
  even: (frames: readonly Frame[]) => readonly Frame[];
}

/** All allowed differences. Any other one, in a method, argument, property, body or their order on a connection, fails. */
const DIFFERENCES: readonly Difference[] = [
  {
    what: "the file has no heartbeats, and few answers of the broker",
    in: "both",
    even: without(
      ({ d, m }) => m === "heartbeat" || m === "channel.open" || (d === "<" && /-ok$|start$|tune$/.test(m)),
    ),
  },
  {
    what: "declarations, confirms and each listener have a channel of their own: an error closes only that one",
    in: "both",
    even: (frames) => frames.map(({ ch: _, ...frame }) => frame),
  },
  {
    what: "the client names itself",
    in: "both",
    even: changing("connection.start-ok", ({ client_properties, ...a }) => {
      const { capabilities } = client_properties as Json;
      return { ...a, client_properties: { capabilities } };
    }),
  },
  {
    what: "each test has a virtual host of its own",
    in: "both",
    even: changing("connection.open", (a) => ({ ...a, virtual_host: "/" })),
  },
  {
    what: "the file has the handshake of one connection of each scenario",
    in: "both",
    even: (frames) => {
      const isHandshake = ({ m }: Frame): boolean => /^(protocol-header|connection\.(start|tune|open))/.test(m);
      const shared = frames.map((frame) => (isHandshake(frame) ? { ...frame, c: 0, connection: "each" } : frame));
      return distinctWhere(isHandshake)(shared);
    },
  },
  {
    what: "a listener bounds its unacknowledged messages: a request is acknowledged when a slot is free",
    in: "ours",
    even: without(({ m, a }) => m === "basic.qos" && a?.["prefetch_count"] !== 10),
  },
  {
    what: "Python declares an exchange or a queue again for each binding, and before it publishes",
    in: "both",
    even: distinctWhere(({ m }) => m === "exchange.declare" || m === "queue.declare"),
  },
  {
    what: "a consumer is cancelled before its listener closes, and not by the deletion of its queue",
    in: "both",
    even: without(({ m }) => m === "basic.cancel"),
  },
  {
    what: "Python closes a channel before its connection",
    in: "both",
    even: without(({ m }) => m === "channel.close"),
  },
  {
    what: "a close has the code and the text of success, Python's has none",
    in: "both",
    even: changing("connection.close", () => ({})),
  },
  {
    what: "Python takes the priorities of an endpoint in no particular order, from a set",
    in: "both",
    even: (frames) => {
      const isOfPriority = ({ a }: Frame): boolean => /\.(info|warn|error)$/.test(`${a?.["queue"]}`);
      const queues = new Map(frames.filter(({ m }) => m === "basic.consume").map(tagAndQueue));
      const order = ({ m, a }: Frame): string => `${m === "basic.consume" ? 1 : 0} ${a?.["queue"]}`;
      const sorted = frames.filter(isOfPriority).toSorted((one, other) => order(one).localeCompare(order(other)));
      return frames
        .map((frame) => (isOfPriority(frame) ? (sorted.shift() ?? frame) : frame))
        .map((frame) => {
          const queue = queues.get(frame.a?.["consumer_tag"]);
          return /^g[45]\./.test(queue ?? "") ? { ...frame, a: { ...frame.a, consumer_tag: queue } } : frame;
        });
    },
  },
  {
    what: "the context that an endpoint of Python gets has client_timeout in it",
    in: "Python's",
    even: bodies((text) => text.replace(',"client_timeout":null', "")),
  },
  {
    what: "a JavaScript error has the module javascript and its message as its argument",
    in: "Python's",
    even: bodies((text) =>
      text.replace(
        /"module":"(?:builtins|peers_exc)","message":("[^"]*"),"tb":(\[[^\]]*\]),"args":\["[^"]*"\]/,
        '"module":"javascript","message":$1,"tb":$2,"args":[$1]',
      ),
    ),
  },
  {
    what: "the number of attempts to deliver a reply to a missing queue depends on time",
    in: "both",
    even: (frames) => {
      const missing = frames.some(({ m }) => m === "basic.return");
      const counts = new Map<string, number>();
      return frames.filter(({ connection, m }) => {
        const count = (counts.get(m) ?? 0) + 1;
        if (connection.startsWith("publishing")) counts.set(m, count);
        return !missing || count <= 3;
      });
    },
  },
  {
    what: "the file has the first two bytes of compressed bodies",
    in: "both",
    even: bodies((text) => text.replace(/^\{"bytes":"(78) ?(9c).*\}$/, '{"bytes":"$1$2"}')),
  },
];

type Json = Record<string, unknown>;

const SCENARIOS = Object.keys(golden.scenarios);
const recordings = new Map<string, Promise<readonly Frame[]>>();

describe.each(SCENARIOS)("our driver sends the methods of Python's in the scenario %s", (scenario) => {
  test("except for the allowed differences", async () => {
    const ours = await oursOf(scenario);
    expect(evened(ours, "ours")).toEqual(evened(pythonsOf(scenario), "Python's"));
  });
});

describe.each(Object.keys(RABBIT_VARIANTS))(
  "our driver declares and consumes as Python's in the variant %s",
  (variant) => {
    test("except for the allowed differences", async () => {
      const ours = await oursOf(variant);
      expect(unordered(evened(ours, "ours"))).toEqual(unordered(evened(pythonsOf(variant), "Python's")));
    });
  },
);

test.each(DIFFERENCES)("an allowed difference occurs: $what", async (difference) => {
  const before = DIFFERENCES.slice(0, DIFFERENCES.indexOf(difference));
  const names = [...SCENARIOS, ...Object.keys(RABBIT_VARIANTS)];
  const sides = difference.in === "both" ? (["ours", "Python's"] as const) : [difference.in];
  const changes = await Promise.all(
    names.flatMap((name) =>
      sides.map(async (side) => {
        const frames = side === "ours" ? await oursOf(name) : pythonsOf(name);
        return (
          JSON.stringify(evened(frames, side, before)) !== JSON.stringify(evened(frames, side, [...before, difference]))
        );
      }),
    ),
  );
  expect(changes).toContain(true);
});

/** Records each scenario and variant once. */
function oursOf(name: string): Promise<readonly Frame[]> {
  let recording = recordings.get(name);
  if (recording === undefined) {
    const options = RABBIT_VARIANTS[name];
    recording = (options === undefined ? record(name) : recordVariant(name, options)).then(byConnection);
    recordings.set(name, recording);
  }
  return recording;
}

function pythonsOf(name: string): readonly Frame[] {
  const all: Readonly<Record<string, unknown>> = {
    ...golden.scenarios,
    ...golden.variants,
    ...golden["variants-newest"],
  };
  return byConnection(all[name] as readonly RecordedFrame[]);
}

/** The frames of each connection and direction, in the order in which they were sent. */
function byConnection(frames: readonly RecordedFrame[]): readonly Frame[] {
  const numbers = { listening: 0, publishing: 0 };
  return [...new Set(frames.map(({ c }) => c))].flatMap((c) => {
    const own = frames.filter((frame) => frame.c === c);
    const role = own.some(({ m }) => m === "basic.consume") ? "listening" : "publishing";
    const connection = `${role} ${++numbers[role]}`;
    return [">", "<"].flatMap((d) => own.filter((frame) => frame.d === d).map((frame) => ({ ...frame, connection })));
  });
}

/** The frames of one side, to be compared. */
function evened(frames: readonly Frame[], side: "ours" | "Python's", differences = DIFFERENCES): unknown[] {
  const own = differences.filter((difference) => difference.in === "both" || difference.in === side);
  const left = own.reduce((kept, { even }) => even(kept), frames);
  const sorted = left.toSorted((one, other) => (one.connection < other.connection ? -1 : 1));
  return withoutVariables(sorted).map(({ c: _, ...frame }) => frame);
}

/** Frames of several connections, which the file has in one list without repeats. */
function unordered(frames: unknown[]): unknown[] {
  const texts = frames.map((frame) => {
    const { connection: _, ...rest } = frame as Frame;
    return JSON.stringify(rest);
  });
  return [...new Set(texts)].sort().map((text) => JSON.parse(text));
}

function without(isLeftOut: (frame: Frame) => boolean): Difference["even"] {
  return (frames) => frames.filter((frame) => !isLeftOut(frame));
}

function changing(method: string, change: (fields: Json) => Json): Difference["even"] {
  return (frames) => frames.map((frame) => (frame.m === method ? { ...frame, a: change(frame.a ?? {}) } : frame));
}

/** Changes the JSON of each body. */
function bodies(change: (text: string) => string): Difference["even"] {
  return (frames) =>
    frames.map((frame) =>
      frame.b === undefined ? frame : { ...frame, b: JSON.parse(change(JSON.stringify(frame.b))) },
    );
}

function tagAndQueue({ a }: Frame): [tag: unknown, queue: string] {
  return [a?.["consumer_tag"], `${a?.["queue"]}`];
}

/** Keeps the first of equal frames of a connection. */
function distinctWhere(matches: (frame: Frame) => boolean): Difference["even"] {
  return (frames) => {
    const known = new Set<string>();
    return frames.filter((frame) => {
      const text = JSON.stringify(frame);
      if (matches(frame) && known.has(text)) return false;
      known.add(text);
      return true;
    });
  };
}
