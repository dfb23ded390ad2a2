import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pemFile } from "@/test/fixtures/network/tls.js";
import { oslo, RunningIntermediary } from "@/test/fixtures/processes/command.js";
import { projectPath } from "@/test/fixtures/project.js";

const PASSWORD = "p@ss:w/r,d%é #1";
const CLOSED_PORT = "amqp://127.0.0.1:1/";

describe("--help", { timeout: 60_000 }, () => {
  it.each(["intermediary", "serve", "call", "cast", "notify", "listen", "check", "recipe"])(
    "%s --help lists its options and the exit statuses",
    async (name) => {
      const { status, stdout } = await oslo(name, "--help");
      expect(status).toBe(0);
      expect(stdout).toMatch(
        new RegExp(`Usage: oslo-messaging ${name} [\\s\\S]*--option <key=value>[\\s\\S]*Exit status:`),
      );
    },
  );
});

it("--version prints the version of the package", { timeout: 60_000 }, async () => {
  const { version } = JSON.parse(await readFile(projectPath("package.json"), "utf8"));
  expect(await oslo("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
});

describe("a usage error", { timeout: 60_000 }, () => {
  const call = (...args: readonly string[]) => ["call", "--url", CLOSED_PORT, "--topic", "t", ...args];
  it.each([
    ["no command", [], /Usage/],
    ["an unknown command", ["shout"], /shout/],
    ["an unknown flag", call("--loud", "m"), /--loud/],
    ["a missing flag", ["call", "--topic", "t", "m"], /--url/],
    ["a missing argument", call(), /method/],
    ["one argument too many", call("m", "{}", "x"), /too many arguments/],
    ["a URL without scheme", ["call", "--url", "localhost:5672", "--topic", "t", "m"], /localhost/],
    ["a URL with an invalid port", ["call", "--url", "amqp://localhost:http/", "--topic", "t", "m"], /port/],
    [
      "an unknown scheme",
      ["call", "--url", "kafka://localhost/", "--topic", "t", "m"],
      /"kafka": the supported schemes are amqp, /,
    ],
    ["an unknown option", call("--option", "idle=1", "m"), /idle/],
    ["an unknown option in the URL", ["listen", "--url", `${CLOSED_PORT}?idle=1`], /idle/],
    [
      "a file that cannot be read",
      call("--option", "ssl_ca_file=/no/ca.pem", "m"),
      /ssl_ca_file: \/no\/ca\.pem cannot be read/,
    ],
    ["an option out of range", call("--option", "idle_timeout=soon", "m"), /idle_timeout/],
    ["an option without a value", call("--option", "idle_timeout", "m"), /--option/],
    ["arguments that are not JSON", call("m", "{a:1}"), /JSON-ARGS is not JSON/],
    ["arguments that are not an object", call("m", "[1]"), /JSON-ARGS must be a JSON object/],
    ["a context that is not an object", call("--context", "1", "m"), /--context must be a JSON object/],
    ["a timeout of 0", call("--timeout", "0", "m"), /--timeout/],
    ["a retry that is not a number", call("--retry", "often", "m"), /--retry/],
    ["an invalid version", call("--version", "new", "m"), /--version/],
    ["a call with --fanout", call("--fanout", "m"), /fanout/],
    [
      "a payload that is not JSON",
      ["notify", "--url", CLOSED_PORT, "--publisher-id", "p", "--event-type", "e", "x"],
      /payload/,
    ],
    ["an unknown priority", ["listen", "--url", CLOSED_PORT, "--priority", "urgent"], /urgent/],
    [
      "a missing module",
      ["serve", "--url", CLOSED_PORT, "--topic", "t", "--server", "s", "--module", "no.mjs"],
      /no\.mjs/,
    ],
    ["an unknown kind", ["intermediary", "--kind", "post-office"], /post-office/],
    ["a port out of range", ["intermediary", "--tcp", "65536"], /--tcp.*from 0 to 65535/],
    ["an origin with a path", ["intermediary", "--origin", "https://h/page"], /--origin: "https:\/\/h\/page" must be/],
    ["an origin without a scheme", ["intermediary", "--origin", "console.example.org"], /--origin/],
    ["an option that an intermediary does not have", ["intermediary", "--option", "idle_timeout=1"], /idle_timeout/],
    [
      "a TLS certificate without its key",
      ["intermediary", "--tls-cert", pemFile("server-cert")],
      /--tls-cert needs --tls-key/,
    ],
    [
      "a TLS key without its certificate",
      ["intermediary", "--tls-key", pemFile("server-key")],
      /--tls-key needs --tls-c/,
    ],
    [
      "a client CA without TLS",
      ["intermediary", "--tls-client-ca", pemFile("ca")],
      /--tls-client-ca needs --tls-cert and --tls-key/,
    ],
    ["a missing certificate file", tls("nowhere", "server-key"), /--tls-cert \S+nowhere\.pem cannot be read/],
    ["a missing key file", tls("server-cert", "nowhere"), /--tls-key \S+nowhere\.pem cannot be read/],
    [
      "an encrypted key",
      tls("client-cert", "client-key-encrypted"),
      /--tls-key.* encrypted, and no passphrase is given/,
    ],
    [
      "the key of another certificate",
      tls("server-cert", "client-key"),
      /--tls-cert.*--tls-key.*the private key does not belong/,
    ],
    [
      "an invalid CA",
      [...tls("server-cert", "server-key"), "--tls-client-ca", pemFile("server-key")],
      /--tls-client-ca \S+server-key\.pem: the CA is not a certificate/,
    ],
    ["an unknown recipe", ["recipe", "post-office"], /post-office/],
    ["an invalid host", ["recipe", "artemis", "--host", "a b"], /--host/],
    [
      "a recipe for addresses that the product does not support",
      ["recipe", "broker-j", "--option", "addressing_mode=routable"],
      /addressing_mode: Broker-J does not support routable addresses/,
    ],
    [
      "an option of the other driver",
      ["call", "--url", "rabbit://127.0.0.1:1/", "--topic", "t", "--option", "idle_timeout=1", "m"],
      /idle_timeout/,
    ],
    [
      "an option of the other driver in a recipe",
      ["recipe", "rabbitmq", "--option", "addressing_mode=legacy"],
      /addressing_mode/,
    ],
    ["a check of a server without topic", ["check", "--url", CLOSED_PORT, "--server", "s"], /--topic/],
    ["a check with a timeout of 0", ["check", "--url", CLOSED_PORT, "--timeout", "0"], /--timeout/],
    ["a user without password", ["intermediary", "--user", "s3cret"], /--user must be NAME:PASSWORD/],
    [
      "an unknown mechanism",
      ["intermediary", "--sasl", "GSSAPI"],
      /--sasl: unknown mechanism GSSAPI, must be one of SCRAM-SHA-512,/,
    ],
    ["a mechanism without users", ["intermediary", "--sasl", "PLAIN"], /--sasl: PLAIN requires users/],
    ["a mechanism without certificates", ["intermediary", "--sasl", "external"], /EXTERNAL needs --tls-client-ca/],
    ["an option that may be a secret", call("--option", "=s3cret", "m"), /--option must be KEY=VALUE/],
    ["an option that is a secret", call("--option", "ssl_key_password:s3cret", "m"), /--option must be KEY=VALUE/],
    ["a mechanism without tokens", ["intermediary", "--sasl", "XOAUTH2"], /--sasl: XOAUTH2 requires tokens/],
  ])("%s is status 64, and the error names it", async (_problem, args, named) => {
    const { status, stdout, stderr } = await oslo(...args);
    expect({ status, stdout }).toEqual({ status: 64, stdout: "" });
    expect(stderr).toMatch(named);
    expect(stderr).not.toMatch(/s3cret|^\s+at /m);
  });

  it("a usage error shows neither an invalid context nor a password in a URL", async () => {
    const context = await oslo(...call("--context", '{"auth_token":"s3cret"', "m"));
    const url = await oslo("call", "--url", "amqp://joe:s3cret@host:port/", "--topic", "t", "m");
    expect([context.status, url.status]).toEqual([64, 64]);
    expect(context.stderr + url.stderr).not.toContain("s3cret");
  });
});

describe("no connection in time", { timeout: 60_000, concurrent: true }, () => {
  it.each([
    ["call", ["call", "--topic", "t", "--timeout", "1", "ping"]],
    ["cast", ["cast", "--topic", "t", "--timeout", "1", "ping"]],
    ["notify", ["notify", "--publisher-id", "p", "--event-type", "e", "--timeout", "1", "{}"]],
    ["serve", ["serve", "--topic", "t", "--server", "s", "--connect-timeout", "1"]],
    ["listen", ["listen", "--connect-timeout", "1"]],
    ["check", ["check"]],
  ])("%s without a connection in time is status 4, and the error names host and cause", async (_command, all) => {
    const [command = "", ...args] = all;
    const { status, stdout, stderr } = await oslo(command, "--url", CLOSED_PORT, ...args);
    expect({ status, stdout }).toEqual({ status: 4, stdout: "" });
    expect(stderr).toMatch(/127\.0\.0\.1:1\b/);
    expect(stderr).toContain("connection refused");
  });

  it("cast without a connection before the default send timeout is status 4", async () => {
    const { status } = await oslo(
      "cast",
      "--url",
      CLOSED_PORT,
      "--topic",
      "t",
      "--option",
      "default_send_timeout=5",
      "ping",
    );
    expect(status).toBe(4);
  });
});

describe("with users", { timeout: 60_000 }, () => {
  let intermediary: RunningIntermediary;

  beforeAll(async () => {
    intermediary = await RunningIntermediary.start("--kind", "broker", "--user", "ann:x", "--user", `joe:${PASSWORD}`);
  }, 60_000);

  afterAll(async () => {
    await intermediary[Symbol.asyncDispose]();
  });

  const notify = (login: string, host = `amqp://${login}${intermediary.tcp}/`) =>
    oslo("notify", "--url", host, "--publisher-id", "p", "--event-type", "e", "--timeout", "2", "{}");

  it("the right password is accepted, whatever its characters, over TCP and WebSocket", async () => {
    const login = `joe:${encodeURIComponent(PASSWORD)}@`;
    expect(await notify(login)).toMatchObject({ status: 0, stderr: "" });
    expect(await notify(login, `amqp+ws://${login}${intermediary.ws}/`)).toMatchObject({ status: 0, stderr: "" });
  });

  it("a wrong password is status 4, and neither side shows it", async () => {
    const wrong = "wr@ng:p/ssw,rd";
    const { status, stderr } = await notify(`joe:${encodeURIComponent(wrong)}@`);
    expect(status).toBe(4);
    expect(stderr).toContain(intermediary.tcp);
    expect(stderr).toMatch(/credentials were refused/);
    expect(intermediary.stderr).toContain('user "joe"');
    for (const text of [stderr, intermediary.stderr]) {
      expect(text).not.toContain(wrong);
      expect(text).not.toContain(encodeURIComponent(wrong));
      expect(text).not.toContain(PASSWORD);
    }
  });

  it.each([
    ["call", ["call", "--topic", "t", "--timeout", "600", "ping"]],
    ["cast", ["cast", "--topic", "t", "--timeout", "600", "ping"]],
    ["notify", ["notify", "--publisher-id", "p", "--event-type", "e", "--timeout", "600", "{}"]],
    ["serve", ["serve", "--topic", "t", "--server", "s", "--connect-timeout", "600"]],
    ["listen", ["listen", "--connect-timeout", "600"]],
    ["check", ["check", "--timeout", "600"]],
  ])("%s ends with status 4 as soon as every host has refused the password", async (_command, all) => {
    const [command = "", ...args] = all;
    const host = `joe:wrong@${intermediary.tcp}`;
    const { status, stdout, stderr } = await oslo(command, "--url", `amqp://${host},${host}/`, ...args);
    expect({ status, stdout }).toEqual({ status: 4, stdout: "" });
    expect(stderr).toMatch(
      /^warning: not connected to .*the credentials were refused.*check the user and the password/m,
    );
    expect(stderr).toMatch(/^NotConnected: /m);
  });

  it("notify goes on until its time limit while one of the hosts does not refuse the password", async () => {
    const { status, stderr } = await notify("", `amqp://joe:wrong@${intermediary.tcp},joe:wrong@127.0.0.1:1/`);
    expect(status).toBe(4);
    expect(stderr).toMatch(/^MessagingTimeout: /m);
  });

  it("a missing password is status 4", async () => {
    expect(await notify("")).toMatchObject({ status: 4, stderr: expect.stringContaining("SASL") });
  });
});

function tls(cert: string, key: string): string[] {
  return ["intermediary", "--tls-cert", pemFile(cert), "--tls-key", pemFile(key)];
}
