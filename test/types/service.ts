// A service for Node, as its author's compiler sees it: never run.
import {
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type RPCServer,
  Target,
  type TransportOptions,
} from "oslo-messaging";
import { type Conf, loadConf } from "oslo-messaging/conf";
import { Intermediary, listenTcp, listenWebSocket } from "oslo-messaging/intermediary";
import { rabbit } from "oslo-messaging/rabbit";
import { tcpDialers } from "oslo-messaging/tcp";

interface Api {
  greet(context: object, args: { name: string }): string;
}

export async function serve(path: string): Promise<RPCServer> {
  const { rpc, server }: Conf = await loadConf(path);
  const transport = getRpcTransport(rpc.url, { ...rpc.options, dialers: tcpDialers, drivers: [rabbit] });
  const endpoint = { greet: (_context: object, { name }: { name: string }): string => `Hello, ${name}!` };
  return getRpcServer(transport, new Target({ topic: "t", server: "s" }), [endpoint], {
    concurrency: server.concurrency,
  });
}

export async function greet(url: string, options: TransportOptions, name: string): Promise<string> {
  await using transport = getRpcTransport(url, options);
  const signal = AbortSignal.timeout(1_000);
  return await getRpcClient<Api>(transport, { topic: "t" }).call({}, "greet", { name }, { signal });
}

export async function listen(cert: Uint8Array, key: Uint8Array): Promise<number[]> {
  const { accept } = new Intermediary({ kind: "router" });
  const at = { host: "127.0.0.1", port: 0, maxConnections: 10, accept };
  const tcp = await listenTcp({ ...at, tls: { cert, key } });
  const webSocket = await listenWebSocket({ ...at, maxMessageBytes: 1024 });
  return [tcp.port, webSocket.port];
}
