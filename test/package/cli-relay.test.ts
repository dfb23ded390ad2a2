import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { describe, expect, it } from "vitest";
import WebSocket from "ws";
import { CA, CLIENT_NAME, pemFile, SERVER } from "@/test/fixtures/network/tls.js";
import { closedPort } from "@/test/fixtures/peers/bad-peers.js";
import { rawTcpServer } from "@/test/fixtures/peers/raw-tcp-server.js";
import { oslo, Running, RunningRelay } from "@/test/fixtures/processes/command.js";

const TLS_FILES = ["--tls-cert", pemFile("server-cert"), "--tls-key", pemFile("server-key")];

/** A TCP server that sends back what it receives. */
const echo = () => rawTcpServer({}, (stream) => stream.pipe(stream));

/** Opens a WebSocket, and resolves with the echo of these bytes. */
async function exchange(ws: WebSocket, text: string): Promise<string> {
  await once(ws, "open");
  ws.send(Buffer.from(text));
  const [data] = await once(ws, "message");
  return String(data);
}

describe("relay", { timeout: 60_000 }, () => {
  it("relay --help lists its options with their defaults, and the exit statuses", async () => {
    const { status, stdout } = await oslo("relay", "--help");
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /--listen[\s\S]*default: 127\.0\.0\.1:15673[\s\S]*default: 1000[\s\S]*default: 3600[\s\S]*Exit status:/,
    );
    expect(stdout.replace(/\s+/g, " ")).toContain("Credentials pass it in clear text unless TLS is on");
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "relay prints its port, and %s ends it with status 0 and one line of counters while a client is connected",
    async (signal) => {
      await using target = await echo();
      await using relay = await RunningRelay.start("--to", `127.0.0.1:${target.port}`);
      await once(new WebSocket(relay.url, ["binary"]), "error");
      const ws = new WebSocket(relay.url, ["amqp"]);
      expect(await exchange(ws, "hello")).toBe("hello");
      const closed = once(ws, "close");
      expect(await relay.end(signal)).toBe(0);
      const [code, reason] = await closed;
      expect(`${code} ${reason}`).toBe("1001 the relay is stopping");
      expect(relay.stderr).toContain(`info: relaying ${relay.url} to 127.0.0.1:${target.port}\n`);
      expect(relay.stderr).toMatch(
        /^info: relayed 1 connection \(0 failed\), 5 bytes from clients, 5 bytes to clients; refused 1 \(0 by origin, 1 without sub-protocol, 0 over the limit\)$/m,
      );
    },
  );

  it("relay has TLS on both sides by the files of its options", async () => {
    const names: unknown[] = [];
    const server = createServer({ ...SERVER, ca: CA, requestCert: true, rejectUnauthorized: true }, (stream) => {
      names.push(stream.getPeerCertificate().subject.CN);
      stream.on("error", () => {}).pipe(stream);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const identity = ["--to-cert", pemFile("client-cert"), "--to-key", pemFile("client-key")];
    const toTls = ["--to-tls", "--to-ca", pemFile("ca"), ...identity, "--to-name", "localhost"];
    await using relay = await RunningRelay.start("--to", `127.0.0.1:${port}`, ...TLS_FILES, ...toTls);
    const ws = new WebSocket(relay.url, ["amqp"], { ca: CA });
    expect(await exchange(ws, "hello")).toBe("hello");
    expect(names).toEqual([CLIENT_NAME]);
    expect(relay.stderr).not.toContain("credentials");
    expect(await relay.interrupt()).toBe(0);
    server.close();
  });

  it("relay names a target that it cannot reach on stderr", async () => {
    await using target = await closedPort();
    await using relay = await RunningRelay.start("--to", `${target.host}:${target.port}`);
    const ws = new WebSocket(relay.url, ["amqp"]);
    const [code, reason] = await once(ws, "close");
    expect(`${code} ${reason}`).toBe("1011 cannot connect to the target: connection refused");
    const line = `cannot connect to ${target.host}:${target.port}: connection refused\n`;
    await expect.poll(() => relay.stderr, { timeout: 20_000 }).toContain(line);
    expect(await relay.interrupt()).toBe(0);
    expect(relay.stderr).toContain("info: relayed 1 connection (1 failed), 0 bytes from clients");
  });

  it("relay accepts pages of each --origin beyond loopback", async () => {
    await using target = await echo();
    const origins = ["--origin", "https://one.example", "--origin", "https://two.example/"];
    const to = ["--to", `127.0.0.1:${target.port}`];
    await using relay = new Running("relay", "--listen", "0.0.0.0:0", ...to, ...origins);
    const { ws: port } = await relay.line("its port", (line) => line);
    for (const [origin, expected] of [
      ["https://one.example", "hello"],
      ["https://two.example", "hello"],
      ["https://three.example", "refused"],
    ] as const) {
      const ws = new WebSocket(`ws://127.0.0.1:${port}/`, ["amqp"], { origin });
      const result = await exchange(ws, "hello").catch(() => "refused");
      expect([origin, result]).toEqual([origin, expected]);
      ws.terminate();
    }
  });

  it("relay ends connections after --idle-timeout", async () => {
    await using target = await echo();
    await using relay = await RunningRelay.start("--to", `127.0.0.1:${target.port}`, "--idle-timeout", "0.2");
    const [code, reason] = await once(new WebSocket(relay.url, ["amqp"]), "close");
    expect(`${code} ${reason}`).toBe("1001 no bytes for 0.2 s");
  });

  it("relay refuses more connections than --max-connections", async () => {
    await using target = await echo();
    await using relay = await RunningRelay.start("--to", `127.0.0.1:${target.port}`, "--max-connections", "1");
    await once(new WebSocket(relay.url, ["amqp"]), "open");
    const [error] = await once(new WebSocket(relay.url, ["amqp"]), "error");
    expect(error.message).toContain("503");
  });
});

describe("the credentials that pass a relay in clear text", { timeout: 60_000 }, () => {
  const ORIGIN = ["--origin", "https://console.example.org"];
  it.each([
    ["127.0.0.1:0", "127.0.0.1:5672", [], "info: credentials pass in clear text, on this machine only"],
    [
      "127.0.0.1:0",
      "rabbit.example:5672",
      [],
      "warning: credentials pass in clear text between this relay and rabbit.example:5672: use --to-tls",
    ],
    [
      "0.0.0.0:0",
      "localhost:5672",
      ORIGIN,
      "warning: credentials pass in clear text between clients and this relay: use --tls-cert and --tls-key",
    ],
    [
      "[::]:0",
      "rabbit.example:5672",
      ORIGIN,
      "warning: credentials pass in clear text between clients and this relay, and between this relay and rabbit.example:5672: use --tls-cert and --tls-key, and --to-tls",
    ],
    ["0.0.0.0:0", "rabbit.example:5672", [...ORIGIN, "--to-tls", ...TLS_FILES], undefined],
  ])("relay --listen %s --to %s %j says which", async (listen, to, args, expected) => {
    await using relay = new Running("relay", "--listen", listen, "--to", to, ...args);
    await relay.line("its port", (line) => line);
    expect(await relay.interrupt()).toBe(0);
    const lines = relay.stderr.split("\n").filter((line) => line.includes("credentials"));
    expect(lines).toEqual(expected === undefined ? [] : [expected]);
  });
});

describe("a usage error of relay", { timeout: 60_000 }, () => {
  const to = ["--to", "127.0.0.1:5672"];
  it.each([
    ["no target", [], /--to <host:port>/],
    ["a target without a port", ["--to", "rabbit.example"], /--to .*HOST:PORT, as in rabbit\.example\.org:5672/],
    ["a URL as target", ["--to", "amqp://rabbit.example:5672"], /HOST:PORT/],
    ["a target with port 0", ["--to", "rabbit.example:0"], /from 1 to 65535/],
    ["an IPv6 address without brackets", ["--to", "::1:5672"], /\[::1\]:5672/],
    ["an address to listen on without a port", [...to, "--listen", "127.0.0.1"], /--listen .*HOST:PORT/],
    [
      "a listener beyond loopback without an origin",
      [...to, "--listen", "0.0.0.0:0"],
      /--listen 0\.0\.0\.0:0: .*--origin/,
    ],
    ["a host name beyond loopback", [...to, "--listen", "relay.example:0"], /--origin is required/],
    [
      "an origin with a path",
      [...to, "--origin", "https://one.example/page"],
      /--origin: "https:\/\/one\.example\/page"/,
    ],
    ["no connections", [...to, "--max-connections", "0"], /--max-connections/],
    ["an idle timeout of 0", [...to, "--idle-timeout", "0"], /--idle-timeout/],
    ["a certificate without its key", [...to, "--tls-cert", "a.pem"], /--tls-cert needs --tls-key/],
    [
      "a file that is missing",
      [...to, "--tls-cert", "/no/a.pem", "--tls-key", "/no/b.pem"],
      /--tls-cert \/no\/a\.pem cannot be read/,
    ],
    ["a CA without TLS", [...to, "--to-ca", pemFile("ca")], /--to-ca needs --to-tls/],
    ["a name without TLS", [...to, "--to-name", "rabbit"], /--to-name needs --to-tls/],
    [
      "a client certificate without its key",
      [...to, "--to-tls", "--to-cert", pemFile("client-cert")],
      /--to-cert needs --to-key/,
    ],
    [
      "a client key without its certificate",
      [...to, "--to-tls", "--to-key", pemFile("client-key")],
      /--to-key needs --to-cert/,
    ],
    [
      "a CA that is none",
      [...to, "--to-tls", "--to-ca", pemFile("client-key")],
      /--to-ca .*: the CA is not a certificate/,
    ],
    [
      "a key of another certificate",
      [...to, "--to-tls", "--to-cert", pemFile("client-cert"), "--to-key", pemFile("server-key")],
      /--to-cert .* --to-key .*: the private key does not belong to the certificate/,
    ],
  ])("relay with %s ends with status 64", async (_name, args, message) => {
    const { status, stderr, stdout } = await oslo("relay", "--listen", "127.0.0.1:0", ...args);
    expect([status, stdout]).toEqual([64, ""]);
    expect(stderr).toMatch(message);
  });

  it("relay names the option whose port is in use", async () => {
    await using target = await echo();
    const { status, stderr } = await oslo("relay", "--listen", `127.0.0.1:${target.port}`, ...to);
    expect([status, stderr]).toEqual([
      64,
      expect.stringContaining(`--listen: cannot listen on 127.0.0.1:${target.port}: address already in use`),
    ]);
  });
});
