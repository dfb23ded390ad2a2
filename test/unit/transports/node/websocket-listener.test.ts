import { get } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Listening } from "@/src/core/byte-stream.js";
import { listenWebSocket, type WebSocketListenerOptions } from "@/src/transports/node/websocket-listener.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { Arrivals } from "@/test/fixtures/fakes/socket-probe.js";

const listenings: Listening[] = [];

afterEach(async () => {
  for (const listening of listenings.splice(0)) await listening.close();
});

async function listen(options: Partial<WebSocketListenerOptions> = {}): Promise<{ port: number; arrivals: Arrivals }> {
  const arrivals = new Arrivals();
  const defaults = { host: "127.0.0.1", port: 0, maxConnections: 10, maxMessageBytes: 100_000, logger: null };
  const listening = await listenWebSocket({ ...defaults, accept: arrivals.accept, ...options });
  listenings.push(listening);
  return { port: listening.port, arrivals };
}

interface Knock {
  protocols?: string[];
  headers?: Record<string, string>;
}

/** The status of an attempt to connect: 101 if accepted, "refused" if the connection is closed without a response. */
function knock(port: number, { protocols = ["amqp"], headers = {} }: Knock): Promise<number | "refused"> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, protocols, { headers });
  return new Promise((resolve) => {
    ws.on("open", () => {
      ws.on("close", () => resolve(101));
      ws.close();
    });
    ws.on("unexpected-response", (request, response) => {
      request.destroy();
      resolve(response.statusCode ?? 0);
    });
    ws.on("error", () => resolve("refused"));
  });
}

it.each([
  "http://localhost",
  "http://localhost:5173",
  "https://127.0.0.1:8443",
  "http://[::1]:3000",
  "https://console.example.org",
])("a WebSocket listener accepts pages from %s", async (origin) => {
  const { port } = await listen({ origins: ["https://console.example.org"] });
  expect(await knock(port, { headers: { Origin: origin } })).toBe(101);
});

it.each([
  "https://evil.example",
  "http://localhost.evil.example",
  "http://127.0.0.1.evil.example:80",
  "https://console.example.org:444",
  "http://console.example.org",
  "null",
  "file://",
  "chrome-extension://localhost",
])("a WebSocket listener refuses pages from %s", async (origin) => {
  const { port, arrivals } = await listen({ origins: ["https://console.example.org"] });
  expect(await knock(port, { headers: { Origin: origin } })).toBe(403);
  expect(arrivals.count).toBe(0);
});

it("a WebSocket listener logs each refused origin and host once, with what would allow it", async () => {
  const logger = new RecordingLogger();
  const { port } = await listen({ logger });
  for (const origin of ["https://a.example", "https://a.example", "https://b.example", "null"]) {
    await knock(port, { headers: { Origin: origin } });
  }
  for (let time = 0; time < 2; time++) await knock(port, { headers: { Host: "bus.example" } });
  const cure = "to allow its pages, add it to the option origins (--origin of the command)";
  expect(logger.lines.map(({ level, message }) => `${level}: ${message}`)).toEqual([
    `warn: refused a WebSocket: the origin "https://a.example" is not allowed: ${cure}`,
    `warn: refused a WebSocket: the origin "https://b.example" is not allowed: ${cure}`,
    'warn: refused a WebSocket: the origin "null" is not allowed: serve the page by HTTP',
    'warn: refused a WebSocket: the host "bus.example" is not allowed: use 127.0.0.1 in the URL, or listen on that host ' +
      "(option host, --host of the command)",
  ]);
});

it("a WebSocket listener logs at most 101 of 120 invented hosts, each in at most 500 characters", async () => {
  const logger = new RecordingLogger();
  const { port } = await listen({ logger, maxConnections: 1_000 });
  const knocks = Array.from({ length: 120 }, (_, index) =>
    knock(port, { headers: { Host: `${index}.${"x".repeat(1_000)}` } }),
  );
  await Promise.all(knocks);
  expect(logger.lines).toHaveLength(101);
  expect(Math.max(...logger.lines.map(({ message }) => message.length))).toBe(500);
});

it.each(["https://console.example.org/page", "console.example.org", "*", "null"])(
  "the origin %j of a WebSocket listener is refused, by its text",
  async (origin) => {
    await expect(listen({ origins: [origin] })).rejects.toThrow(`${JSON.stringify(origin)} must be scheme://host`);
  },
);

it.each(["https://Console.example.org/", "https://console.example.org:443"])(
  "the origin %j of a WebSocket listener is accepted as browsers send it",
  async (origin) => {
    const { port } = await listen({ origins: [origin] });
    expect(await knock(port, { headers: { Origin: "https://console.example.org" } })).toBe(101);
  },
);

it("a WebSocket listener accepts a client without an Origin, which is no browser", async () => {
  const { port } = await listen();
  expect(await knock(port, {})).toBe(101);
});

it.each(["localhost:80", "127.0.0.1", "[::1]:5673", "LOCALHOST"])(
  "a WebSocket listener serves the host %s",
  async (host) => {
    const { port } = await listen();
    expect(await knock(port, { headers: { Host: host } })).toBe(101);
  },
);

it.each(["evil.example", "evil.example:80", "localhost.evil.example", "evil@localhost", "10.0.0.1"])(
  "a WebSocket listener refuses the host %s, which an attacker's DNS may point at it",
  async (host) => {
    const { port, arrivals } = await listen();
    const headers = { Host: host, Origin: "http://localhost" };
    expect(await knock(port, { headers })).toBe(403);
    expect(arrivals.count).toBe(0);
  },
);

it("a WebSocket listener on every interface serves any IP address, but no foreign name", async () => {
  const { port } = await listen({ host: "0.0.0.0" });
  expect(await knock(port, { headers: { Host: "10.0.0.1:80" } })).toBe(101);
  expect(await knock(port, { headers: { Host: "[fd00::1]:80" } })).toBe(101);
  expect(await knock(port, { headers: { Host: "evil.example" } })).toBe(403);
});

it("a WebSocket listener serves the host that it is bound to", async () => {
  const { port } = await listen({ host: "127.0.0.2" });
  const ws = new WebSocket(`ws://127.0.0.2:${port}/`, ["amqp"]);
  await new Promise((resolve, reject) => ws.on("open", resolve).on("error", reject));
  ws.close();
  await new Promise((resolve) => ws.on("close", resolve));
});

it.each([[[]], [["mqtt"]]])(
  "a WebSocket listener refuses a client that offers the sub-protocols %j",
  async (protocols) => {
    const { port, arrivals } = await listen();
    expect(await knock(port, { protocols })).toBe(400);
    expect(arrivals.count).toBe(0);
  },
);

it("a WebSocket listener selects amqp among several sub-protocols, and does not compress", async () => {
  const { port } = await listen();
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, ["mqtt", "amqp"], { perMessageDeflate: true });
  await new Promise((resolve) => ws.on("open", resolve));
  expect([ws.protocol, ws.extensions]).toEqual(["amqp", ""]);
  ws.close();
  await new Promise((resolve) => ws.on("close", resolve));
});

it("a WebSocket listener answers a plain HTTP request with 426 and the protocol", async () => {
  const { port } = await listen();
  const [status, text] = await new Promise<[number | undefined, string]>((resolve, reject) => {
    get({ host: "127.0.0.1", port }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve([response.statusCode, body]));
    }).on("error", reject);
  });
  expect(status).toBe(426);
  expect(text).toContain("AMQP 1.0 over WebSocket");
});

it("a WebSocket listener ends the connection of a client that sends text, and names the client", async () => {
  const { port, arrivals } = await listen();
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, ["amqp"]);
  ws.on("open", () => ws.send("hello"));
  const { probe } = await arrivals.next();
  await probe.until((p) => p.closed);
  expect(String(probe.closes[0])).toMatch(
    /^Error: ws 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+: received a text message, but AMQP is binary$/,
  );
});

it("a WebSocket listener ends the connection of a client that sends a message beyond maxMessageBytes", async () => {
  const { port, arrivals } = await listen();
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, ["amqp"]);
  const closed = new Promise<number>((resolve) => ws.on("close", resolve));
  ws.on("open", () => ws.send(new Uint8Array(100_001)));
  const { probe } = await arrivals.next();
  await probe.until((p) => p.closed);
  expect(String(probe.closes[0])).toContain("Max payload size exceeded");
  expect(probe.received).toBe(0);
  expect(await closed).toBe(1009);
});

it("an accepted WebSocket closes with an error when the client disconnects without a closing", async () => {
  const { port, arrivals } = await listen();
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, ["amqp"]);
  ws.on("open", () => ws.terminate());
  const { probe } = await arrivals.next();
  await probe.until((p) => p.closed);
  expect(String(probe.closes[0])).toContain("WebSocket closed by the client: 1006 (ws 127.0.0.1:");
});

it("a WebSocket listener closes connections beyond maxConnections at once", async () => {
  const { port, arrivals } = await listen({ maxConnections: 1 });
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, ["amqp"]);
  await new Promise((resolve) => ws.on("open", resolve));
  expect(await knock(port, {})).toBe("refused");
  expect(arrivals.count).toBe(1);
  ws.close();
  await new Promise((resolve) => ws.on("close", resolve));
});

it("a WebSocket listener closes although a client has sent half a request", async () => {
  const { port } = await listen();
  const client = connect(port, "127.0.0.1");
  const cut = new Promise((resolve) => client.once("close", resolve));
  await new Promise<void>((resolve) => client.write("GET / HTTP/1.1\r\nHost: local", () => resolve()));
  // The listener accepts connections in order.
  expect(await knock(port, {})).toBe(101);
  for (const listening of listenings.splice(0)) await listening.close();
  await cut;
});
