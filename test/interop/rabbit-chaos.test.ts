import { expect, test } from "vitest";
import { rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { rabbitChaos } from "@/test/fixtures/stages/rabbit-chaos.js";

/** `npm run chaos` cuts more connections, and takes the seed of a failure. */
test("25 cuts of connections under load lose no acknowledged message, and no server executes a request twice", async () => {
  const { node, virtualHost } = await rabbitMqBed("3.10.8");
  const seed = Math.floor(Math.random() * 1e9);
  const summary = await rabbitChaos({ node, virtualHost, cuts: 25, seed });
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
}, 120_000);
