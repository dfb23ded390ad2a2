import { once } from "node:events";
import { createServer } from "node:net";
import type { Listening } from "@/src/core/byte-stream.js";
import { Intermediary, type IntermediaryOptions } from "@/src/intermediary/intermediary.js";
import { listenTcp } from "@/src/transports/node/tcp-listener.js";
import { listenWebSocket } from "@/src/transports/node/websocket-listener.js";
import { usesTls } from "@/src/transports/scheme.js";
import type { Scheme } from "../support/bus.js";
import { Relay } from "../support/relay.js";
import { SERVER } from "../support/tls.js";

export type HostScheme = Exclude<Scheme, "amqp+memory">;

/**
 * One host of a transport URL: at a port that stays the same an intermediary can be started, killed, and started again as
 * another one. Clients reach it through a relay of bytes, so that a kill cuts their streams without a word, as when its
 * process ends.
 */
export class Host implements AsyncDisposable {
  readonly scheme: HostScheme;
  readonly #port: number;
  #running: Running | undefined;

  private constructor(scheme: HostScheme, port: number) {
    this.scheme = scheme;
    this.#port = port;
  }

  /** At a port where nothing listens yet. */
  static async reserve(scheme: HostScheme): Promise<Host> {
    return new Host(scheme, await freePort());
  }

  /** `name:port`, as it stands in URLs and in the status of transports. */
  get name(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get intermediary(): Intermediary {
    if (this.#running === undefined) throw new Error(`nothing runs at ${this.name}`);
    return this.#running.intermediary;
  }

  async start(options: IntermediaryOptions): Promise<void> {
    const intermediary = new Intermediary(options);
    const { scheme } = this;
    const tls = usesTls({ scheme }) ? SERVER : undefined;
    const at = { host: "127.0.0.1", port: 0, maxConnections: 100, accept: intermediary.accept, tls };
    const maxMessageBytes = 16 * 1024 * 1024;
    const isWebSocket = scheme === "amqp+ws" || scheme === "amqp+wss";
    const listening = await (isWebSocket ? listenWebSocket({ ...at, maxMessageBytes }) : listenTcp(at));
    const relay = new Relay(listening.port);
    this.#running = { intermediary, listening, relay };
    await relay.listen(this.#port);
  }

  /** From now on not a byte passes, and the streams stay open: as when the cable is out, or its process is stopped. */
  freeze(): void {
    this.#running?.relay.freeze();
  }

  /** Idempotent. */
  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.relay.cut();
    await running?.intermediary.close();
    await running?.listening.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

interface Running {
  intermediary: Intermediary;
  listening: Listening;
  relay: Relay;
}

/** Below those that the system gives to whoever asks for any: nobody takes it while nothing listens there. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    server.listen(port, "127.0.0.1");
    const taken = await Promise.race([
      once(server, "listening").then(() => false),
      once(server, "error").then(() => true),
    ]);
    if (taken) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
