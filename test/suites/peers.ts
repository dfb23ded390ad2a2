import { once } from "node:events";
import { createServer as createWebServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { WebSocketServer } from "ws";
import type { Socket as ByteStream, SocketHandlers } from "@/src/core/byte-stream.js";
import { listenTcp } from "@/src/transports/node/tcp-listener.js";
import { RawPeer } from "../support/raw-peer.js";

/** Something at a port that is no message bus, or a bad one. */
export interface Peer extends AsyncDisposable {
  port: number;
}

/** Nothing listens there. */
export async function nobody(): Promise<Peer> {
  const peer = await tcp(() => {});
  await peer[Symbol.asyncDispose]();
  return { port: peer.port, [Symbol.asyncDispose]: async () => {} };
}

export async function tcp(onStream: (stream: Socket) => void): Promise<Peer> {
  const streams = new Set<Socket>();
  const server = createServer((stream) => {
    streams.add(stream);
    stream.on("error", () => {}); // its "close" follows
    stream.on("close", () => streams.delete(stream));
    stream.resume();
    onStream(stream);
  });
  return await listening(server, () => {
    for (const stream of streams) stream.destroy();
  });
}

/** Says it at once, and then nothing. Text is Latin-1. */
export function says(...what: readonly (string | Uint8Array)[]): Promise<Peer> {
  const bytes = Buffer.concat(what.map((piece) => (typeof piece === "string" ? Buffer.from(piece, "latin1") : piece)));
  return tcp((stream) => stream.write(bytes));
}

/** Answers every request with a page. */
export async function webServer(): Promise<Peer> {
  const server = createWebServer((_request, response) => response.end("<h1>Hello</h1>"));
  return await listening(server, () => server.closeAllConnections());
}

/** Selects this sub-protocol, whatever is asked for, and says something. */
export async function webSocketServer(protocol: string | false, greeting?: string): Promise<Peer> {
  const server = createWebServer();
  const sockets = new WebSocketServer({ server, handleProtocols: () => protocol });
  sockets.on("connection", (socket) => {
    socket.on("error", () => {});
    if (greeting !== undefined) socket.send(greeting);
  });
  return await listening(server, () => {
    for (const socket of sockets.clients) socket.terminate();
  });
}

/** An AMQP 1.0 peer like any other, until it is open: then it says this. */
export async function peerThatSays(bytes: Uint8Array): Promise<Peer> {
  const accept = (socket: ByteStream): SocketHandlers => {
    const peer = new RawPeer();
    const opened = peer.next("open").then(() => {
      peer.send("open", { container_id: "peer" });
      peer.sendBytes(bytes);
    });
    void opened;
    return peer.accept(socket);
  };
  const { port, close } = await listenTcp({ host: "127.0.0.1", port: 0, maxConnections: 10, accept });
  return { port, [Symbol.asyncDispose]: close };
}

async function listening(server: Server, hangUp: () => void): Promise<Peer> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      hangUp();
      await closed;
    },
  };
}
