import { parseArgs } from "node:util";
import { RabbitMq } from "../test/fixtures/beds/rabbitmq.js";
import { RABBITMQ_VERSIONS, type RabbitMqVersion } from "../test/fixtures/beds/rabbitmq-installation.js";
import { rabbitChaos } from "../test/fixtures/stages/rabbit-chaos.js";

/**
 * Cuts connections of rabbit:// under load, on each version of RabbitMQ, and prints what was counted.
 * `npm run chaos -- [--cuts 300] [--seed NUMBER] [--version 3.10.8|4]`. Ends with 1 when something was lost or repeated.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { cuts: { type: "string", default: "300" }, seed: { type: "string" }, version: { type: "string" } },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  const versions = values.version === undefined ? RABBITMQ_VERSIONS : [values.version as RabbitMqVersion];
  for (const version of versions) {
    await using rabbit = await RabbitMq.start({ version });
    const startMs = performance.now();
    const chaos = { node: rabbit, virtualHost: "/", cuts: Number(values.cuts), seed };
    const summary = await rabbitChaos(chaos);
    const seconds = Math.round((performance.now() - startMs) / 1_000);
    process.stdout.write(`RabbitMQ ${rabbit.release}, ${seconds} s: ${JSON.stringify(summary)}\n`);
    const { notifications, casts, fanouts, calls, executedTwice, unsettled } = summary;
    if (notifications.lost + casts.lost + fanouts.lost + calls.wrong + executedTwice + unsettled > 0)
      process.exitCode = 1;
  }
}

await main();
