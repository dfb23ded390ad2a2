import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConf } from "@/src/entry/conf-node.js";
import * as oslo from "@/src/entry/node.js";
import { HybridBed, TOPIC } from "@/test/fixtures/beds/hybrid-bed.js";
import { runExample } from "@/test/fixtures/readme.js";
import { HYBRID_RESULT, useBothBuses } from "@/test/fixtures/stages/hybrid-client.js";

describe.each([
  ["RPC over amqp:// and notifications over rabbit://", () => HybridBed.start()],
  ["RPC over rabbit:// and notifications over amqp://", () => HybridBed.startReversed()],
])("%s in one file", (_name, start) => {
  let bed: HybridBed;

  beforeAll(async () => {
    bed = await start();
  });

  afterAll(() => bed?.[Symbol.asyncDispose]());

  test.each([
    ["the addresses of the file", () => ({})],
    ["WebSockets in the place of its addresses", () => bed.webSockets],
  ])(
    "a program in Node and a service in Python call and notify each other, with %s",
    {
      tags: ["notify:hybrid", "options:file:addresses"],
    },
    async (_way, sources) => {
      const conf = await loadConf(bed.path, sources());
      expect(conf.warnings).toEqual([]);
      const result = await useBothBuses({ oslo, conf, topic: TOPIC });
      expect(result).toEqual({ ...HYBRID_RESULT, products: bed.products });
      expect(await bed.service.warned("volume.full")).toMatchObject({ publisherId: "javascript", payload: { id: 6 } });
    },
  );

  test("the guide's example of a hybrid program runs in Node", async () => {
    const output = await runExample("hybrid.mjs", { CONF: bed.path });
    expect(output).toBe("instance 1\n{ eventType: 'instance.create', payload: { id: 1 } }\n");
  });
});
