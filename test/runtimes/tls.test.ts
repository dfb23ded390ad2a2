import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getRpcServer, getRpcTransport, type RPCTransport } from "@/src/entry/node.js";
import type { TlsListenerOptions } from "@/src/transports/node/tls-pem.js";
import { embedded, type Guarded } from "@/test/fixtures/beds/embedded.js";
import { CA, CLIENT, pemFile, SERVER } from "@/test/fixtures/network/tls.js";
import { Child } from "@/test/fixtures/processes/child.js";
import { currentNode } from "@/test/fixtures/processes/current-node.js";
import { ROOT } from "@/test/fixtures/project.js";
import { BUN, bundled, DENO } from "@/test/fixtures/runtimes/command-line.js";
import type { SecureCall, SecureOutcome } from "@/test/fixtures/runtimes/secure-call.js";
import { RunningWorkerd } from "@/test/fixtures/runtimes/workerd.js";

type Scheme = "amqps" | "amqp+wss";
type Caller = (call: SecureCall) => Promise<SecureOutcome>;

const IN_CODE = { ca: CA };
const CERTIFICATE = { ...IN_CODE, ...CLIENT };
const TOPIC = "secure";
const UNTRUSTED = "the certificate is not signed by a trusted CA";

function byProgram(command: readonly [string, ...string[]], env: Readonly<Record<string, string>> = {}): Caller {
  return async (call) => {
    const program = await bundled("secure-program.ts");
    const args = [...command, program, JSON.stringify(call)] as const;
    await using child = new Child({ name: command[0], command: args, env, cwd: ROOT });
    return await child.waitForJson("an outcome", (outcome) => outcome);
  };
}

function byWorker(caFile?: string): Caller {
  return async (call) => {
    await using running = await RunningWorkerd.start("workerd", "secure-worker.ts", { caFile });
    const response = await fetch(running.url, { method: "POST", body: JSON.stringify(call) });
    return (await response.json()) as SecureOutcome;
  };
}

interface Case {
  runtime: string;
  scheme: Scheme;
  /** A caller that does not trust the CA. */
  ignorant: Caller;
  /** Its error. */
  error: string;
  told: readonly Telling[];
}

/** A way to make a runtime trust a CA. */
interface Telling {
  by: string;
  caller: Caller;
  tls?: SecureCall["tls"];
}

/** Node, and runtimes with Node's modules. */
function nodeCase(runtime: string, command: readonly [string, ...string[]], scheme: Scheme): Case {
  const ignorant = byProgram(command);
  const told = [
    { by: "tls in code", caller: ignorant, tls: IN_CODE },
    { by: "NODE_EXTRA_CA_CERTS", caller: byProgram(command, { NODE_EXTRA_CA_CERTS: pemFile("ca") }) },
  ];
  return { runtime, scheme, ignorant, error: UNTRUSTED, told };
}

function denoCase(scheme: Scheme, error: string, inCode: readonly Telling[]): Case {
  const outside = { by: "DENO_CERT", caller: byProgram(DENO, { DENO_CERT: pemFile("ca") }) };
  return { runtime: "Deno", scheme, ignorant: byProgram(DENO), error, told: [outside, ...inCode] };
}

function workerdCase(scheme: Scheme): Case {
  const told = [{ by: "trustedCertificates", caller: byWorker(pemFile("ca")) }];
  const error = "is the certificate signed by a CA that it trusts?";
  return { runtime: "workerd", scheme, ignorant: byWorker(), error, told };
}

const CASES: readonly Case[] = [
  ...(["amqps", "amqp+wss"] as const).flatMap((scheme) => [
    nodeCase("Node 20", [process.execPath], scheme),
    nodeCase("a current Node", [currentNode()], scheme),
    nodeCase("Bun", BUN, scheme),
    workerdCase(scheme),
  ]),
  denoCase("amqps", UNTRUSTED, [{ by: "tls in code", caller: byProgram(DENO), tls: IN_CODE }]),
  denoCase("amqp+wss", "is the certificate signed by a CA that Deno trusts", []),
];

/** Runtimes that take a client certificate in code. */
const CERTIFIED: readonly { runtime: string; scheme: Scheme; caller: Caller }[] = [
  ...(["amqps", "amqp+wss"] as const).flatMap((scheme) => [
    { runtime: "Node 20", scheme, caller: byProgram([process.execPath]) },
    { runtime: "a current Node", scheme, caller: byProgram([currentNode()]) },
    { runtime: "Bun", scheme, caller: byProgram(BUN) },
  ]),
  { runtime: "Deno", scheme: "amqps", caller: byProgram(DENO) },
];

/** Starts a server of `ping` by each scheme for the tests of a describe. Returns its URL by scheme. */
function serving(tls: TlsListenerOptions): (scheme: Scheme) => string {
  const guarded = new Map<Scheme, Guarded>();
  const transports: RPCTransport[] = [];
  const urlBy = (scheme: Scheme): string => `${scheme}://localhost:${guarded.get(scheme)?.port}/`;

  beforeAll(async () => {
    for (const scheme of ["amqps", "amqp+wss"] as const) {
      guarded.set(scheme, await embedded({ by: scheme === "amqps" ? "tcp" : "websocket", tls }));
      const transport = getRpcTransport(urlBy(scheme), { logger: null, tls: CERTIFICATE });
      transports.push(transport);
      await getRpcServer(transport, { topic: TOPIC, server: "s" }, [{ ping: () => "pong" }]).start();
    }
  });

  afterAll(async () => {
    await Promise.all(transports.map((transport) => transport.close()));
    for (const intermediary of guarded.values()) await intermediary[Symbol.asyncDispose]();
  });

  return urlBy;
}

describe("a private CA", { timeout: 60_000 }, () => {
  const urlBy = serving(SERVER);

  describe.each(CASES)("in $runtime by $scheme", ({ scheme, ignorant, error, told }) => {
    test("a private CA is not trusted by default, and the error says so", async () => {
      const outcome = await ignorant({ url: urlBy(scheme), topic: TOPIC });
      expect(outcome).toEqual({ error: expect.stringContaining(error) });
      expect(outcome.error).toMatch(/^cannot (connect to|open WebSocket) (wss:\/\/)?localhost:\d+/);
    });

    test.each(told)("a private CA is trusted when it is set by $by", async ({ caller, tls }) => {
      expect(await caller({ url: urlBy(scheme), topic: TOPIC, tls })).toEqual({ answer: "pong" });
    });
  });
});

describe("the certificate of a client", { timeout: 60_000 }, () => {
  const urlBy = serving({ ...SERVER, clientCa: CA });

  test.each(CERTIFIED)(
    "a client certificate authenticates $runtime by $scheme at a server that requires one",
    async ({ scheme, caller }) => {
      const call = { url: urlBy(scheme), topic: TOPIC };
      expect(await caller({ ...call, tls: CERTIFICATE })).toEqual({ answer: "pong" });
      expect(await caller({ ...call, tls: IN_CODE })).toEqual({ error: expect.stringContaining("localhost") });
    },
  );
});
