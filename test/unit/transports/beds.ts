import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:tls";
import { WebSocket as WsWebSocket } from "ws";
import type { Accept, Address, Dial } from "../../../src/core/dial.js";
import { memoryDial } from "../../../src/transports/memory.js";
import { tcpDial } from "../../../src/transports/tcp.js";
import { listenTcp } from "../../../src/transports/tcp-listener.js";
import { bind, OpenStreams, routeOf } from "../../../src/transports/tcp-server.js";
import { TcpSocket } from "../../../src/transports/tcp-socket.js";
import { webSocketDial } from "../../../src/transports/websocket.js";
import { listenWebSocket } from "../../../src/transports/websocket-listener.js";

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

/** `ws` as the Node build uses it. */
export class NodeWebSocket extends WsWebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false, maxPayload: 16 * 1024 * 1024 });
  }
}

const loopback = { host: "127.0.0.1", port: 0, maxConnections: 100 };
const pem = (name: string): string => readFileSync(new URL(`../../data/tls/${name}.pem`, import.meta.url), "utf8");

export const tcpBed: Bed = {
  name: "tcp",
  async open(accept) {
    const listening = await listenTcp({ ...loopback, accept });
    const address = { scheme: "amqp", hostname: "127.0.0.1", port: listening.port };
    return { dial: tcpDial, address, close: () => listening.close() };
  },
};

export const tlsBed: Bed = {
  name: "tls",
  async open(accept) {
    const streams = new OpenStreams();
    const server = createTlsServer({ cert: pem("server-cert"), key: pem("server-key") }, (stream) => {
      const socket = new TcpSocket(stream, `tls ${routeOf(stream)}`, accept);
      streams.add(socket, (ended) => stream.once("close", ended));
    });
    const listening = await bind(server, loopback, () => streams.close());
    const address = { scheme: "amqps", hostname: "localhost", port: listening.port, tls: { ca: pem("ca") } };
    // localhost may be ::1 first, where nobody listens: Node goes on to 127.0.0.1.
    return { dial: tcpDial, address, close: () => listening.close() };
  },
};

export const webSocketBed: Bed = {
  name: "ws",
  async open(accept) {
    const listening = await listenWebSocket({ ...loopback, maxMessageBytes: 1024 * 1024, accept });
    const address = { scheme: "amqp+ws", hostname: "127.0.0.1", port: listening.port };
    return { dial: webSocketDial(NodeWebSocket), address, close: () => listening.close() };
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
