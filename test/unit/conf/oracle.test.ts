import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Conf, parseConf } from "@/src/conf/conf.js";
import { ConfigurationError } from "@/src/driver/exceptions.js";
import { ROWS } from "@/src/driver/options/option-table.js";
import { resolveOptions } from "@/src/driver/options/options.js";
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

describe("parseConf parses files like the real oslo.config", () => {
  const good = vectors.filter(({ oslo }) => oslo !== undefined);
  test.each(good.map((vector) => [vector.name, vector] as const))(
    "parseConf reads the same values as oslo.config: %s",
    { tags: ["options:file:syntax"] },
    async (_name, { text, file = "", oslo = {} }) => {
      const conf = parseConf(text ?? (await readFile(join(DATA, file), "utf8")));
      expect(osloValues(conf)).toEqual(
        Object.fromEntries(Object.entries(base).map(([group, options]) => [group, { ...options, ...oslo[group] }])),
      );
    },
  );

  const bad = vectors.filter(({ error }) => error !== undefined);
  test.each(bad.map(({ name, text = "", error }) => [name, error, text] as const))(
    "parseConf throws where oslo.config fails: %s (%s)",
    (_name, _error, text) => {
      expect(() => parseConf(text)).toThrow(ConfigurationError);
    },
  );

  test("more than 30 valid and 15 invalid files are compared with oslo.config", () => {
    expect([good.length > 30, bad.length > 15]).toEqual([true, true]);
  });
});

function osloValues({ rpc, server, notifications }: Conf): Values {
  const { controlExchange = "openstack", rpcResponseTimeoutMs = 60_000 } = rpc.options;
  return {
    DEFAULT: {
      transport_url: rpc.url,
      control_exchange: controlExchange,
      rpc_response_timeout: rpcResponseTimeoutMs / 1_000,
      rpc_ping_enabled: server.ping,
      executor_thread_pool_size: server.concurrency,
    },
    oslo_messaging_amqp: amqpOsloValues(conf(rpc)),
    oslo_messaging_notifications: {
      driver: notifications.drivers,
      topics: notifications.topics,
      retry: notifications.retry,
      transport_url: notifications.url === rpc.url ? null : notifications.url,
    },
  };
}

function conf({ options }: Conf["rpc"]): Readonly<Record<string, unknown>> {
  return { ...resolveOptions({ options: options.amqp }) };
}

function amqpOsloValues(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
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
