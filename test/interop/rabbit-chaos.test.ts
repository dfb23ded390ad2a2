import { expect, test } from "vitest";
import { rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { rabbitChaos } from "@/test/fixtures/stages/rabbit-chaos.js";

/** `npm run chaos` cuts more connections, and takes the seed of a failure. */
test.for([
  ["3.10.8", "rabbit"],
  ["4", "amqp"],
] as const)(
  "25 cuts of connections to RabbitMQ %s by %s under load lose no acknowledged message, and no server executes a request twice",
  { timeout: 120_000 },
  async ([version, scheme]) => {
    const { node, virtualHost } = await rabbitMqBed(version);
    const seed = Math.floor(Math.random() * 1e9);
    const summary = await rabbitChaos({ node, virtualHost, scheme, cuts: 25, seed });
    expect(summary, `seed ${seed}`).toMatchObject({
      cuts: 25,
      notifications: { lost: 0 },
      casts: { lost: 0 },
      fanouts: { lost: 0 },
      calls: { wrong: 0 },
      executedTwice: 0,
      unsettled: 0,
      failures: {},
    });
  },
);
