import { toError } from "../src/core/errors.js";
import { isJsonObject } from "../src/driver/values/json.js";
import {
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcTransport,
  Notifier,
  RemoteError,
} from "../src/entry/node.js";
import { NotificationRecorder, type RecordedEvent } from "./notification-recorder.js";

const TIMEOUT_MS = 5_000;

/**
 * Runs the main scenario from end to end: this process connects by WebSocket, the servers on topic `demo` by TCP. Prints
 * each step with its duration. Rejects with an error that names the failed step.
 */
export async function walkThrough(url: string, print: (line: string) => void): Promise<void> {
  await using rpc = getRpcTransport(url);
  // Without a logger: the warning that a router stores nothing is expected here.
  await using notifications = getNotificationTransport(url, { logger: null });
  const recorder = new NotificationRecorder(TIMEOUT_MS);
  const listener = getNotificationListener(notifications, [{ topic: "notifications" }], [recorder.endpoint]);
  const client = getRpcClient(rpc, { topic: "demo", version: "1.0" }, { timeoutMs: TIMEOUT_MS });
  const notifier = new Notifier(notifications, { publisherId: "walk-through" });
  const signal = AbortSignal.timeout(TIMEOUT_MS);

  const step = async (name: string, detail: string, work: () => Promise<unknown>): Promise<void> => {
    const started = performance.now();
    try {
      const result = await work();
      const shown = result === undefined ? "" : ` -> ${JSON.stringify(result)}`;
      print(`${(performance.now() - started).toFixed(1).padStart(8)} ms  ${name.padEnd(13)} ${detail}${shown}`);
    } catch (error) {
      throw new Error(`${name} (${detail}): ${toError(error).message}`, { cause: error });
    }
  };

  await step("connect", url, async () => {
    await rpc.connect({ signal });
    return rpc.state.type === "connected" ? rpc.state.product : rpc.state.type;
  });
  await step("listen", "notifications of every priority", () => listener.start({ signal }));
  await step("call", "demo.echo", () => expecting("hello", client.call({}, "echo", { arg: "hello" })));
  await step("call", "demo.add", () => expecting(42, client.call({}, "add", { a: 40, b: 2 })));
  await step("cast", "demo.note to any server", async () => {
    await client.cast({}, "note", { arg: "cast" });
    return await noted(recorder, "cast", 1);
  });
  await step("fanout", "demo.note to all servers", async () => {
    await client.prepare({ fanout: true }).cast({}, "note", { arg: "fanout" });
    return await noted(recorder, "fanout", 2);
  });
  await step("direct call", "demo.whoami to node-2", () => {
    const expected = { server: "node-2", ctxt: { user: "me" } };
    return expecting(expected, client.prepare({ server: "node-2" }).call({ user: "me" }, "whoami"));
  });
  await step("remote error", "demo.fail", () => remoteError(client.call({}, "fail", { kind: "custom" })));
  await step("notification", "warn, to this process", async () => {
    await notifier.warn({}, "walk-through.over", { ok: true }, { timeoutMs: TIMEOUT_MS });
    const matches = ({ priority, eventType }: RecordedEvent) =>
      priority === "warn" && eventType === "walk-through.over";
    return (await recorder.wait(1, matches)).map(({ payload }) => payload);
  });
  await step("end", "listener and connections", async () => {
    await listener.stop();
    await Promise.all([rpc.close(), notifications.close()]);
  });
}

async function expecting(expected: unknown, answer: Promise<unknown>): Promise<unknown> {
  const got = await answer;
  if (JSON.stringify(got) === JSON.stringify(expected)) return got;
  throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
}

/** Resolves with the error that the method threw. Rejects when the call succeeds or fails otherwise. */
async function remoteError(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof RemoteError) return `${error.excType}: ${error.value}`;
    throw error;
  }
  throw new Error("expected a RemoteError, got a reply");
}

/** Resolves with the notifications that the servers send when they receive a note. */
async function noted(recorder: NotificationRecorder, note: string, servers: number): Promise<unknown> {
  const matches = ({ eventType, payload }: RecordedEvent) =>
    eventType === "demo.note" && isJsonObject(payload) && payload["note"] === note;
  return (await recorder.wait(servers, matches)).map(({ payload }) => payload);
}
