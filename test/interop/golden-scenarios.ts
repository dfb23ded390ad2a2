import { expect } from "vitest";
import { BuiltinEndpoint } from "@/src/cli/builtin-endpoint.js";
import {
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type NotificationDriver,
  NotificationResult,
  Notifier,
  type RPCClient,
  type TransportOptions,
} from "@/src/entry/node.js";
import { Intermediary, type IntermediaryOptions } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";
import { type SentMessage, tapped } from "@/test/fixtures/peers/wire-tap.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

/** A message of a scenario, with the end that sent it. */
export interface ScenarioMessage extends SentMessage {
  sentBy: string;
}

/**
 * Runs a scenario of test/data/golden-messages.json with our driver on both ends. Resolves with every message that it sent,
 * in order.
 *
 * @param name A setup and an act: `routable-myvhost-call`.
 */
export async function perform(name: string): Promise<ScenarioMessage[]> {
  const act = Object.keys(ACTS).find((act) => name.endsWith(`-${act}`));
  const setup = SETUPS[name.slice(0, -`-${act}`.length)];
  if (act === undefined || setup === undefined) throw new Error(`unknown scenario: ${name}`);
  const intermediary = new Intermediary(setup.intermediary);
  const sent: ScenarioMessage[] = [];
  const dial = memoryDial(intermediary.accept);
  const end = (sentBy: string): End => {
    const memory = tapped(dial, (message) => sent.push({ sentBy, ...message }));
    return { url: setup.url, options: { dialers: { "amqp+memory": memory } } };
  };
  await ACTS[act]?.(end("client"), end("server"));
  await intermediary.close();
  return sent;
}

interface End {
  url: string;
  options: TransportOptions;
}

interface Setup {
  intermediary: IntermediaryOptions;
  url: string;
}

const ROUTER: IntermediaryOptions = { kind: "router", product: "qpid-dispatch-router" };

/** Connections of the scenarios. A requeued notification is sent again after `link_retry_delay`. */
const SETUPS: Readonly<Record<string, Setup>> = {
  legacy: { intermediary: ROUTER, url: "amqp+memory://router/?addressing_mode=legacy" },
  "legacy-idle10-container": {
    intermediary: ROUTER,
    url: "amqp+memory://router/?addressing_mode=legacy&idle_timeout=10&container_name=my-container",
  },
  "legacy-myvhost": { intermediary: ROUTER, url: "amqp+memory://router/myvhost?addressing_mode=legacy" },
  "qpidd-legacy": { intermediary: { kind: "broker", product: "qpid-cpp" }, url: "amqp+memory://qpidd/" },
  routable: { intermediary: ROUTER, url: "amqp+memory://router/?link_retry_delay=1" },
  "routable-myvhost": { intermediary: ROUTER, url: "amqp+memory://router/myvhost" },
  "routable-myvhost-nopseudo": { intermediary: ROUTER, url: "amqp+memory://router/myvhost?pseudo_vhost=false" },
  "routable-plain": {
    intermediary: { ...ROUTER, users: new Map([["user", "secret"]]) },
    url: "amqp+memory://user:secret@router/",
  },
};

const CONTEXT = { request_id: "req-1", user: "ué" };

/** Acts of a client and its server. Of two names with the same end the longer one comes first. */
const ACTS: Readonly<Record<string, (client: End, server: End) => Promise<void>>> = {
  "direct-cast": rpc(async (client, notes) => {
    await client.prepare({ server: "server-1" }).cast(CONTEXT, "note", { arg: "direct-cast-1" });
    await notes.take("its note", (note) => note);
  }),
  cast: rpc(async (client, notes) => {
    await client.cast(CONTEXT, "note", { arg: "cast-1" });
    await notes.take("its note", (note) => note);
  }),
  fanout: rpc(async (client, notes) => {
    await client.prepare({ fanout: true }).cast(CONTEXT, "note", { arg: "fanout-1" });
    await notes.take("its note", (note) => note);
  }),
  call: rpc(async (client) => {
    const arg = { s: "héllo", n: 1, l: [1, 2.5, null, true] };
    await expect(client.call(CONTEXT, "echo", { arg })).resolves.toEqual(arg);
  }),
  direct: rpc(async (client) => {
    const answer = client.prepare({ server: "server-1" }).call(CONTEXT, "whoami");
    await expect(answer).resolves.toEqual({ server: "server-1", ctxt: CONTEXT });
  }),
  fail: rpc(async (client) => {
    const failure = { excType: "ValueError" };
    await expect(client.call(CONTEXT, "fail", { kind: "value" })).rejects.toMatchObject(failure);
  }),
  "fail-custom": rpc(async (client) => {
    await expect(client.call(CONTEXT, "fail", { kind: "custom" })).rejects.toMatchObject({ excType: "PeerError" });
  }),
  "fail-expected": rpc(async (client) => {
    await expect(client.call(CONTEXT, "fail_expected")).rejects.toMatchObject({ excType: "KeyError" });
  }),
  nomethod: rpc(async (client) => {
    await expect(client.call(CONTEXT, "no_such_method")).rejects.toMatchObject({ excType: "NoSuchMethod" });
  }),
  monitored: rpc(async (client) => {
    const limits = { timeoutMs: 30_000, callMonitorTimeoutMs: 2_000 };
    await expect(client.call(CONTEXT, "slow", { secs: 5 }, limits)).resolves.toBe("slept 5");
  }),
  timeout: rpc(async (client) => {
    const answer = client.call(CONTEXT, "slow", { secs: 4 }, { timeoutMs: 2_000 });
    await expect(answer).rejects.toMatchObject({ name: "MessagingTimeout", phase: "reply" });
  }),
  notify: notifications("messagingv2", [NotificationResult.HANDLED]),
  "notify-v1": notifications("messaging", [NotificationResult.HANDLED]),
  "notify-requeue": notifications("messagingv2", [NotificationResult.REQUEUE, NotificationResult.HANDLED]),
};

/** Endpoint of the Python peers: that of `serve` with one more method. */
class Endpoint extends BuiltinEndpoint {
  fail_expected(): never {
    throw Object.assign(new Error("'expected-key'"), { name: "KeyError" });
  }
}

function rpc(act: (client: RPCClient, notes: Inbox<unknown>) => Promise<void>) {
  return async (client: End, server: End): Promise<void> => {
    await using serverTransport = getRpcTransport(server.url, { logger: null, ...server.options });
    const notes = new Inbox<unknown>("the server");
    const endpoint = new Endpoint("server-1", (note) => notes.put(note));
    await getRpcServer(serverTransport, { topic: "test-topic", server: "server-1" }, [endpoint]).start();
    await using clientTransport = getRpcTransport(client.url, { logger: null, ...client.options });
    await act(getRpcClient(clientTransport, { topic: "test-topic", version: "1.0" }, { timeoutMs: 5_000 }), notes);
  };
}

/** One notification, with the result of the listener for each of its deliveries. */
function notifications(driver: NotificationDriver, results: readonly NotificationResult[]) {
  return async (client: End, server: End): Promise<void> => {
    await using listening = getNotificationTransport(server.url, { logger: null, ...server.options });
    let times = 0;
    const info = (): NotificationResult => results[times++] ?? NotificationResult.HANDLED;
    await getNotificationListener(listening, [{ topic: "notif" }], [{ info }], { allowRequeue: true }).start();
    await using notifying = getNotificationTransport(client.url, { logger: null, ...client.options });
    const notifier = new Notifier(notifying, {
      publisherId: "peers.host1",
      topics: ["notif"],
      drivers: [driver],
      sanitizeContext: (context) => context,
    });
    await notifier.info({ request_id: "req-1" }, "compute.instance.create", { i: 0, s: "hé" });
    expect(times).toBe(results.length);
  };
}
