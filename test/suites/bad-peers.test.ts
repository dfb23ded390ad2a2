import { describe, expect, test } from "vitest";
import { getNotificationTransport, getRpcClient, getRpcServer, getRpcTransport, Notifier } from "@/src/entry/node.js";
import {
  type BadPeer,
  closedPort,
  peerThatSays,
  says,
  tcp,
  webServer,
  webSocketServer,
} from "@/test/fixtures/peers/bad-peers.js";
import { nextStatus, refusedAttempt } from "@/test/fixtures/stages/status.js";

const SASL_HEADER = "AMQP\x03\x01\0\0";
const FRAME_OF_4_GB = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0);

/** Peers that never accept a connection, each with a scheme and the reason in the error. */
const PEERS: [what: string, scheme: string, start: () => Promise<BadPeer>, reason: RegExp][] = [
  ["a closed port", "amqp", closedPort, /^cannot connect to HOST:PORT: connection refused$/],
  ["a closed port", "amqp+ws", closedPort, /^cannot open WebSocket ws:\S+:PORT\/: connection refused$/],
  [
    "a server that hangs up",
    "amqp",
    () => tcp((stream) => stream.end()),
    /:PORT: closed by the peer before it sent anything: it may require TLS$/,
  ],
  ["a server that hangs up", "amqp+ws", () => tcp((stream) => stream.end()), /WebSocket ws:\S+:PORT\/: /],
  ["a web server", "amqp", webServer, /the peer speaks HTTP, not AMQP 1\.0 with SASL: is amqp\+ws:\/\/ meant\?$/],
  ["a web server", "amqp+ws", webServer, /^cannot open WebSocket ws:\S+:PORT\/: .*200/],
  [
    "a peer that speaks AMQP 0-9-1",
    "amqp",
    () => says("AMQP\0\0\x09\x01"),
    /the peer speaks AMQP 0-9-1, not AMQP 1\.0/,
  ],
  [
    "a peer that speaks AMQP 1.0 without SASL",
    "amqp",
    () => says("AMQP\0\x01\0\0"),
    /the peer speaks AMQP 1\.0, not .* with SASL/,
  ],
  [
    "a peer that speaks TLS",
    "amqp",
    () => says("\x15\x03\x01\0\x02\x02\x46"),
    /the peer speaks TLS, .*: use amqps:\/\/ \(relay: --to-tls\)$/,
  ],
  [
    "a message bus over TCP",
    "amqp+ws",
    () => says(SASL_HEADER),
    /:PORT\/: the peer is not a WebSocket server, it speaks AMQP over TCP: use a relay or omit \+ws$/,
  ],
  ["a mail server", "amqp+ws", () => says("220 mail\r\n"), /:PORT\/: the peer is not a WebSocket server$/],
  ["a mail server", "amqp", () => says("220 mail\r\n"), /an unknown protocol \(0x323230206d61696c\)/],
  [
    "a WebSocket server that selects no sub-protocol",
    "amqp+ws",
    () => webSocketServer(false),
    /ws:\S+:PORT\/ did not select the sub-protocol "amqp"$/,
  ],
  [
    "a WebSocket server that selects another sub-protocol",
    "amqp+ws",
    () => webSocketServer("mqtt"),
    /:PORT\/ did not select the sub-protocol "amqp"$/,
  ],
  ["a WebSocket server that sends text", "amqp+ws", () => webSocketServer("amqp", "hello"), /received a text message/],
  [
    "a peer that sends a SASL frame of 4 GB",
    "amqp",
    () => says(SASL_HEADER, FRAME_OF_4_GB),
    /invalid SASL frame header 0xffffffff0200/,
  ],
  [
    "a peer that sends a frame of 4 GB",
    "amqp",
    () => peerThatSays(FRAME_OF_4_GB),
    /frame of 4294967295 bytes, must be 8 to 65536$/,
  ],
  ["a closed port", "rabbit", closedPort, /^cannot connect to HOST:PORT: connection refused$/],
  ["a server that hangs up", "rabbit", () => tcp((stream) => stream.end()), /:PORT: closed by the peer/],
  ["a web server", "rabbit", webServer, /the peer speaks HTTP, not AMQP 0-9-1/],
  ["a peer that speaks AMQP 1.0", "rabbit", () => says("AMQP\0\x01\0\0"), /the peer speaks AMQP 1\.0, not AMQP 0-9-1 /],
  [
    "a peer that speaks TLS",
    "rabbit",
    () => says("\x15\x03\x01\0\x02\x02\x46"),
    /the peer speaks TLS, not AMQP 0-9-1: use \?ssl=true \(relay: --to-tls\)/,
  ],
  ["a mail server", "rabbit", () => says("220 mail\r\n"), /an unknown protocol \(0x323230206d6169\)/],
  [
    "a peer that sends a frame of 4 GB",
    "rabbit",
    () => says("\x01\0\0\xff\xff\xff\xff\0"),
    /frame of 4294967303 bytes, at most 131072/,
  ],
];

describe.concurrent("A transport that cannot connect", () => {
  test.each(PEERS)(
    "calls, casts and the status name the reason why %s cannot be used by %s",
    async (_what, scheme, start, reason) => {
      await using peer = await start();
      const host = `${peer.host}:${peer.port}`;
      const source = reason.source.replace("HOST", peer.host).replace("PORT", String(peer.port));
      const cause = { message: expect.stringMatching(new RegExp(source)) };
      await using transport = getRpcTransport(`${scheme}://${host}/`, { logger: null });
      expect(await refusedAttempt(transport)).toMatchObject({ host, error: cause });
      const client = getRpcClient(transport, { topic: "t" });
      const failure = {
        name: "MessagingTimeout",
        phase: "connecting",
        host,
        message: expect.stringMatching(`timed out .*host ${host}`),
        cause,
      };
      const limits = { timeoutMs: 100 };
      await Promise.all([
        expect(client.call({}, "m", {}, limits)).rejects.toMatchObject(failure),
        expect(client.cast({}, "m", {}, limits)).rejects.toMatchObject(failure),
      ]);
    },
  );

  test("a cast and a notification to a closed port fail after the default timeout, with the reason", async () => {
    await using peer = await closedPort();
    const url = `amqp://${peer.host}:${peer.port}/?default_send_timeout=5&default_notify_timeout=5`;
    await using rpc = getRpcTransport(url, { logger: null });
    await using notifications = getNotificationTransport(url, { logger: null });
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

  test.each(["amqp", "rabbit"])(
    "connect with keepTrying, start and call end with the reason of their signal while the port is closed: %s",
    async (scheme) => {
      await using peer = await closedPort();
      await using transport = getRpcTransport(`${scheme}://${peer.host}:${peer.port}/`, { logger: null });
      const reason = new Error("enough");
      const controller = new AbortController();
      const { signal } = controller;
      const client = getRpcClient(transport, { topic: "t" });
      const server = getRpcServer(transport, { topic: "t", server: "s" }, [{}]);
      const waiting = [
        transport.connect({ keepTrying: true, signal }),
        server.start({ signal }),
        client.call({}, "m", {}, { signal }),
      ];
      const ended = Promise.all(waiting.map((promise) => expect(promise).rejects.toBe(reason)));
      await nextStatus(transport, "disconnected");
      controller.abort(reason);
      await ended;
    },
  );
});
