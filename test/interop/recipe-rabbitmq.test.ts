import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveRabbitOptions } from "@/src/driver/rabbit/options.js";
import { rabbitmq } from "@/src/recipes/rabbitmq.js";
import { RabbitMq } from "@/test/fixtures/beds/rabbitmq.js";
import { type LoopbackAddress, ownAddress } from "@/test/fixtures/network/loopback.js";
import { oslo, Running } from "@/test/fixtures/processes/command.js";
import { PythonClient } from "@/test/fixtures/python/python.js";

const PASSWORD = "pa:ss-wörd";
const LOGIN = encodeURIComponent(PASSWORD);
const OPTIONS = { amqp_durable_queues: "true", rabbit_transient_queues_ttl: "60" };

let broker: RabbitMq;
/** The listener of the recipe. */
let address: LoopbackAddress;

beforeAll(async () => {
  address = ownAddress();
  const options = resolveRabbitOptions({ query: OPTIONS });
  const recipe = rabbitmq({ options, ...address, anonymous: false });
  const settings = recipe.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  broker = await RabbitMq.start({ settings: [...settings, "loopback_users.guest = true"] });
  for (const [, command = ""] of recipe.matchAll(/^# +rabbitmqctl (.*)$/gm)) await broker.ctl(...wordsOf(command));
}, 120_000);

afterAll(async () => {
  await broker?.stop();
});

/** The words of a command line, with a password for a command that asks for it. */
function wordsOf(command: string): readonly string[] {
  const words = [...command.replace(/ +\(asks.*$/, "").matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, word]) => quoted ?? word ?? "",
  );
  return words[0] === "add_user" ? [...words, PASSWORD] : words;
}

function url(user: string): string {
  return `rabbit://${user}:${LOGIN}@${address.host}:${address.port}/openstack`;
}

const SHARED = Object.entries(OPTIONS).flatMap(([name, value]) => ["--option", `${name}=${value}`]);

test("check finds nothing wrong with a RabbitMQ that has the recipe's configuration, user and permissions", {
  tags: ["recipe:rabbitmq", "check:good"],
}, async () => {
  const { status, stdout } = await oslo("check", "--url", url("oslo"), "--json", ...SHARED);
  const { report, checks, warnings } = JSON.parse(stdout);
  expect(checks.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
  expect({ status, warnings }).toEqual({ status: 0, warnings: [] });
  expect(report).toMatchObject({ virtualHost: "openstack", product: "RabbitMQ", mechanism: "AMQPLAIN" });
});

test("a Python client calls the command serve through a RabbitMQ with its recipe", {
  tags: ["recipe:rabbitmq"],
}, async () => {
  await using server = await Running.ready("serve", "--url", url("oslo"), "--topic", "t", "--server", "s", ...SHARED);
  await using python = await PythonClient.start(url("oslo"), { options: OPTIONS });
  expect(await python.call({ target: { topic: "t", version: "1.0" }, method: "ping" })).toBe("pong from s");
  expect(await server.interrupt()).toBe(0);
});

test("the recipe's user for notifications sends and receives those of nova, and nothing else", {
  tags: ["recipe:rabbitmq"],
}, async () => {
  const at = ["--url", url("notified"), ...SHARED];
  await using listener = await Running.ready("listen", ...at, "--exchange", "nova", "--count", "1");
  const about = ["--publisher-id", "p", "--event-type", "e", "1"];
  expect(await oslo("notify", ...at, "--exchange", "nova", ...about)).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(await listener.ended).toBe(0);
  const other = await oslo("notify", ...at, "--exchange", "glance", ...about);
  expect(other).toMatchObject({ status: 3, stderr: expect.stringContaining("exchange glance") });
});

test("the recipe's policy limits the queues of notifications, and no others", {
  tags: ["recipe:rabbitmq"],
}, async () => {
  const at = ["--url", url("oslo"), ...SHARED, "--exchange", "nova"];
  await oslo("notify", ...at, "--publisher-id", "p", "--event-type", "e", "1");
  const queues = await broker.ctl("list_queues", "-p", "openstack", "name", "policy");
  expect(queues).toMatch(/^notifications\.info\tnotifications$/m);
  const others = queues
    .split("\n")
    .filter((line) => line.endsWith("\tnotifications") && !line.startsWith("notifications."));
  expect(others).toEqual([]);
});
