import { expect, inject, test } from "vitest";
import { getRpcTransport } from "@/src/entry/node.js";
import { ARTEMIS_ROUTABLE } from "@/test/fixtures/beds/bus-plan.js";

const { port, login } = inject("artemis").routable;

test.each(["amqp", "amqp+ws"] as const)(
  "Artemis lets its user in by %s, whose password is not ASCII",
  async (scheme) => {
    await using bus = await ARTEMIS_ROUTABLE.start();
    await using transport = getRpcTransport(bus.url(scheme));
    await transport.connect();
    expect(transport.state).toMatchObject({ type: "connected", product: "apache-activemq-artemis" });
  },
);

test.each([
  ["a wrong password", `${login?.username}:wrong@`],
  ["an unknown user", "nobody:wrong@"],
  ["to let anybody in", ""],
])("Artemis refuses %s, and the transport says so", async (_title, credentials) => {
  await using transport = getRpcTransport(`amqp://${credentials}127.0.0.1:${port}/`);
  const connecting = Promise.allSettled([transport.connect()]);
  for await (const status of transport.status()) {
    if (status.type !== "disconnected") continue;
    expect(status.error).toMatchObject({ condition: "amqp:unauthorized-access" });
    expect(String(status.error)).not.toContain("wrong");
    break;
  }
  await transport.close();
  await connecting;
});
