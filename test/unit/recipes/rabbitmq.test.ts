import { expect, it } from "vitest";
import { RABBIT_ROWS } from "@/src/driver/rabbit/option-table.js";
import { resolveRabbitOptions } from "@/src/driver/rabbit/options.js";
import { rabbitmq } from "@/src/recipes/rabbitmq.js";
import type { RecipeInit } from "@/src/recipes/recipe.js";

function print(query: Readonly<Record<string, string>> = {}, init: Partial<RecipeInit> = {}): string {
  const options = resolveRabbitOptions({ query });
  return rabbitmq({ host: "127.0.0.1", port: 5672, anonymous: false, ...init, options });
}

const settings = (text: string) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

it("the recipe of rabbitmq listens with TCP, and accepts mechanisms with a password only", {
  tags: ["recipe:rabbitmq"],
}, () => {
  expect(settings(print({}, { host: "::1", port: 5673 }))).toEqual([
    "listeners.tcp.oslo = [::1]:5673",
    "auth_mechanisms.1 = PLAIN",
    "auth_mechanisms.2 = AMQPLAIN",
  ]);
});

it("the recipe of rabbitmq lets guest connect from everywhere only if clients may connect without a password", {
  tags: ["recipe:rabbitmq"],
}, () => {
  expect(settings(print({}, { anonymous: true }))).toContain("loopback_users = none");
  expect(print({}, { anonymous: true })).not.toMatch(/add_user/);
  expect(print()).toMatch(/add_vhost[\s\S]*add_user[\s\S]*set_permissions/);
});

it("the recipe of rabbitmq has the value of each option that every service must share", {
  tags: ["recipe:rabbitmq", "recipe:options"],
}, () => {
  const given = {
    amqp_durable_queues: "false",
    amqp_auto_delete: "false",
    rabbit_ha_queues: "false",
    rabbit_quorum_queue: "true",
    rabbit_transient_quorum_queue: "true",
    rabbit_quorum_delivery_limit: "5",
    rabbit_quorum_max_memory_length: "6",
    rabbit_quorum_max_memory_bytes: "7",
    rabbit_transient_queues_ttl: "60",
  };
  const names = new Set(RABBIT_ROWS.map(([, { name }]) => name));
  const shared = [...print(given).matchAll(/^# {3}(\w+) = (.*)$/gm)].map(
    ([, name = "", value]) => [name, value] as const,
  );
  expect(Object.fromEntries(shared.filter(([name]) => names.has(name)))).toEqual(given);
});
