import { describe, expect, it } from "vitest";
import type { Address } from "@/src/core/byte-stream.js";
import { getRpcTransport } from "@/src/entry/node.js";
import { nodeWebSocketDial } from "@/src/transports/node/websocket-node.js";
import { CA, CLIENT, pemFile } from "@/test/fixtures/network/tls.js";
import { oslo, RunningIntermediary } from "@/test/fixtures/processes/command.js";

const SERVER_FILES = ["--tls-cert", pemFile("server-cert"), "--tls-key", pemFile("server-key")];

describe("intermediary with TLS", { timeout: 60_000 }, () => {
  it("intermediary --tls-cert listens with TLS on both ports, and not in clear", {
    tags: ["intermediary:tls"],
  }, async () => {
    await using intermediary = await RunningIntermediary.start(...SERVER_FILES);
    for (const url of [`amqps://${intermediary.tcp}/`, `amqp+wss://${intermediary.ws}/`]) {
      await using transport = getRpcTransport(url, { logger: null, tls: { ca: CA } });
      await transport.connect();
    }
    const silent = { data() {}, drain() {}, close() {} };
    const [, port = ""] = intermediary.ws.split(":");
    const to: Address = { scheme: "amqp+ws", hostname: "127.0.0.1", port: Number(port) };
    await expect(nodeWebSocketDial()(to, silent, new AbortController().signal)).rejects.toThrow("may require TLS");
  });

  it("intermediary accepts only clients with a certificate of --tls-client-ca, and logs those it refuses", {
    tags: ["intermediary:tls"],
  }, async () => {
    await using intermediary = await RunningIntermediary.start(...SERVER_FILES, "--tls-client-ca", pemFile("ca"));
    const url = `amqps://${intermediary.tcp}/`;
    await using refused = getRpcTransport(url, { logger: null, tls: { ca: CA } });
    const connecting = Promise.allSettled([refused.connect()]);
    await expect.poll(() => intermediary.stderr, { timeout: 20_000 }).toContain("the peer sent no certificate");
    await refused.close();
    await connecting;
    await using accepted = getRpcTransport(url, { logger: null, tls: { ca: CA, ...CLIENT } });
    await accepted.connect();
  });

  it("intermediary authenticates certificates by EXTERNAL, and ANONYMOUS fails with the offered mechanisms", async () => {
    const args = ["--tls-client-ca", pemFile("ca"), "--sasl", "EXTERNAL"];
    await using intermediary = await RunningIntermediary.start(...SERVER_FILES, ...args);
    const files = { ssl_ca_file: "ca", ssl_cert_file: "client-cert", ssl_key_file: "client-key" };
    const options = Object.entries(files).flatMap(([key, name]) => ["--option", `${key}=${pemFile(name)}`]);
    for (const url of [`amqps://${intermediary.tcp}/`, `amqp+wss://${intermediary.ws}/`]) {
      const check = ["check", "--url", url, ...options];
      const external = await oslo(...check, "--option", "sasl_mechanisms=EXTERNAL");
      expect(external).toMatchObject({ status: 0, stdout: expect.stringMatching(/^mechanism +EXTERNAL$/m) });
      const anonymous = await oslo(...check, "--timeout", "2");
      expect(anonymous).toMatchObject({ status: 4, stdout: "" });
      expect(anonymous.stderr).toContain(
        "no common SASL mechanism: the peer offers EXTERNAL, the client allows ANONYMOUS",
      );
    }
  });
});
