import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

/**
 * Passes AMQP on between WebSockets in pieces of 1 byte, both ways: each a message, or a fragment of the message that it
 * was in.
 */
export class Shredder implements AsyncDisposable {
  readonly port: number;
  /** How many have passed. */
  pieces = 0;
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Before the intermediary at `url`. */
  static async start(url: string, pieces: "messages" | "fragments"): Promise<Shredder> {
    const handleProtocols = () => "amqp";
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols, perMessageDeflate: false });
    await once(server, "listening");
    const shredder = new Shredder(server);
    server.on("connection", (client) => {
      client.pause();
      const peer = new WebSocket(url.replace("amqp+ws", "ws"), "amqp", { perMessageDeflate: false });
      peer.once("open", () => client.resume());
      shredder.#pass(client, peer, pieces);
      shredder.#pass(peer, client, pieces);
    });
    return shredder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }

  #pass(from: WebSocket, to: WebSocket, pieces: "messages" | "fragments"): void {
    from.on("message", (data: Buffer) => {
      for (let at = 0; at < data.length; at++) {
        this.pieces++;
        to.send(data.subarray(at, at + 1), { binary: true, fin: pieces === "messages" || at === data.length - 1 });
      }
    });
    from.on("error", () => {}); // its "close" follows
    from.on("close", () => to.close());
  }
}
