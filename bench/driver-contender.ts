import { getRpcClient, getRpcServer, getRpcTransport } from "../src/entry/node.js";
import { type Contender, checkValue, PAYLOAD_ARGS } from "./echo.js";

const TOPIC = "bench-driver";

/** The whole driver at both ends, connected through an intermediary. Its address is the transport URL. */
export const driverContender: Contender = {
  async serve(url) {
    const endpoint = { echo: (_context: object, { arg }: { arg: unknown }) => arg };
    await getRpcServer(getRpcTransport(url), { topic: TOPIC, server: "bench" }, [endpoint]).start();
    return url;
  },

  async connect(url) {
    const client = getRpcClient(getRpcTransport(url), { topic: TOPIC });
    return async () => checkValue(await client.call({}, "echo", PAYLOAD_ARGS));
  },
};
