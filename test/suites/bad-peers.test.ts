import { describe, expect, test } from "vitest";
import {
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  Notifier,
  type Transport,
  type TransportStatus,
} from "@/src/entry/node.js";
import {
  type BadPeer,
  closedPort,
  peerThatSays,
  says,
  tcp,
  webServer,
  webSocketServer,
} from "@/test/fixtures/peers/bad-peers.js";

/** Long enough for an attempt to connect that fails at once. */
const SHORT_MS = 2_000;

const SASL_HEADER = "AMQP\x03\x01\0\0";
const FRAME_OF_4_GB = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0);

/** With none of them there will ever be a connection: what they are, how to get there, and what is said of them. */
const PEERS: [what: string, scheme: string, start: () => Promise<BadPeer>, told: RegExp][] = [
  ["a port where nothing listens", "amqp", closedPort, /^cannot connect to HOST:PORT: connection refused$/],
  ["a port where nothing listens", "amqp+ws", closedPort, /^cannot open WebSocket ws:\S+:PORT\/: connection refused$/],
  ["a server that hangs up", "amqp", () => tcp((stream) => stream.end()), /:PORT: closed by the peer before/],
  ["a server that hangs up", "amqp+ws", () => tcp((stream) => stream.end()), /WebSocket ws:\S+:PORT\/: /],
  ["a web server", "amqp", webServer, /the peer speaks HTTP, not AMQP 1\.0 with SASL$/],
  ["a web server", "amqp+ws", webServer, /^cannot open WebSocket ws:\S+:PORT\/: .*200/],
  ["AMQP 0-9-1", "amqp", () => says("AMQP\0\0\x09\x01"), /the peer speaks AMQP 0-9-1, not AMQP 1\.0/],
  ["AMQP 1.0 without SASL", "amqp", () => says("AMQP\0\x01\0\0"), /the peer speaks AMQP 1\.0, not .* with SASL/],
  ["TLS", "amqp", () => says("\x15\x03\x01\0\x02\x02\x46"), /the peer speaks TLS/],
  ["a mail server", "amqp", () => says("220 mail\r\n"), /an unknown protocol \(0x323230206d61696c\)/],
  ["no sub-protocol", "amqp+ws", () => webSocketServer(false), /ws:\S+:PORT\/ did not select the sub-protocol "amqp"$/],
  ["another sub-protocol", "amqp+ws", () => webSocketServer("mqtt"), /:PORT\/ did not select the sub-protocol "amqp"$/],
  ["WebSocket messages of text", "amqp+ws", () => webSocketServer("amqp", "hello"), /received a text message/],
  ["a SASL frame of 4 GB", "amqp", () => says(SASL_HEADER, FRAME_OF_4_GB), /invalid SASL frame header 0xffffffff0200/],
  ["a frame of 4 GB", "amqp", () => peerThatSays(FRAME_OF_4_GB), /frame of 4294967295 bytes, must be 8 to 65536$/],
];

describe.concurrent("A transport to a peer that is no message bus", () => {
  test.each(PEERS)("says what is wrong with %s (%s)", async (_what, scheme, start, told) => {
    await using peer = await start();
    const host = `${peer.host}:${peer.port}`;
    const source = told.source.replace("HOST", peer.host).replace("PORT", String(peer.port));
    const cause = { message: expect.stringMatching(new RegExp(source)) };
    await using transport = getRpcTransport(`${scheme}://${host}/`);
    const lost = disconnected(transport);
    const client = getRpcClient(transport, { topic: "t" });
    const failure = {
      name: "MessagingTimeout",
      phase: "connecting",
      host,
      message: expect.stringMatching(`timed out .*host ${host}`),
      cause,
    };
    const limits = { timeoutMs: SHORT_MS };
    const call = expect(client.call({}, "m", {}, limits)).rejects.toMatchObject(failure);
    const cast = expect(client.cast({}, "m", {}, limits)).rejects.toMatchObject(failure);
    await Promise.all([call, cast]);
    expect(await lost).toMatchObject({ type: "disconnected", host, error: cause });
  });

  test("that is not there fails what has no time of its own by the default one, and says why", async () => {
    await using peer = await closedPort();
    const url = `amqp://${peer.host}:${peer.port}/?default_send_timeout=5&default_notify_timeout=5`;
    await using rpc = getRpcTransport(url);
    await using notifications = getNotificationTransport(url);
    const notifier = new Notifier(notifications, { publisherId: "p" });
    const failure = {
      name: "MessageDeliveryFailure",
      outcome: "unsent",
      phase: "connecting",
      cause: { message: expect.stringContaining(`:${peer.port}: connection refused`) },
    };
    await Promise.all([
      expect(getRpcClient(rpc, { topic: "t" }).cast({}, "m")).rejects.toMatchObject(failure),
      expect(notifier.info({}, "event", {})).rejects.toMatchObject(failure),
    ]);
  });

  test("is waited for as long as the caller likes, and no longer", async () => {
    await using peer = await closedPort();
    await using transport = getRpcTransport(`amqp://${peer.host}:${peer.port}/`);
    const reason = new Error("enough");
    const controller = new AbortController();
    const { signal } = controller;
    const client = getRpcClient(transport, { topic: "t" });
    const server = getRpcServer(transport, { topic: "t", server: "s" }, [{}]);
    const waiting = [transport.connect({ signal }), server.start({ signal }), client.call({}, "m", {}, { signal })];
    const ended = Promise.all(waiting.map((promise) => expect(promise).rejects.toBe(reason)));
    await disconnected(transport);
    controller.abort(reason);
    await ended;
  });

  test.each([
    ["amqp", /^tcp \S+ to HOST: no AMQP 1\.0 connection within 15000 ms$/],
    ["amqp+ws", /^cannot open WebSocket ws:\/\/HOST\/: timed out after 10000 ms$/],
  ])("gives one up that never answers (%s)", async (scheme, told) => {
    await using peer = await tcp(() => {});
    const host = `${peer.host}:${peer.port}`;
    await using transport = getRpcTransport(`${scheme}://${host}/`);
    const lost = disconnected(transport);
    const call = getRpcClient(transport, { topic: "t" }).call({}, "m", {}, { timeoutMs: SHORT_MS });
    await expect(call).rejects.toMatchObject({ name: "MessagingTimeout", phase: "connecting", host });
    const message = expect.stringMatching(told.source.replace("HOST", host));
    expect(await lost).toMatchObject({ host, error: { message } });
  });
});

/** Resolves when an attempt has failed, or the connection is lost. */
async function disconnected(transport: Transport): Promise<TransportStatus> {
  for await (const status of transport.status()) if (status.type === "disconnected") return status;
  throw new Error("the transport was closed");
}
