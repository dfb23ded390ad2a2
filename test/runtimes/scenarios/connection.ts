import { assert } from "chai";
import type { CredentialsFunction, Frame, RPCTransport, TransportOptions, TransportStatus } from "oslo-messaging";
import type { Protocol } from "@/test/fixtures/beds/bus-plan.js";
import type { Scenario } from "@/test/fixtures/runtimes/scenario.js";
import { failureOf, later, type ScenarioStage } from "@/test/fixtures/runtimes/scenario-stage.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";

/** A mechanism of a protocol that authenticates by a password. */
interface Mechanism {
  readonly protocol: Protocol;
  readonly mechanism: string;
  /** Selects the mechanism. */
  readonly options: TransportOptions;
  /** Name of the first frame of the client that belongs to it. */
  readonly frame: string;
  /** The peer's reason when it refuses a password. */
  readonly refusal: string;
}

const MECHANISMS: readonly Mechanism[] = [
  ...["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"].map((mechanism) => ({
    protocol: "AMQP 1.0" as const,
    mechanism,
    options: { amqp: { saslMechanisms: [mechanism] } },
    frame: "sasl-init",
    refusal: "the credentials were refused",
  })),
  ...(["PLAIN", "AMQPLAIN"] as const).map((mechanism) => ({
    protocol: "AMQP 0-9-1" as const,
    mechanism,
    options: { rabbit: { rabbitLoginMethod: mechanism } },
    frame: "connection.start-ok",
    refusal: "ACCESS_REFUSED",
  })),
];

/** The next attempt to connect comes after half a second. */
const HASTY: TransportOptions = {
  random: () => 0,
  amqp: { connectionRetryIntervalMs: 1_000 },
  rabbit: { kombuReconnectDelayMs: 10 },
};

export const CONNECTION: readonly Scenario[] = [
  {
    name: "the status reports idle, connecting, connected and closed",
    async run(stage) {
      const transport = stage.rpcTransport();
      assert.deepEqual(transport.state, { type: "idle" });
      const connected = later(transport.connect());
      const host = hostOf(stage.setting.url);
      const seen: TransportStatus[] = [];
      for await (const status of transport.status()) {
        seen.push(status);
        if (status.type !== "connected") continue;
        await connected;
        await transport.close();
      }
      assert.deepEqual(seen, [
        { type: "connecting", host, attempt: 1 },
        { type: "connected", host, product: stage.setting.product },
        { type: "closed" },
      ]);
    },
  },
  {
    name: "a probe reports the peer",
    protocol: "AMQP 1.0",
    async run(stage) {
      const { url, scheme, product } = stage.setting;
      const probed = await stage.rpcTransport().probe({ topic: stage.setting.pythonTopic });
      assert.ok("credit" in probed);
      const { roundTripMs, credit, ...report } = probed;
      assert.deepEqual(report, {
        protocol: "AMQP 1.0",
        host: hostOf(url),
        encrypted: scheme === "amqps" || scheme === "amqp+wss",
        mechanism: "ANONYMOUS",
        product,
        version: undefined,
        addressing: "routable",
        dynamicReplies: true,
      });
      assert.isAbove(credit ?? 0, 0);
      assert.isAtLeast(roundTripMs, 0);
    },
  },
  {
    name: "a probe reports the broker, and the exchanges and queues of a target",
    protocol: "AMQP 0-9-1",
    async run(stage) {
      const { url, product, pythonTopic } = stage.setting;
      const probed = await stage.rpcTransport().probe({ topic: pythonTopic });
      assert.ok(probed.protocol === "AMQP 0-9-1");
      const { roundTripMs, version, declared, ...report } = probed;
      assert.deepEqual(report, {
        protocol: "AMQP 0-9-1",
        host: hostOf(url),
        encrypted: false,
        mechanism: "AMQPLAIN",
        product,
        virtualHost: url.slice(url.lastIndexOf("/") + 1),
        heartbeatMs: 60_000,
      });
      assert.match(version ?? "", /^[34]\./);
      assert.isAtLeast(roundTripMs, 0);
      assert.deepInclude(declared ?? [], { kind: "queue", name: pythonTopic, state: "declared" });
    },
  },
  ...MECHANISMS.map(({ protocol, mechanism, options }) => ({
    name: `a user with the right password is authenticated by ${mechanism}`,
    protocol,
    async run(stage: ScenarioStage) {
      const { url, username, password } = stage.setting.guarded;
      const transport = stage.rpcTransport(options, withLogin(url, username, password));
      assert.equal((await transport.probe()).mechanism, mechanism);
    },
  })),
  {
    name: "the strongest mechanism is used by default",
    protocol: "AMQP 1.0",
    async run(stage) {
      const { url, username, password } = stage.setting.guarded;
      const transport = stage.rpcTransport({}, withLogin(url, username, password));
      assert.equal((await transport.probe()).mechanism, "SCRAM-SHA-512");
    },
  },
  {
    name: "a credentials function returns a password",
    async run(stage) {
      const { url, username, password } = stage.setting.guarded;
      const asked: unknown[] = [];
      const credentials: CredentialsFunction = async ({ hostname, port }, { attempt }) => {
        asked.push({ host: `${hostname}:${port}`, attempt });
        return { username, password };
      };
      await stage.rpcTransport({ credentials }, url).connect();
      assert.deepEqual(asked, [{ host: hostOf(url), attempt: 1 }]);
    },
  },
  {
    name: "a credentials function returns a token for OAUTHBEARER",
    protocol: "AMQP 1.0",
    async run(stage) {
      const { url, token } = stage.setting.guarded;
      const probed = await stage.rpcTransport({ credentials: async () => ({ token }) }, url).probe();
      assert.equal(probed.mechanism, "OAUTHBEARER");
    },
  },
  {
    name: "the error for a wrong password names user and mechanism, and the password is shown nowhere",
    async run(stage) {
      const { url, username } = stage.setting.guarded;
      const wrong = "wr:o/ng ß";
      const mechanisms = MECHANISMS.filter(({ protocol }) => protocol === stage.setting.protocol);
      for (const { mechanism, options, frame, refusal } of mechanisms) {
        const frames: Frame[] = [];
        const lines: unknown[] = [];
        const log = (...line: unknown[]) => void lines.push(line);
        const transport = stage.rpcTransport(
          {
            amqp: { ...options.amqp, trace: true },
            rabbit: options.rabbit,
            onFrame: (frame) => frames.push(frame),
            logger: { debug: log, info: log, warn: log, error: log },
          },
          withLogin(url, username, wrong),
        );
        const lost = await losing(transport);
        const user = JSON.stringify(username);
        assert.include(lost.error?.message, `${mechanism} of user ${user} failed: ${refusal}`);
        assert.isTrue(frames.some(({ performative }) => performative === frame));
        const shown = JSON.stringify([frames, lines, lost, transport.url, `${lost.error?.stack}`], shownBytes);
        for (const secret of [wrong, encodeURIComponent(wrong)]) assert.notInclude(shown, secret);
        await transport.close();
      }
    },
  },
  {
    name: "the status and the error of a call name the address when the connection is refused",
    async run(stage) {
      const { oslo, setting } = stage;
      const host = hostOf(setting.nobody);
      const transport = stage.rpcTransport({}, setting.nobody);
      const call = failureOf(
        stage.client({ transport }).call({}, "m", {}, { timeoutMs: 1_000 }),
        oslo.MessagingTimeout,
      );
      const lost = await losing(transport);
      assert.equal(lost.host, host);
      assert.include(lost.error?.message, host);
      const error = await call;
      assert.deepInclude(error, { phase: "connecting", host });
      assert.include(error.message, host);
    },
  },
  {
    name: "the status reports a WebSocket server that does not select the sub-protocol",
    schemes: ["amqp+ws", "rabbit+ws"],
    async run(stage) {
      const { withoutSubprotocol } = stage.setting;
      const { error } = await losing(stage.rpcTransport({}, withoutSubprotocol));
      assert.include(error?.message, hostOf(withoutSubprotocol));
      assert.include(error?.message, 'sub-protocol "amqp"');
    },
  },
  {
    name: "client and server reconnect after a lost connection",
    fragile: true,
    async run(stage) {
      const { fragile } = stage.setting;
      await stage.ask("start");
      const transport = stage.rpcTransport(HASTY, fragile);
      await stage.serve("a", [new BlockingEndpoint()], { transport: stage.rpcTransport(HASTY, fragile) });
      const client = stage.client({ transport });
      assert.equal(await client.call({}, "echo", { arg: "before" }), "before");
      const lost = later(losing(transport));
      await stage.ask("kill");
      const { error, host } = await lost;
      assert.equal(error?.name, "ConnectionLost");
      assert.equal(host, hostOf(fragile));
      const meanwhile = client.call({}, "echo", { arg: "meanwhile" });
      const [answer] = await Promise.all([meanwhile, stage.ask("start")]);
      assert.equal(answer, "meanwhile");
      assert.equal(await client.call({}, "echo", { arg: "after" }), "after");
      assert.equal(transport.state.type, "connected");
    },
  },
  {
    name: "a silent peer is detected, and the transport reconnects",
    fragile: true,
    async run(stage) {
      const { fragile } = stage.setting;
      await stage.ask("start");
      const transport = stage.rpcTransport(
        {
          ...HASTY,
          amqp: { ...HASTY.amqp, idleTimeoutMs: 1_000 },
          rabbit: { ...HASTY.rabbit, heartbeatTimeoutThresholdMs: 1_000 },
        },
        fragile,
      );
      await transport.connect();
      const lost = later(losing(transport));
      await stage.ask("freeze");
      assert.match((await lost).error?.message ?? "", /no data received for \d+ ms/);
      await transport.connect({ keepTrying: true });
    },
  },
  {
    name: "with failFast a call that waits for its reply fails as soon as its connection is lost",
    fragile: true,
    async run(stage) {
      const { oslo, setting } = stage;
      await stage.ask("start");
      const held = new BlockingEndpoint();
      await stage.serve("a", [held], { transport: stage.rpcTransport(HASTY, setting.fragile) });
      const transport = stage.rpcTransport({ ...HASTY, failFast: true }, setting.fragile);
      const call = stage.client({ transport }).call({}, "hold", { arg: "x" });
      const failed = failureOf(call, oslo.MessageDeliveryFailure);
      await held.begun("x");
      await stage.ask("kill");
      assert.deepInclude(await failed, { outcome: "unknown", host: hostOf(setting.fragile) });
      held.release();
    },
  },
  {
    name: "close fails every open call and rejects new ones",
    async run(stage) {
      const { MessageDeliveryFailure, MessagingException } = stage.oslo;
      const held = new BlockingEndpoint();
      await stage.serve("a", [held]);
      const transport = stage.rpcTransport();
      const client = stage.client({ transport });
      const calls = ["1", "2", "3"].map((arg) => failureOf(client.call({}, "hold", { arg }), MessageDeliveryFailure));
      for (const arg of ["1", "2", "3"]) await held.begun(arg);
      await transport.close();
      for (const { message } of await Promise.all(calls)) assert.include(message, "the transport was closed");
      assert.match((await failureOf(client.call({}, "echo"), MessagingException)).message, /the transport is closed/);
      held.release();
    },
  },
  {
    name: "a full send queue rejects with SendQueueFull, and writable resolves when there is room",
    async run(stage) {
      const { oslo, setting } = stage;
      const transport = stage.rpcTransport({ maxQueued: { messages: 1 } }, setting.nobody);
      const client = stage.client({ transport });
      await transport.writable();
      const controller = new AbortController();
      const reason = new RangeError("no longer wanted");
      const waiting = failureOf(client.cast({}, "first", {}, { signal: controller.signal }), RangeError);
      const full = await failureOf(client.cast({}, "second"), oslo.SendQueueFull);
      assert.deepInclude(full, { name: "SendQueueFull", outcome: "unsent", messages: 1 });
      const order: string[] = [];
      const writable = later(transport.writable().then(() => order.push("writable")));
      order.push("aborted");
      controller.abort(reason);
      assert.equal(await waiting, reason);
      await writable;
      assert.deepEqual(order, ["aborted", "writable"]);
    },
  },
];

type Lost = Extract<TransportStatus, { type: "disconnected" }>;

/** Connects a transport, and resolves with its next status of the type disconnected. */
async function losing(transport: RPCTransport): Promise<Lost> {
  transport.connect().catch(() => {}); // rejects when the transport is closed
  for await (const status of transport.status()) if (status.type === "disconnected") return status;
  return assert.fail("it was closed");
}

function hostOf(url: string): string {
  const [host] = /(?<=[/@])[^/@]+(?=\/)/.exec(url) ?? [];
  return host ?? assert.fail(`no host in ${url}`);
}

function withLogin(url: string, username: string, password: string): string {
  return url.replace("//", `//${encodeURIComponent(username)}:${encodeURIComponent(password)}@`);
}

/** For JSON.stringify: shows bytes and bigints as text. */
function shownBytes(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return typeof value === "bigint" ? `${value}` : value;
}
