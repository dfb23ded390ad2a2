import { once } from "node:events";
import { createServer, type Socket as NetSocket, type ServerOpts } from "node:net";

/** A server of plain Node, that does what our listener never would. */
export interface RawTcpServer {
  readonly port: number;
  /** In the order in which they came. */
  readonly streams: readonly NetSocket[];
  [Symbol.asyncDispose](): Promise<void>;
}

export async function rawTcpServer(options: ServerOpts, onStream: (stream: NetSocket) => void): Promise<RawTcpServer> {
  const streams: NetSocket[] = [];
  const server = createServer(options, (stream) => {
    stream.on("error", () => {});
    streams.push(stream);
    onStream(stream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    streams,
    async [Symbol.asyncDispose]() {
      for (const stream of streams) stream.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
