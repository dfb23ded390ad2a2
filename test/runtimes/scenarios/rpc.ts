import { assert } from "chai";
import type { Scenario } from "../scenario.js";

export const RPC: readonly Scenario[] = [
  {
    name: "a call is answered by Python with any JSON",
    async run({ oslo, url, pythonTopic }) {
      const arg = { text: "héllo", list: [1, 2.5, null, true], deep: { "": {} } };
      const transport = oslo.getRpcTransport(url);
      try {
        const client = oslo.getRpcClient(transport, { topic: pythonTopic });
        assert.deepEqual(await client.call({ user: "ü" }, "echo", { arg }), arg);
      } finally {
        await transport.close();
      }
    },
  },
  {
    name: "a server here answers Python",
    async run({ oslo, url, uniqueTopic, ask }) {
      const topic = uniqueTopic("here");
      const transport = oslo.getRpcTransport(url);
      try {
        const endpoint = { add: (_context: object, { a, b }: { a: number; b: number }) => a + b };
        await oslo.getRpcServer(transport, { topic, server: "here" }, [endpoint]).start();
        assert.equal(await ask("pythonCall", { target: { topic }, method: "add", args: { a: 1, b: 2 } }), 3);
      } finally {
        await transport.close();
      }
    },
  },
];
