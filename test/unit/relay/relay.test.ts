import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket as NetSocket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { Relay, type RelayOptions } from "@/src/relay/relay.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { pattern } from "@/test/fixtures/fakes/socket-probe.js";
import { closedPort } from "@/test/fixtures/peers/bad-peers.js";
import { type RawTcpServer, rawTcpServer } from "@/test/fixtures/peers/raw-tcp-server.js";
import { waitFor } from "@/test/fixtures/stages/wait-for.js";

const MEBI = 1024 * 1024;
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A relay to a TCP server whose streams the test handles. */
async function relayTo(
  onStream: (stream: NetSocket) => void,
  options: Partial<RelayOptions> = {},
): Promise<{ relay: Relay; target: RawTcpServer }> {
  const target = await rawTcpServer({ allowHalfOpen: true }, onStream);
  cleanups.push(() => target[Symbol.asyncDispose]());
  return {
    relay: await start({ to: { scheme: "amqp", hostname: target.host, port: target.port }, ...options }),
    target,
  };
}

async function start(options: Partial<RelayOptions> & Pick<RelayOptions, "to">): Promise<Relay> {
  const relay = await Relay.start({
    host: "127.0.0.1",
    port: 0,
    maxConnections: 10,
    idleTimeoutMs: 60_000,
    logger: null,
    ...options,
  });
  cleanups.push(() => relay.close());
  return relay;
}

/** A WebSocket to a relay, with what it has received. */
class Client {
  readonly ws: WebSocket;
  readonly messages: Buffer[] = [];
  /** Code and reason of the closing. */
  readonly closed: Promise<string>;

  constructor(url: string, protocols: string[] = ["amqp"], options: ClientOptions = {}) {
    this.ws = new WebSocket(url, protocols, options);
    this.ws.on("error", () => {});
    this.ws.on("message", (data: Buffer) => this.messages.push(data));
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code, reason) => resolve(`${code} ${reason}`.trim()));
    });
    cleanups.push(() => this.ws.terminate());
  }

  static async open(relay: Relay, options?: ClientOptions): Promise<Client> {
    const client = new Client(relay.url, ["amqp"], options);
    await once(client.ws, "open");
    return client;
  }

  get received(): Buffer {
    return Buffer.concat(this.messages);
  }
}

/** The status and the text of the answer to a WebSocket that is refused, or "opened". */
function knock(relay: Relay, protocols: string[] = ["amqp"], options: ClientOptions = {}): Promise<string> {
  const { ws } = new Client(relay.url, protocols, options);
  return new Promise((resolve) => {
    ws.on("open", () => {
      ws.on("close", () => resolve("opened"));
      ws.close();
    });
    ws.on("unexpected-response", (_request, response) => {
      response.setEncoding("utf8");
      response.on("data", (text: string) => resolve(`${response.statusCode} ${text.trim()}`));
    });
  });
}

const echo = (stream: NetSocket): void => {
  stream.pipe(stream);
};

describe("a relay", () => {
  it("a relay carries bytes both ways as they are", async () => {
    const { relay } = await relayTo(echo);
    const client = await Client.open(relay);
    const bytes = pattern(100_000);
    for (let at = 0; at < bytes.length; at += 999) client.ws.send(bytes.subarray(at, at + 999));
    await waitFor("the echo", () => client.received.length === bytes.length);
    expect(client.received.equals(bytes)).toBe(true);
    expect(relay.counts).toMatchObject({ connections: 1, bytesFromClients: 100_000, bytesFromTarget: 100_000 });
  });

  it("a relay passes on what the target sends before the client does", async () => {
    const { relay } = await relayTo((stream) => stream.write("hello"));
    const client = await Client.open(relay);
    await waitFor("the greeting", () => client.received.toString() === "hello");
  });
});
