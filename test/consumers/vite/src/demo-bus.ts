import { getRpcClient, getRpcServer, getRpcTransport } from "oslo-messaging";
import type { TransportConf } from "oslo-messaging/conf";
import { Intermediary, memoryDial } from "oslo-messaging/intermediary";

/** Calls a server over a message bus in this page, with the URL and options of the configuration. */
export async function greetInPage({ url, options }: TransportConf): Promise<unknown> {
  const bus = new Intermediary({ kind: "router" });
  const transport = getRpcTransport(url, { ...options, dialers: { "amqp+memory": memoryDial(bus.accept) } });
  const greet = (_context: object, { name }: { name: string }): string => `Hello, ${name}!`;
  await getRpcServer(transport, { topic: "greeter", server: "page" }, [{ greet }]).start();
  return await getRpcClient(transport, { topic: "greeter" }).call({}, "greet", { name: "Vite" });
}
