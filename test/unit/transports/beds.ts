import { connect, type Socket as NetSocket } from "node:net";
import type { Accept, Address, Dial } from "@/src/core/byte-stream.js";
import { memoryDial } from "@/src/transports/memory.js";
import { tcpDial } from "@/src/transports/node/tcp.js";
import { listenTcp } from "@/src/transports/node/tcp-listener.js";
import { listenWebSocket } from "@/src/transports/node/websocket-listener.js";
import { nodeWebSocketDial } from "@/src/transports/node/websocket-node.js";
import { type ByteStream, streamDial } from "@/src/transports/streams/stream.js";
import { dialCauseOf } from "@/src/transports/tls-error-text.js";
import { CA, SERVER } from "@/test/support/tls.js";

/** A transport with something that listens. */
export interface Open {
  readonly dial: Dial;
  readonly address: Address;
  close(): Promise<void>;
}

export interface Bed {
  readonly name: string;
  open(accept: Accept): Promise<Open>;
}

const loopback = { host: "127.0.0.1", port: 0, maxConnections: 100 };

export const tcpBed: Bed = {
  name: "tcp",
  async open(accept) {
    const listening = await listenTcp({ ...loopback, accept });
    const address = { scheme: "amqp", hostname: "127.0.0.1", port: listening.port };
    return { dial: tcpDial, address, close: () => listening.close() };
  },
};

/** By the streams of runtimes without Node, which Node has here. */
export const dialStream = streamDial({
  honours: [],
  causeOf: dialCauseOf,
  open: ({ hostname, port }) =>
    new Promise((resolve, reject) => {
      const stream = connect({ host: hostname, port, allowHalfOpen: true });
      stream.once("error", reject);
      stream.once("connect", () => {
        stream.off("error", reject);
        resolve(byteStream(stream, `${hostname}:${port}`));
      });
    }),
});

function byteStream(stream: NetSocket, to: string): ByteStream {
  const chunks: AsyncIterator<Buffer | undefined> = stream.iterator({ destroyOnReturn: false });
  return {
    route: `${stream.localAddress}:${stream.localPort} to ${to}`,
    read: async () => {
      const { value } = await chunks.next();
      return value && new Uint8Array(value);
    },
    write: (piece) =>
      new Promise((resolve, reject) => stream.write(piece, (error) => (error ? reject(error) : resolve()))),
    end: () => new Promise((resolve) => stream.end(resolve)),
    cut: () => stream.destroy(),
  };
}

export const streamBed: Bed = {
  name: "streams of a runtime",
  open: async (accept) => ({ ...(await tcpBed.open(accept)), dial: dialStream }),
};

export const tlsBed: Bed = {
  name: "tls",
  async open(accept) {
    const listening = await listenTcp({ ...loopback, accept, tls: SERVER });
    const address = { scheme: "amqps", hostname: "localhost", port: listening.port, tls: { ca: CA } };
    // localhost may be ::1 first, where nobody listens: Node goes on to 127.0.0.1.
    return { dial: tcpDial, address, close: () => listening.close() };
  },
};

export const webSocketBed: Bed = {
  name: "ws",
  async open(accept) {
    const listening = await listenWebSocket({ ...loopback, maxMessageBytes: 1024 * 1024, accept });
    const address = { scheme: "amqp+ws", hostname: "127.0.0.1", port: listening.port };
    return { dial: nodeWebSocketDial(), address, close: () => listening.close() };
  },
};

export const secureWebSocketBed: Bed = {
  name: "wss",
  async open(accept) {
    const listening = await listenWebSocket({ ...loopback, maxMessageBytes: 1024 * 1024, accept, tls: SERVER });
    const address = { scheme: "amqp+wss", hostname: "localhost", port: listening.port, tls: { ca: CA } };
    return { dial: nodeWebSocketDial(), address, close: () => listening.close() };
  },
};

export const memoryBed: Bed = {
  name: "memory",
  async open(accept) {
    return {
      dial: memoryDial(accept),
      address: { scheme: "memory", hostname: "here", port: 0 },
      close: () => Promise.resolve(),
    };
  },
};
