import { getRpcClient, getRpcServer, getRpcTransport, MessagingTimeout, RemoteError, Target } from "oslo-messaging";

// Uses only the root of the package: `moduleResolution: node10` finds no subpaths.
const calculator = {
  target: new Target({ version: "1.0" }),
  add: (_context: object, { a, b }: { a: number; b: number }) => a + b,
};

export async function sum(url: string): Promise<number> {
  const transport = getRpcTransport(url);
  await getRpcServer(transport, { topic: "calc", server: "calc-1" }, [calculator]).start();
  try {
    return await getRpcClient<typeof calculator>(transport, { topic: "calc" }).call({}, "add", { a: 2, b: 3 });
  } catch (error) {
    if (error instanceof RemoteError) return Number.NaN;
    if (error instanceof MessagingTimeout) throw error.cause ?? error; // Error has no cause in lib es2020
    throw error;
  } finally {
    await transport.close();
  }
}
