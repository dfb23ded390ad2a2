import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Conf, parseConf } from "@/src/conf/conf.js";
import { ConfigurationError } from "@/src/driver/exceptions.js";
import { ROWS } from "@/src/driver/options/option-table.js";
import { resolveOptions } from "@/src/driver/options/options.js";
import { FORMER_NAMES, RABBIT_ROWS } from "@/src/driver/rabbit/option-table.js";
import { resolveRabbitOptions } from "@/src/driver/rabbit/options.js";
import { projectPath } from "@/test/fixtures/project.js";

type Values = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Vector {
  name: string;
  text?: string;
  /** File in test/data with the text, instead of `text`. */
  file?: string;
  oslo?: Values;
  error?: string;
}

const DATA = projectPath("test/data");

/** Made by test/fixtures/python/py_conf.py. */
const vectors: Vector[] = JSON.parse(await readFile(join(DATA, "conf-vectors.json"), "utf8"));
const base = vectors[0]?.oslo ?? {};
const { oslo_messaging_rabbit: rabbitBase = {} } = base;

describe("parseConf parses files like the real oslo.config", () => {
  const good = vectors.filter(({ oslo }) => oslo !== undefined);
  test.each(good.map((vector) => [vector.name, vector] as const))(
    "parseConf reads the same values as oslo.config: %s",
    { tags: ["options:file:syntax"] },
    async (_name, { text, file = "", oslo = {} }) => {
      const written = text ?? (await readFile(join(DATA, file), "utf8"));
      const values = osloValues(written);
      const expected = Object.entries(base).map(([group, options]) => {
        const compared = Object.entries({ ...options, ...oslo[group] }).filter(
          ([name]) => name in (values[group] ?? {}),
        );
        return [group, Object.fromEntries(compared)];
      });
      expect(values).toEqual(Object.fromEntries(expected));
    },
  );

  const bad = vectors.filter(({ error }) => error !== undefined);
  test.each(bad.map(({ name, text = "", error }) => [name, error, text] as const))(
    "parseConf throws where oslo.config fails: %s (%s)",
    (_name, _error, text) => {
      expect(() => parseConf(text)).toThrow(ConfigurationError);
    },
  );

  test("every option of oslo.messaging 14.0 that code has is compared", () => {
    const {
      oslo_messaging_amqp: amqp = {},
      oslo_messaging_rabbit: rabbit = {},
      ...others
    } = osloValues(vectors[0]?.text);
    expect(Object.keys(amqp).length).toBe(38);
    expect(Object.keys(rabbit).length).toBe(20);
    expect(Object.entries(others).map(([group, options]) => [group, Object.keys(options).length])).toEqual([
      ["DEFAULT", 5],
      ["oslo_messaging_notifications", 4],
    ]);
  });

  test("more than 30 valid and 15 invalid files are compared with oslo.config", () => {
    expect([good.length > 30, bad.length > 15]).toEqual([true, true]);
  });
});

/** The options of the drivers are read with a URL of each. */
function osloValues(text = ""): Values {
  const { rpc, server, notifications } = parseConf(text);
  const { controlExchange = "openstack", rpcResponseTimeoutMs = 60_000 } = rpc.options;
  return {
    DEFAULT: {
      transport_url: rpc.url,
      control_exchange: controlExchange,
      rpc_response_timeout: rpcResponseTimeoutMs / 1_000,
      rpc_ping_enabled: server.ping,
      executor_thread_pool_size: server.concurrency,
    },
    oslo_messaging_amqp: amqpOsloValues(parseConf(text, { url: "amqp://h/" })),
    oslo_messaging_rabbit: rabbitOsloValues(parseConf(text, { url: "rabbit://h/" })),
    oslo_messaging_notifications: {
      driver: notifications.drivers,
      topics: notifications.topics,
      retry: notifications.retry,
      transport_url: notifications.url === rpc.url ? null : notifications.url,
    },
  };
}

function rabbitOsloValues({ rpc }: Conf): Readonly<Record<string, unknown>> {
  const values: Readonly<Record<string, unknown>> = { ...resolveRabbitOptions({ options: rpc.options.rabbit }) };
  const inCode = RABBIT_ROWS.filter(([, { inCode, ignored }]) => inCode === undefined && ignored === undefined);
  const named = inCode.map(([key, { name }]) => {
    const value = key.endsWith("Ms") ? Number(values[key]) / 1_000 : (values[key] ?? null);
    const [former] = [...FORMER_NAMES].find(([was, present]) => present === name && was in rabbitBase) ?? [];
    return [former ?? name, value] as const;
  });
  return Object.fromEntries(named.filter(([name]) => name in rabbitBase));
}

function amqpOsloValues({ rpc }: Conf): Readonly<Record<string, unknown>> {
  const values: Readonly<Record<string, unknown>> = { ...resolveOptions({ options: rpc.options.amqp }) };
  const rows = ROWS.filter(([, { name }]) => name !== "ws_path");
  return Object.fromEntries(
    rows.map(([key, { name }]) => {
      const value = values[key];
      if (key.endsWith("Ms")) return [name, Number(value) / 1_000];
      if (name === "sasl_mechanisms") return [name, (value as string[]).join(" ")];
      return [name, value ?? null];
    }),
  );
}
