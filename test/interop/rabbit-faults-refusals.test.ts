import { beforeAll, describe, expect, inject, test } from "vitest";
import type { Dial } from "@/src/core/byte-stream.js";
import {
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type RabbitOptions,
  type RPCTransport,
  type TransportOptions,
} from "@/src/entry/node.js";
import { tcpDial } from "@/src/transports/node/tcp.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RABBITMQ_VERSIONS } from "@/test/fixtures/beds/rabbitmq-installation.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { CA, CLIENT, CLIENT_NAME } from "@/test/fixtures/network/tls.js";
import { closedPort } from "@/test/fixtures/peers/bad-peers.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";
import { PYTHON_VERSIONS, PythonServer } from "@/test/fixtures/python/python.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { notifierOf } from "@/test/fixtures/stages/notification-endpoints.js";
import { CountingEndpoint, rabbitStage, SHORT_PAUSES } from "@/test/fixtures/stages/rabbit-stage.js";
import { nextStatus } from "@/test/fixtures/stages/status.js";
import { waitFor } from "@/test/fixtures/stages/wait-for.js";

const SECRET = "s3cret-w0rd";

/** The Erlang expressions that delete a queue. */
function deletionOf(queue: string, virtualHost: string): string {
  return `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"${virtualHost}">>, queue, <<"${queue}">>)),
    rabbit_amqqueue:delete(Q, false, false, <<"tests">>).`;
}

describe.each(RABBITMQ_VERSIONS)("rabbit:// at RabbitMQ %s", (version) => {
  let bed: RabbitMqBed;
  beforeAll(async () => {
    bed = await rabbitMqBed(version);
  });

  /** A user with these permissions, and the URL of the virtual host for it. */
  async function userUrl(
    name: string,
    permissions?: { configure: string; write: string; read: string },
  ): Promise<string> {
    const { configure, write, read } = permissions ?? { configure: ".*", write: ".*", read: ".*" };
    await bed.node.evaluate(
      `(catch rabbit_auth_backend_internal:delete_user(<<"${name}">>, <<"tests">>)),
       rabbit_auth_backend_internal:add_user(<<"${name}">>, <<"${SECRET}">>, <<"tests">>),
       ok = rabbit_auth_backend_internal:set_permissions(<<"${name}">>, <<"${bed.virtualHost}">>,
         <<"${configure}">>, <<"${write}">>, <<"${read}">>, <<"tests">>).`,
    );
    return bed.url.replace("guest:guest", `${name}:${SECRET}`);
  }

  function open(url: string, { rabbit, ...options }: TransportOptions = {}): RPCTransport {
    return getRpcTransport(url, { logger: null, random: () => 0, ...options, rabbit: { ...SHORT_PAUSES, ...rabbit } });
  }

  test("a wrong password is an AuthenticationError at the first attempt, without the password", async () => {
    const logger = new RecordingLogger();
    await using transport = open(bed.url.replace("guest:guest", `guest:${SECRET}`), { logger });
    const error = await failureOf(transport.connect());
    expect(error).toMatchObject({ name: "AuthenticationError", cause: { name: "Amqp091Error", code: 403 } });
    expect(error.message).toMatch(/AMQPLAIN.*guest.*failed: ACCESS_REFUSED/);
    const status = transport.state;
    expect(status).toMatchObject({ type: "disconnected", error });
    const calling = await failureOf(getRpcClient(transport, { topic: "t" }).call({}, "m", {}, { timeoutMs: 300 }));
    expect(calling).toMatchObject({
      name: "MessagingTimeout",
      phase: "connecting",
      cause: { name: "AuthenticationError" },
    });
    const texts = JSON.stringify([error.message, error.stack, calling.message, calling.stack, logger.lines, status]);
    expect(texts).not.toContain(SECRET);
    expect(logger.of("warn")[0]).toMatch(/\(check the user and the password\)/);
  });

  test("an unknown virtual host is an error that names it", async () => {
    await using transport = open(bed.node.url("no-such"));
    const error = await failureOf(transport.connect());
    expect(error).toMatchObject({ name: "Amqp091Error", code: 530 });
    expect(error.message).toMatch(/NOT_ALLOWED - .*no-such/);
  });

  test("a virtual host that the user may not use is an error that names both", async () => {
    await userUrl("elsewhere");
    const other = await bed.node.addVirtualHost();
    await using transport = open(bed.node.url(other).replace("guest:guest", `elsewhere:${SECRET}`));
    const error = await failureOf(transport.connect());
    expect(error.message).toMatch(new RegExp(`NOT_ALLOWED - .*${other}.*elsewhere`));
    expect(error.message).not.toContain(SECRET);
  });

  describe("EXTERNAL", () => {
    /** The certificate of the broker is for `localhost`. */
    const dial: Dial = (to, on, signal) => tcpDial({ ...to, serverName: "localhost" }, on, signal);
    const tls = { ca: CA, cert: CLIENT.cert, key: CLIENT.key };
    const rabbit: RabbitOptions = { rabbitLoginMethod: "EXTERNAL" };
    const external = (options: TransportOptions = {}): RPCTransport =>
      open(bed.node.url(bed.virtualHost, bed.node.tls), { tls, rabbit, dialers: { amqp: dial }, ...options });

    test("a client certificate of an unknown user is refused, and then accepted", async () => {
      await bed.node.evaluate(`catch rabbit_auth_backend_internal:delete_user(<<"${CLIENT_NAME}">>, <<"tests">>).`);
      await using transport = external();
      const error = await failureOf(transport.connect());
      expect(error).toMatchObject({ name: "AuthenticationError", cause: { code: 403 } });
      expect(error.message).toMatch(/EXTERNAL.* failed: ACCESS_REFUSED/);
      await userUrl(CLIENT_NAME);
      await transport.connect();
      expect(await transport.probe()).toMatchObject({ mechanism: "EXTERNAL", encrypted: true });
      await using stage = rabbitStage(bed.url, "external");
      await stage.serve("s", [new CountingEndpoint()]);
      expect(await getRpcClient(transport, { topic: stage.topic }).call({}, "count", { arg: "a" })).toBe("a");
    });

    test("a connection without a client certificate is refused", async () => {
      await using transport = external({ tls: { ca: CA } });
      const error = await failureOf(transport.connect());
      expect(error).toMatchObject({ name: "AuthenticationError" });
      expect(error.message).toMatch(/EXTERNAL/);
    });
  });

  test("EXTERNAL at a listener without TLS is refused: the broker does not offer it", async () => {
    await using transport = open(bed.url, { rabbit: { rabbitLoginMethod: "EXTERNAL" } });
    const error = await failureOf(transport.connect());
    expect(error.name).toBe("AuthenticationError");
    expect(error.message).toMatch(/no common SASL mechanism: the peer offers .*PLAIN.*, the client allows EXTERNAL/);
  });

  describe("a user without a permission", () => {
    const NOTHING = "^$";

    test.for([
      ["configure", { configure: NOTHING, write: ".*", read: ".*" }],
      ["read", { configure: ".*", write: ".*", read: NOTHING }],
      ["write", { configure: ".*", write: NOTHING, read: ".*" }],
    ] as const)("%s: a server does not start, with an error that names it", async ([permission, permissions]) => {
      await using transport = open(await userUrl(`server-without-${permission}`, permissions));
      const server = getRpcServer(transport, { topic: `topic-${permission}`, server: "s" }, [{}]);
      const error = await failureOf(server.start());
      expect(error.message).toMatch(
        new RegExp(`the user has no permission "${permission}" on (exchange|queue) [\\w-]+: ACCESS_REFUSED`),
      );
      expect(error.cause).toMatchObject({ name: "Amqp091Error", code: 403 });
    });

    test("write: a cast and a notification fail, with an error that names it", async () => {
      await using stage = rabbitStage(bed.url, "write");
      await stage.serve("s", [new CountingEndpoint()]);
      const url = await userUrl("client-without-write", { configure: ".*", write: NOTHING, read: ".*" });
      await using transport = open(url);
      const error = await failureOf(getRpcClient(transport, { topic: stage.topic }).cast({}, "count", { arg: "a" }));
      expect(error).toMatchObject({ name: "MessageDeliveryFailure", outcome: "rejected" });
      expect(error.message).toMatch(/the user has no permission "write" on exchange openstack: ACCESS_REFUSED/);
      await using limited = rabbitStage(url, "write");
      const notified = await failureOf(notifierOf(limited, { retry: 0 }).info({}, "e", 1));
      expect(notified.message).toMatch(/the user has no permission "(write|read)" on (exchange|queue) /);
    });

    test("configure on its reply queue: a call fails at once, with an error that names it", async () => {
      const url = await userUrl("client-without-reply", { configure: "^openstack$", write: ".*", read: ".*" });
      await using transport = open(url);
      const error = await failureOf(getRpcClient(transport, { topic: "t" }).call({}, "m"));
      expect(error).toMatchObject({ name: "MessageDeliveryFailure", operation: "RPC Call", outcome: "rejected" });
      expect(error.message).toMatch(/the user has no permission "configure" on queue reply_\w+: ACCESS_REFUSED/);
    });

    test("configure: what exists is used", async () => {
      await using stage = rabbitStage(bed.url, "configure");
      await stage.serve("s", [new CountingEndpoint()]);
      const url = await userUrl("client-without-configure", { configure: "^reply_.*", write: ".*", read: ".*" });
      await using transport = open(url);
      expect(await getRpcClient(transport, { topic: stage.topic }).call({}, "count", { arg: "a" })).toBe("a");
    });
  });

  describe("an exchange that is declared otherwise", () => {
    const DURABLE: RabbitOptions = { amqpDurableQueues: true };

    test.for([
      ["durable", DURABLE, {}],
      ["not durable", {}, DURABLE],
    ] as const)("(%s) is used, with one warning that has both values", async ([, theirs, ours]) => {
      const { url } = await rabbitMqBed(version);
      await using present = rabbitStage(url, "present", { rabbit: theirs });
      await present.serve("s", [new CountingEndpoint()]);
      await using stage = rabbitStage(url, "ours", { rabbit: ours });
      const transport = stage.rpcTransport();
      await stage.serve("t", [new CountingEndpoint()], { topic: present.topic, transport });
      const client = getRpcClient(transport, { topic: present.topic });
      for (const server of ["s", "t", "s", "t"]) {
        expect(await client.prepare({ server }).call({}, "count", { arg: server })).toBe(server);
      }
      const about = stage.logger.of("warn").filter((line) => line.includes("exchange openstack"));
      expect(about).toEqual([
        expect.stringMatching(
          /differs.*inequivalent arg 'durable' .*received '(true|false)' but current is '(true|false)'/,
        ),
      ]);
    });

    const PYTHON = PYTHON_VERSIONS.flatMap((python) => [
      { python, kind: "durable", options: { amqp_durable_queues: "true" }, ours: {} },
      { python, kind: "not durable", options: {}, ours: DURABLE },
    ]);

    test.for(PYTHON)("($kind) by a server of Python's $python is used", async ({ python, options, ours }) => {
      const { url } = await rabbitMqBed(version);
      await using _python = await PythonServer.start({ url, topic: "py", server: "p", version: python, options });
      await using stage = rabbitStage(url, "ours", { rabbit: ours });
      const transport = stage.rpcTransport();
      await stage.serve("t", [new CountingEndpoint()], { topic: "py", transport });
      const client = getRpcClient(transport, { topic: "py", version: "1.0" });
      expect(await client.prepare({ server: "p" }).call({}, "ping")).toBe("pong from p");
      expect(await client.prepare({ server: "t" }).call({}, "count", { arg: "a" })).toBe("a");
      expect(stage.logger.of("warn").filter((line) => line.includes("exchange openstack")).length).toBe(1);
    });

    test("with another type is an error", async () => {
      const { node, virtualHost, url } = await rabbitMqBed(version);
      await node.evaluate(
        `rabbit_exchange:declare(rabbit_misc:r(<<"${virtualHost}">>, exchange, <<"openstack">>), direct, false, false, false, [], <<"tests">>).`,
      );
      await using transport = open(url);
      const error = await failureOf(getRpcServer(transport, { topic: "t", server: "s" }, [{}]).start());
      const another =
        /exchange openstack has another type: .*inequivalent arg 'type' .*received 'topic' but current is 'direct'/;
      expect(error.message).toMatch(another);
      const cast = await failureOf(getRpcClient(transport, { topic: "t" }).cast({}, "m"));
      expect(cast).toMatchObject({ name: "MessageDeliveryFailure", outcome: "rejected" });
      expect(cast.message).toMatch(another);
    });
  });

  describe("a queue that is deleted", () => {
    test("under the consumer of a server is consumed again; the status says so meanwhile", async () => {
      await using stage = rabbitStage(bed.url, "deleted");
      const transport = stage.rpcTransport();
      await stage.serve("s", [new CountingEndpoint()], { transport });
      const client = await stage.client();
      const refused = nextStatus(transport, "refused");
      await bed.node.evaluate(deletionOf(stage.topic, bed.virtualHost));
      expect(await refused).toMatchObject({
        address: stage.topic,
        error: { message: expect.stringContaining("deleted") },
      });
      await nextStatus(transport, "connected");
      expect(await client.call({}, "count", { arg: "a" })).toBe("a");
      expect(stage.logger.of("warn")).toEqual([
        `no messages from queue ${stage.topic}: the broker cancelled the consumer: was the queue deleted?`,
      ]);
    });

    test("of replies is consumed again: calls work", async () => {
      await using stage = rabbitStage(bed.url, "deleted");
      await stage.serve("s", [new CountingEndpoint()]);
      const client = await stage.client();
      await client.call({}, "count", { arg: "a" });
      const queues = await bed.node.ctl("list_queues", "--vhost", bed.virtualHost, "name");
      const replies = queues.split("\n").filter((name) => name.startsWith("reply_"));
      for (const name of replies) await bed.node.evaluate(deletionOf(name, bed.virtualHost));
      await waitFor("the warning", () => stage.logger.of("warn").length > 0);
      expect(await client.call({}, "count", { arg: "b" })).toBe("b");
    });
  });

  test("replies to a client that is gone are given up, and hold no slot of the server", async () => {
    const { node, virtualHost, url } = await rabbitMqBed(version);
    await using stage = rabbitStage(url, "gone", { rabbit: { kombuMissingConsumerRetryTimeoutMs: 600 } });
    const transport = stage.rpcTransport();
    const [early, late] = [new BlockingEndpoint(), new BlockingEndpoint()];
    await stage.serve("s", [early], { concurrency: 1, transport });
    await stage.serve("s", [late], { topic: "late", concurrency: 1, transport });
    const gone = open(url);
    const client = getRpcClient(gone, { topic: stage.topic });
    const calls = [
      client.call({}, "hold", { arg: "a" }),
      client.prepare({ topic: "late" }).call({}, "hold", { arg: "b" }),
    ];
    const ended = Promise.allSettled(calls);
    await Promise.all([early.begun("a"), late.begun("b")]);
    await gone.close();
    await ended;
    const queues = await node.ctl("list_queues", "--vhost", virtualHost, "name");
    const [queue = ""] = queues.split("\n").filter((name) => name.startsWith("reply_"));
    await node.evaluate(deletionOf(queue, virtualHost));
    early.release();
    const other = await stage.client();
    expect(await other.call({}, "echo", { arg: 1 })).toBe(1);
    const abandoned = `failed to send after 0.6 seconds due to a missing queue (${queue}). Abandoning...`;
    await waitFor("the end of the reply", () => stage.logger.of("warn").some((line) => line.endsWith(abandoned)));
    late.release();
    const dropped = `${queue} doesn't exist, drop reply to `;
    await waitFor("the drop", () => stage.logger.of("warn").some((line) => line.startsWith(dropped)));
    expect(stage.logger.of("warn").length).toBe(2);
  });

  test("a request that is too large for its server is rejected with a warning; the next one is answered", async () => {
    await using stage = rabbitStage(bed.url, "large");
    const counting = new CountingEndpoint();
    await stage.serve("s", [counting], { transport: stage.rpcTransport({ maxMessageBytes: 10_000 }) });
    const client = await stage.client();
    await client.cast({}, "count", { arg: "x".repeat(20_000) });
    expect(await client.call({}, "count", { arg: "a" })).toBe("a");
    expect(counting.counts().size).toBe(1);
    expect(stage.logger.of("warn")).toEqual([
      expect.stringMatching(
        new RegExp(
          `rejected a message from queue ${stage.topic}: message of 2\\d{4} bytes exceeds the limit of 10000 bytes, maxMessageBytes`,
        ),
      ),
    ]);
  });

  test("a request that no queue receives is a MessageUndeliverable with atLeastOnce", async () => {
    await using transport = open(bed.url);
    const client = getRpcClient(transport, { topic: "nowhere" }, { atLeastOnce: true });
    for (const send of [() => client.call({}, "m"), () => client.cast({}, "m")]) {
      expect(await failureOf(send())).toMatchObject({
        name: "MessageUndeliverable",
        exchange: "openstack",
        routingKey: "nowhere",
        replyText: "NO_ROUTE",
        message: expect.stringMatching(/NO_ROUTE, no queue receives the message .*address openstack\/nowhere/),
      });
    }
  });
});

describe("another protocol", () => {
  test("rabbit:// at a port of AMQP 1.0 is an error that names the protocol", async () => {
    const { port } = inject("artemis").legacy;
    await using transport = getRpcTransport(`rabbit://127.0.0.1:${port}/`, { logger: null });
    const error = await failureOf(transport.connect());
    expect(error.message).toContain("the peer speaks AMQP 1.0, not AMQP 0-9-1");
  });

  test.for([
    ["3.10.8", "", "is RabbitMQ 3.10.8, whose AMQP 1.0 is too old: use rabbit+ws:// or rabbit://"],
    ["4", "?addressing_mode=legacy", "addressing_mode: RabbitMQ has addresses of its own, not legacy ones: remove it"],
  ] as const)("amqp:// at RabbitMQ %s%s is an error that names the reason", async ([version, query, text]) => {
    const { node } = await rabbitMqBed(version);
    await using transport = getRpcTransport(`amqp://guest:guest@${node.address.host}:${node.address.port}/${query}`, {
      logger: null,
    });
    expect((await failureOf(transport.connect())).message).toContain(text);
  });
});

describe("several hosts", () => {
  test("the second is tried at once when the first is dead; when all are dead the pauses grow linearly", async () => {
    const bed = await rabbitMqBed("3.10.8");
    const { host, port } = bed.node.address;
    await using dead = await closedPort();
    const dead1 = `guest:guest@${dead.host}:${dead.port}`;
    const logger = new RecordingLogger();
    await using transport = getRpcTransport(`rabbit://${dead1},guest:guest@${host}:${port}/`, {
      logger,
      random: () => 0,
    });
    await transport.connect({ keepTrying: true });
    expect(logger.of("warn")).toEqual([expect.stringMatching(/connection refused .*; next attempt at once$/)]);

    await using other = await closedPort();
    const url = `rabbit://${dead1},guest:guest@${other.host}:${other.port}/`;
    await using never = getRpcTransport(url, { logger: null, random: () => 0, rabbit: { kombuReconnectDelayMs: 0 } });
    const pauses: number[] = [];
    const connecting = failureOf(never.connect({ keepTrying: true, timeoutMs: 3_500 }));
    for await (const status of never.status()) {
      if (status.type === "disconnected" && status.retryInMs !== undefined) pauses.push(status.retryInMs);
      if (pauses.length === 6) break;
    }
    expect(pauses).toEqual([0, 500, 0, 1_500, 0, 2_500]);
    expect(await connecting).toMatchObject({ name: "MessagingTimeout", phase: "connecting" });
  });

  test("a full send queue without a broker refuses further messages", async () => {
    await using dead = await closedPort();
    const url = `rabbit://${dead.host}:${dead.port}/`;
    await using transport = getRpcTransport(url, { logger: null, maxQueued: { messages: 2 } });
    const client = getRpcClient(transport, { topic: "t" });
    const sent = [1, 2, 3].map(() => failureOf(client.cast({}, "m")));
    const full = await (sent[2] as Promise<Error>);
    expect(full).toMatchObject({ name: "SendQueueFull", messages: 2, phase: "connecting" });
    expect(full.message).toMatch(/2 messages wait to be sent, maxQueued.messages is 2/);
    await transport.close();
    expect(await Promise.all(sent.slice(0, 2))).toMatchObject([
      { name: "MessageDeliveryFailure", outcome: "unsent" },
      { name: "MessageDeliveryFailure", outcome: "unsent" },
    ]);
  });
});
