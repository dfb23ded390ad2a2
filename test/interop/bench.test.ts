import { beforeAll, expect, test } from "vitest";
import { buildPeers, PYTHON_CONTENDER, Running } from "@/bench/running.js";
import { rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";

beforeAll(buildPeers);

test.each(["driver at RabbitMQ", PYTHON_CONTENDER, "amqp-client's RPC", "amqp-client, confirmed"])(
  "the contender %s of the benchmark answers calls",
  async (name) => {
    const { url } = await rabbitMqBed("3.10.8");
    const running = await Running.start(name, url);
    try {
      const { calls } = await running.round({ inFlight: 2, ms: 50 });
      expect(calls).toBeGreaterThan(0);
    } finally {
      running.stop();
    }
  },
);
