import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RabbitMq } from "@/test/fixtures/beds/rabbitmq.js";
import { rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { oslo } from "@/test/fixtures/processes/command.js";

interface Findings {
  status: number | undefined;
  report: Readonly<Record<string, unknown>>;
  checks: readonly { name: string; ok: boolean; detail: string; advice?: string }[];
  warnings: readonly string[];
}

async function check(url: string, ...args: readonly string[]): Promise<Findings> {
  const { status, stdout } = await oslo("check", "--url", url, "--json", ...args);
  return { status, ...JSON.parse(stdout) };
}

const QUORUM = ["rabbit_quorum_queue", "rabbit_transient_quorum_queue"];
const WITH_QUORUM = QUORUM.flatMap((name) => ["--option", `${name}=true`]);

test("check warns that RabbitMQ 4 deprecates transient queues, and names the options that help", {
  tags: ["check:versions"],
}, async () => {
  const { node, url } = await rabbitMqBed("4");
  const transient = await check(url);
  const names = QUORUM.join(" and ");
  expect(transient).toMatchObject({ status: 0, report: { product: "RabbitMQ", version: node.release } });
  expect(transient.warnings).toEqual([
    expect.stringMatching(new RegExp(`^RabbitMQ ${node.release} .*set ${names} in`)),
  ]);
  const durable = await check(url, "--option", "amqp_durable_queues=true");
  expect(durable.warnings).toEqual([expect.stringContaining("set rabbit_transient_quorum_queue in every service")]);
  expect(await check(url, ...WITH_QUORUM)).toMatchObject({ status: 0, warnings: [] });
});

describe("a RabbitMQ 4 that denies transient queues", () => {
  let broker: RabbitMq;

  beforeAll(async () => {
    const settings = ["deprecated_features.permit.transient_nonexcl_queues = false"];
    broker = await RabbitMq.start({ version: "4", settings });
  }, 120_000);

  afterAll(async () => {
    await broker?.stop();
  });

  test("check names the options that a RabbitMQ needs which denies transient queues, and finds nothing wrong with them", {
    tags: ["check:lacking"],
  }, async () => {
    const url = broker.url("/");
    const denied = await check(url);
    expect(denied.status).toBe(5);
    expect(denied.checks).toHaveLength(5);
    for (const { ok, detail, advice } of denied.checks) {
      expect({ ok, detail }).toEqual({
        ok: false,
        detail: expect.stringMatching(/does not permit queue \S+, which is tr/),
      });
      for (const name of QUORUM) expect(advice).toContain(`${name} = true`);
    }
    const permitted = await check(url, ...WITH_QUORUM);
    expect(permitted.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(permitted.status).toBe(0);
    // The exchanges that were declared before the connection was closed are deleted too.
    expect(await broker.ctl("list_queues", "name")).not.toContain("check");
    expect(await broker.ctl("list_exchanges", "name")).not.toContain("check");
  });

  test("check names an alarm of RabbitMQ, in which messages are not accepted", {
    tags: ["check:lacking"],
  }, async () => {
    await broker.ctl("set_vm_memory_high_watermark", "absolute", "1");
    try {
      const { status, checks } = await check(broker.url("/"), "--timeout", "3", ...WITH_QUORUM);
      expect(status).toBe(5);
      const detail = expect.stringMatching(/^the broker accepts no messages: .*memory/);
      const advice = expect.stringContaining("rabbitmqctl status");
      expect(checks).toEqual([{ name: "alarm", ok: false, detail, advice }]);
    } finally {
      await broker.ctl("set_vm_memory_high_watermark", "0.4");
    }
  });
});
