import { getRpcClient, getRpcServer, getRpcTransport } from "../src/entry/node.js";
import { type Contender, checkValue, PAYLOAD_ARGS } from "./echo.js";

const TOPIC = "bench-driver";

/** The whole driver on both ends, which meet at an intermediary: `where` is its transport URL. */
export const driverContender: Contender = {
  async serve(where) {
    const endpoint = { echo: (_context: object, { arg }: { arg: unknown }) => arg };
    await getRpcServer(getRpcTransport(where), { topic: TOPIC, server: "bench" }, [endpoint]).start();
    return where;
  },

  async connect(where) {
    const client = getRpcClient(getRpcTransport(where), { topic: TOPIC });
    return async () => checkValue(await client.call({}, "echo", PAYLOAD_ARGS));
  },
};
