import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Dial, TLSOptionName, TLSOptions } from "@/src/core/byte-stream.js";
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

/** What a runtime has. */
interface Place extends Pick<Runtime, "readFile"> {
  readonly supportedTlsOptions?: readonly TLSOptionName[] | undefined;
}

const node: Place = {
  readFile(path) {
    if (path in FILES) return FILES[path] ?? "";
    throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
  },
};
const web: Place = { supportedTlsOptions: [] };
const deno: Place = { ...node, supportedTlsOptions: ["ca", "cert", "key"] };

function make(
  url: string,
  options: TransportOptions,
  { readFile, supportedTlsOptions }: Place,
  dial: Dial,
): RPCTransport {
  const own: Dial = Object.assign((...how: Parameters<Dial>) => dial(...how), { supportedTlsOptions });
  const dialers = { amqp: own, amqps: own, "amqp+ws": own, "amqp+wss": own };
  const identity = { node: "node", process: "program", pid: 7 };
  return new RPCTransport({ dialers, identity, defaults: {}, readFile }, url, options);
}

/** What a dialler is told about TLS. */
async function told(url: string, tls?: TLSOptions, on: Place = node): Promise<object | undefined> {
  return await new Promise<object | undefined>((resolve) => {
    const dial: Dial = async (to) => {
      resolve(to.tls);
      throw new Error("no");
    };
    const transport = make(url, { tls }, on, dial);
    void failureOf(transport.connect()).then(() => {});
    setImmediate(() => void transport.close());
  });
}

function refusal(url: string, tls?: unknown, on: Place = node): unknown {
  try {
    make(url, { tls: tls as TLSOptions }, on, () => Promise.reject(new Error("no")));
  } catch (error) {
    return error;
  }
  throw new Error("it was taken");
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
  ])("for %s and %j in code: %s", async (url, tls, on) => {
    expect((await told(url, tls)) !== undefined).toBe(on);
  });

  test("has the files' contents", async () => {
    const files = "ssl_ca_file=ca.pem&ssl_cert_file=cert.pem&ssl_key_file=key.pem";
    expect(await told(`amqp://h/?${files}&ssl_key_password=word&ssl_verify_vhost=true`)).toEqual({
      ca: CA,
      cert: CERT,
      key: KEY,
      passphrase: "word",
      verifyVirtualHost: true,
    });
  });

  test("takes the key from the certificate's file when it names none, as in oslo", async () => {
    expect(await told("amqps://h/?ssl_cert_file=both.pem")).toMatchObject({ key: FILES["both.pem"] });
    const bytes = new TextEncoder().encode(FILES["both.pem"]);
    expect(await told("amqps://h/", { cert: bytes })).toMatchObject({ key: bytes });
  });

  test("is said by the URL first, then by the code, one by one", { tags: ["options:url"] }, async () => {
    const code = { ca: `${CA}#`, cert: CERT, key: KEY, passphrase: "code", verifyVirtualHost: true };
    expect(await told("amqps://h/", code)).toEqual(code);
    const url = "amqps://h/?ssl_ca_file=ca.pem&ssl_key_password=url&ssl_verify_vhost=false";
    expect(await told(url, code)).toEqual({ ...code, ca: CA, passphrase: "url", verifyVirtualHost: false });
  });

  test.each<[string, unknown, string, string]>([
    ["amqps://h/?ssl=false", undefined, "ssl", "false contradicts amqps://, which is TLS"],
    ["amqp+wss://h/?ssl=no", {}, "ssl", "false contradicts amqp+wss://, which is TLS"],
    ["amqp://h/?ssl=perhaps", undefined, "ssl", 'must be true or false, not "perhaps"'],
    ["amqp://h/?ssl_ca_file=no.pem", undefined, "ssl_ca_file", "no.pem cannot be read: ENOENT"],
    ["amqp://h/?ssl_cert_file=no.pem", undefined, "ssl_cert_file", "no.pem cannot be read: ENOENT"],
    ["amqp://h/?ssl_cert_file=cert.pem&ssl_key_file=text.txt", undefined, "ssl_key_file", "text.txt is not a PEM"],
    ["amqp://h/?ssl_key_file=key.pem", undefined, "ssl_key_file", "is no use without a certificate"],
    ["amqp://h/?ssl_cert_file=cert.pem", undefined, "ssl_cert_file", "is no use without its private key"],
    ["amqp://h/", { key: KEY }, "tls.key", "is no use without a certificate"],
    ["amqp://h/", { cert: CERT }, "tls.cert", "is no use without its private key"],
    ["amqp://h/", "true", "tls", "must be an object"],
    ["amqp://h/", { ca: "/etc/ca.pem" }, "tls.ca", "must be a PEM document: the text itself, not the name of a file"],
    ["amqp://h/", { ca: [CA, 5] }, "tls.ca", "must be a PEM document"],
    ["amqp://h/", { key: "s3cr3t" }, "tls.key", "must be a PEM document"],
    ["amqp://h/", { passphrase: 5318008 }, "tls.passphrase", "must be a string"],
    ["amqp://h/", { verifyVirtualHost: "yes" }, "tls.verifyVirtualHost", "must be true or false"],
    ["amqp://h/", { rejectUnauthorized: false }, "tls.rejectUnauthorized", "there is no such option"],
  ])("is refused where it is wrong: %s %j", (url, tls, key, reason) => {
    const error = refusal(url, tls);
    expect(error).toMatchObject({ key, message: expect.stringContaining(`${key}: ${reason}`) });
    expect(String(error)).not.toMatch(/s3cr3t|5318008/);
  });
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
  ])("cannot be more than wanted: %s %j", { tags: ["options:runtime"] }, (url, tls, key) => {
    const error = refusal(url, tls, web);
    expect(error).toMatchObject({ name: "ConfigurationError", key });
    expect(String(error)).toContain("all that can be said is that TLS is wanted");
    expect(String(error)).not.toContain("s3cr3t");
  });

  test("can be wanted", async () => {
    expect(await told("amqp+ws://h/?ssl=true", undefined, web)).toBeDefined();
    expect(await told("amqp+ws://h/", { verifyVirtualHost: false }, web)).toBeDefined();
    expect(await told("amqp+wss://h/?ssl_verify_vhost=false", undefined, web)).toBeDefined();
  });

  test("is for a dialler of the caller's own to make, which is told everything", () => {
    const dial: Dial = () => Promise.reject(new Error("no"));
    expect(() => make("own://h/", { tls: { ca: CA }, dialers: { own: dial } }, web, dial)).not.toThrow();
  });

  test("is refused by name where only some of it can be honoured", { tags: ["options:runtime"] }, async () => {
    const most = { ca: CA, cert: CERT, key: KEY };
    expect(await told("amqps://h/", most, deno)).toEqual(most);
    for (const tls of [{ passphrase: "s3cr3t" }, { verifyVirtualHost: true }]) {
      const [key] = Object.keys(tls);
      expect(refusal("amqps://h/", { ...most, ...tls }, deno)).toMatchObject({
        key: `tls.${key}`,
        message: `tls.${key}: cannot be honoured here: all that can be said is that TLS is wanted, and ca, cert, key`,
      });
    }
    expect(refusal("amqps://h/?ssl_verify_vhost=true", undefined, deno)).toMatchObject({ key: "ssl_verify_vhost" });
  });

  test("reads no files, also where TLS can be controlled", () => {
    expect(refusal("amqps://h/?ssl_ca_file=ca.pem", undefined, {})).toMatchObject({
      key: "ssl_ca_file",
      message: "ssl_ca_file: there are no files here to read ca.pem from",
    });
  });
});

test("what is Cyrus SASL's alone is warned about", { tags: ["options:runtime"] }, () => {
  for (const name of ["sasl_config_dir", "sasl_config_name"]) {
    const logger = new RecordingLogger();
    make(`amqp://h/?${name}=x`, { logger }, node, () => Promise.reject(new Error("no")));
    expect(logger.of("warn")).toEqual([expect.stringContaining("are ignored")]);
  }
});
