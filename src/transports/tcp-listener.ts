import { createServer } from "node:net";
import type { Accept, Listening } from "../core/dial.js";
import { bind, OpenStreams, routeOf } from "./tcp-server.js";
import { TcpSocket } from "./tcp-socket.js";

export interface TcpListenerOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  /** What comes in beyond it is closed at once. */
  maxConnections: number;
  accept: Accept;
}

/** Listens for TCP streams by Node. Rejects with "cannot listen on host:port: cause". */
export function listenTcp({ accept, maxConnections, ...at }: TcpListenerOptions): Promise<Listening> {
  const streams = new OpenStreams();
  const server = createServer((stream) => {
    const socket = new TcpSocket(stream, `tcp ${routeOf(stream)}`, accept);
    streams.add(socket, (ended) => stream.once("close", ended));
  });
  server.maxConnections = maxConnections;
  return bind(server, at, () => streams.close());
}
