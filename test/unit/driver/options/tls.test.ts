import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Dial, TLSOptionName, TLSOptions } from "@/src/core/byte-stream.js";
import { amqp } from "@/src/driver/amqp/amqp.js";
import type { TransportOptions } from "@/src/driver/options/transport-options.js";
import type { Runtime } from "@/src/driver/runtime.js";
import { RPCTransport } from "@/src/driver/transport.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";
import { projectPath } from "@/test/fixtures/project.js";

const DATA = projectPath("test/data/tls");
const CA = readFileSync(join(DATA, "ca.pem"), "utf8");
const CERT = "-----BEGIN CERTIFICATE-----\ncert";
const KEY = "-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----";

const FILES: Readonly<Record<string, string>> = {
  "ca.pem": CA,
  "cert.pem": CERT,
  "key.pem": KEY,
  "both.pem": `${CERT}\n${KEY}`,
  "text.txt": "s3cr3t",
};

/** The parts of a runtime that matter for TLS. */
interface TestRuntime extends Pick<Runtime, "readFile"> {
  readonly supportedTlsOptions?: readonly TLSOptionName[] | undefined;
}

const node: TestRuntime = {
  readFile(path) {
    if (path in FILES) return FILES[path] ?? "";
    throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
  },
};
const web: TestRuntime = { supportedTlsOptions: [] };
const deno: TestRuntime = { ...node, supportedTlsOptions: ["ca", "cert", "key"] };

function make(
  url: string,
  options: TransportOptions,
  { readFile, supportedTlsOptions }: TestRuntime,
  dial: Dial,
): RPCTransport {
  const limited: Dial = Object.assign((...args: Parameters<Dial>) => dial(...args), { supportedTlsOptions });
  const dialers = { amqp: limited, amqps: limited, "amqp+ws": limited, "amqp+wss": limited };
  const identity = { node: "node", process: "program", pid: 7 };
  return new RPCTransport({ drivers: [amqp], dialers, identity, defaults: {}, readFile }, url, {
    logger: null,
    ...options,
  });
}

/** The TLS options that the dialer receives. */
async function dialedTls(url: string, tls?: TLSOptions, runtime: TestRuntime = node): Promise<object | undefined> {
  return await new Promise<object | undefined>((resolve) => {
    const dial: Dial = async (to) => {
      resolve(to.tls);
      throw new Error("no");
    };
    const transport = make(url, { tls }, runtime, dial);
    void failureOf(transport.connect()).then(() => {});
    setImmediate(() => void transport.close());
  });
}

function errorOf(url: string, tls?: unknown, runtime: TestRuntime = node): unknown {
  try {
    make(url, { tls: tls as TLSOptions }, runtime, () => Promise.reject(new Error("no")));
  } catch (error) {
    return error;
  }
  throw new Error("no error was thrown");
}

describe("TLS", () => {
  test.each<[string, TLSOptions | undefined, boolean]>([
    ["amqp://h/", undefined, false],
    ["amqp+ws://h/", undefined, false],
    ["amqps://h/", undefined, true],
    ["amqp+wss://h/", undefined, true],
    ["amqp://h/?ssl=true", undefined, true],
    ["amqp+ws://h/?ssl=yes", undefined, true],
    ["amqp://h/?ssl=false", undefined, false],
    ["amqp://h/?ssl_ca_file=ca.pem", undefined, true],
    ["amqp://h/?ssl_cert_file=both.pem", undefined, true],
    ["amqp://h/?ssl=false&ssl_ca_file=ca.pem", undefined, true],
    ["amqp://h/?ssl_verify_vhost=true", undefined, false],
    ["amqp://h/?ssl_key_password=x", undefined, false],
    ["amqp://h/", {}, true],
    ["amqp://h/?ssl=false", {}, false],
    ["amqp://h/?ssl=false", { ca: CA }, true],
  ])("whether %s with tls: %j in code uses TLS: %s", async (url, tls, enabled) => {
    expect((await dialedTls(url, tls)) !== undefined).toBe(enabled);
  });

  test("the dialer receives the contents of the ssl_* files", async () => {
    const files = "ssl_ca_file=ca.pem&ssl_cert_file=cert.pem&ssl_key_file=key.pem";
    expect(await dialedTls(`amqp://h/?${files}&ssl_key_password=word&ssl_verify_vhost=true`)).toEqual({
      ca: CA,
      cert: CERT,
      key: KEY,
      passphrase: "word",
      verifyVirtualHost: true,
    });
  });

  test("without a key file the key is read from the certificate's file, as in oslo", async () => {
    expect(await dialedTls("amqps://h/?ssl_cert_file=both.pem")).toMatchObject({ key: FILES["both.pem"] });
    const bytes = new TextEncoder().encode(FILES["both.pem"]);
    expect(await dialedTls("amqps://h/", { cert: bytes })).toMatchObject({ key: bytes });
  });

  test("each TLS option of the URL overrides its counterpart in code", { tags: ["options:url"] }, async () => {
    const code = { ca: `${CA}#`, cert: CERT, key: KEY, passphrase: "code", verifyVirtualHost: true };
    expect(await dialedTls("amqps://h/", code)).toEqual(code);
    const url = "amqps://h/?ssl_ca_file=ca.pem&ssl_key_password=url&ssl_verify_vhost=false";
    expect(await dialedTls(url, code)).toEqual({ ...code, ca: CA, passphrase: "url", verifyVirtualHost: false });
  });

  test.each<[string, unknown, string, string]>([
    ["amqps://h/?ssl=false", undefined, "ssl", "false contradicts amqps://, which requires TLS"],
    ["amqp+wss://h/?ssl=no", {}, "ssl", "false contradicts amqp+wss://, which requires TLS"],
    ["amqp://h/?ssl=perhaps", undefined, "ssl", 'must be true or false, not "perhaps"'],
    ["amqp://h/?ssl_ca_file=no.pem", undefined, "ssl_ca_file", "no.pem cannot be read: ENOENT"],
    ["amqp://h/?ssl_cert_file=no.pem", undefined, "ssl_cert_file", "no.pem cannot be read: ENOENT"],
    ["amqp://h/?ssl_cert_file=cert.pem&ssl_key_file=text.txt", undefined, "ssl_key_file", "text.txt is not a PEM"],
    ["amqp://h/?ssl_key_file=key.pem", undefined, "ssl_key_file", "requires a certificate"],
    ["amqp://h/?ssl_cert_file=cert.pem", undefined, "ssl_cert_file", "requires its private key"],
    ["amqp://h/", { key: KEY }, "tls.key", "requires a certificate"],
    ["amqp://h/", { cert: CERT }, "tls.cert", "requires its private key"],
    ["amqp://h/", "true", "tls", "must be an object"],
    ["amqp://h/", { ca: "/etc/ca.pem" }, "tls.ca", "must be a PEM document: its text, not a file name"],
    ["amqp://h/", { ca: [CA, 5] }, "tls.ca", "must be a PEM document"],
    ["amqp://h/", { key: "s3cr3t" }, "tls.key", "must be a PEM document"],
    ["amqp://h/", { passphrase: 5318008 }, "tls.passphrase", "must be a string"],
    ["amqp://h/", { verifyVirtualHost: "yes" }, "tls.verifyVirtualHost", "must be true or false"],
    ["amqp://h/", { rejectUnauthorized: false }, "tls.rejectUnauthorized", "unknown option"],
  ])(
    "%s with tls: %j throws a ConfigurationError that names the option and shows no secret",
    (url, tls, key, reason) => {
      const error = errorOf(url, tls);
      expect(error).toMatchObject({ key, message: expect.stringContaining(`${key}: ${reason}`) });
      expect(String(error)).not.toMatch(/s3cr3t|5318008/);
    },
  );
});

describe("TLS in a browser", () => {
  test.each<[string, TLSOptions | undefined, string]>([
    ["amqp+wss://h/?ssl_ca_file=ca.pem", undefined, "ssl_ca_file"],
    ["amqp+wss://h/?ssl_cert_file=both.pem", undefined, "ssl_cert_file"],
    ["amqp+wss://h/?ssl_key_file=key.pem", undefined, "ssl_key_file"],
    ["amqp+wss://h/?ssl_key_password=s3cr3t", undefined, "ssl_key_password"],
    ["amqp+wss://h/?ssl_verify_vhost=true", undefined, "ssl_verify_vhost"],
    ["amqp+wss://h/", { ca: CA }, "tls.ca"],
    ["amqp+wss://h/", { cert: CERT, key: KEY }, "tls.cert"],
    ["amqp+wss://h/", { passphrase: "s3cr3t" }, "tls.passphrase"],
    ["amqp+wss://h/", { verifyVirtualHost: true }, "tls.verifyVirtualHost"],
  ])("a browser refuses TLS options other than tls: {}: %s %j", { tags: ["options:runtime"] }, (url, tls, key) => {
    const error = errorOf(url, tls, web);
    expect(error).toMatchObject({ name: "ConfigurationError", key });
    expect(String(error)).toContain("not supported by this runtime: only tls: {} is");
    expect(String(error)).not.toContain("s3cr3t");
  });

  test("a browser accepts TLS without further options", async () => {
    expect(await dialedTls("amqp+ws://h/?ssl=true", undefined, web)).toBeDefined();
    expect(await dialedTls("amqp+ws://h/", { verifyVirtualHost: false }, web)).toBeDefined();
    expect(await dialedTls("amqp+wss://h/?ssl_verify_vhost=false", undefined, web)).toBeDefined();
  });

  test("the caller's own dialer receives all TLS options in a browser", () => {
    const dial: Dial = () => Promise.reject(new Error("no"));
    expect(() => make("own://h/", { tls: { ca: CA }, dialers: { own: dial } }, web, dial)).not.toThrow();
  });

  test("a runtime that supports some TLS options refuses the others by name", {
    tags: ["options:runtime"],
  }, async () => {
    const most = { ca: CA, cert: CERT, key: KEY };
    expect(await dialedTls("amqps://h/", most, deno)).toEqual(most);
    for (const tls of [{ passphrase: "s3cr3t" }, { verifyVirtualHost: true }]) {
      const [key] = Object.keys(tls);
      expect(errorOf("amqps://h/", { ...most, ...tls }, deno)).toMatchObject({
        key: `tls.${key}`,
        message: `tls.${key}: not supported by this runtime: only ca, cert, key are`,
      });
    }
    expect(errorOf("amqps://h/?ssl_verify_vhost=true", undefined, deno)).toMatchObject({ key: "ssl_verify_vhost" });
  });

  test("a runtime without files refuses ssl_ca_file", () => {
    expect(errorOf("amqps://h/?ssl_ca_file=ca.pem", undefined, {})).toMatchObject({
      key: "ssl_ca_file",
      message: "ssl_ca_file: ca.pem cannot be read: this runtime has no files",
    });
  });
});

test("each option of Cyrus SASL is ignored with a warning", { tags: ["options:runtime"] }, () => {
  for (const name of ["sasl_config_dir", "sasl_config_name"]) {
    const logger = new RecordingLogger();
    make(`amqp://h/?${name}=x`, { logger }, node, () => Promise.reject(new Error("no")));
    expect(logger.of("warn")).toEqual([expect.stringContaining("are ignored")]);
  }
});
