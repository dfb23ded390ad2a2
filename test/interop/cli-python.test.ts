import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { IntermediaryKind } from "@/src/intermediary/address-table.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { ARTEMIS_LEGACY, ARTEMIS_ROUTABLE, type Bus, type BusPlan } from "@/test/fixtures/beds/bus-plan.js";
import { oslo, Running, RunningIntermediary } from "@/test/fixtures/processes/command.js";
import { PythonClient, PythonListener, PythonNotifier, PythonServer } from "@/test/fixtures/python/python.js";

const SCHEMES = ["amqp", "amqp+ws"] as const;
const DONE = { status: 0, stdout: "", stderr: "" };

/** Each message bus runs in its own process. */
const BUSES: readonly Pick<BusPlan, "name" | "start">[] = [
  intermediary("router"),
  intermediary("broker"),
  ARTEMIS_ROUTABLE,
  ARTEMIS_LEGACY,
];

for (const { name, start } of BUSES) {
  describe(`the command and Python's oslo.messaging through ${name}`, () => {
    const topic = { python: uniqueTopic("python"), ours: uniqueTopic("ours") };
    const servers = new Map<string, Running>();
    let bus: Bus;
    let pythonServer: PythonServer;
    let pythonClient: PythonClient;
    let pythonListener: PythonListener;
    let pythonNotifier: PythonNotifier;

    beforeAll(async () => {
      bus = await start();
      const url = bus.url("amqp");
      [pythonServer, pythonClient, pythonListener, pythonNotifier] = await Promise.all([
        PythonServer.start({ url, topic: topic.python, server: "python" }),
        PythonClient.start(url),
        PythonListener.start(url, topic.python),
        PythonNotifier.start(url),
      ]);
      const starting = SCHEMES.map(async (scheme) => {
        const args = ["--url", bus.url(scheme), "--topic", topic.ours, "--server", scheme];
        servers.set(scheme, await Running.ready("serve", ...args));
      });
      await Promise.all(starting);
    });

    afterAll(async () => {
      const peers = [pythonServer, pythonClient, pythonListener, pythonNotifier];
      await Promise.all([
        ...peers.map((peer) => peer?.stop()),
        ...[...servers.values()].map((server) => server.interrupt()),
      ]);
      await bus?.close();
    });

    describe.concurrent.each(SCHEMES)("by %s", (scheme) => {
      const python = (command: string, ...args: readonly string[]) =>
        oslo(command, "--url", bus.url(scheme), "--topic", topic.python, ...args);

      test("the command call prints the answer of a Python server", async () => {
        const args = ["--server", "python", "--version", "1.0", "--context", '{"user":"ü"}', "whoami"];
        const stdout = '{"server":"python","ctxt":{"user":"ü"}}\n';
        expect(await python("call", ...args)).toEqual({ ...DONE, stdout });
      });

      test("a Python client is answered by the command serve", async () => {
        const target = { topic: topic.ours, server: scheme, version: "1.0" };
        const answer = pythonClient.call({ target, method: "whoami", context: { user: "ü" } });
        await expect(answer).resolves.toEqual({ server: scheme, ctxt: { user: "ü" } });
      });

      test("a Python listener gets the notification of the command notify", async () => {
        const eventType = `told by ${scheme}`;
        const about = ["--publisher-id", "command", "--event-type", eventType, "--priority", "warn"];
        const stderr = name.endsWith("router") ? expect.stringMatching(/^warning: .* through a router/) : "";
        expect(await python("notify", ...about, "--context", '{"user":"ü"}', '["é",1]')).toEqual({ ...DONE, stderr });
        await expect(pythonListener.saw(eventType)).resolves.toMatchObject({
          priority: "warn",
          context: { user: "ü" },
          publisherId: "command",
          payload: ["é", 1],
        });
      });

      test("the command listen prints a Python notification, and ends after --count", async () => {
        const heard = uniqueTopic(scheme);
        await using listener = await Running.ready(
          "listen",
          "--url",
          bus.url(scheme),
          "--topic",
          heard,
          "--count",
          "1",
        );
        const about = { publisherId: "python", eventType: "heard", payload: ["é", 1], context: { user: "ü" } };
        await pythonNotifier.notify({ driver: "messagingv2", topic: heard, priority: "warn", ...about });
        const line = await listener.line("the notification", (line) => ("priority" in line ? line : undefined));
        const metadata = { messageId: expect.any(String), timestamp: expect.any(String) };
        expect(line).toEqual({ priority: "warn", metadata, ...about });
        expect(await listener.ended).toBe(0);
      });
    });

    test("the command call prints type and message of a Python error, then its traceback", async () => {
      const failed = await oslo("call", "--url", bus.url("amqp"), "--topic", topic.python, "fail", '{"kind":"custom"}');
      const traceback =
        /^PeerError: custom trouble\nTraceback \(most recent call last\):\n( {2}.*\n)+.*PeerError: custom trouble\n$/;
      expect(failed).toEqual({ status: 1, stdout: "", stderr: expect.stringMatching(traceback) });
    });

    test("the command cast reaches one Python server, and all with --fanout", async () => {
      const target = ["--url", bus.url("amqp"), "--topic", topic.python];
      const casts = [
        oslo("cast", ...target, "--server", "python", "note", '{"arg":"to one"}'),
        oslo("cast", ...target, "--fanout", "note", '{"arg":"to all"}'),
      ];
      expect(await Promise.all(casts)).toEqual([DONE, DONE]);
      await Promise.all([pythonServer.noted("to one"), pythonServer.noted("to all")]);
    });

    test("a Python fanout reaches every process of the command serve", async () => {
      await pythonClient.cast({ target: { topic: topic.ours, fanout: true }, method: "note", args: { arg: "to all" } });
      for (const [name, server] of servers) {
        await expect.poll(() => server.stderr, { timeout: 20_000 }).toContain(`note to ${name}: "to all"`);
      }
    });
  });
}

/** The embedded intermediary, started by the command. */
function intermediary(kind: IntermediaryKind): Pick<BusPlan, "name" | "start"> {
  const start = async (): Promise<Bus> => {
    const running = await RunningIntermediary.start("--kind", kind);
    const close = async (): Promise<void> => {
      expect(await running.interrupt()).toBe(0);
    };
    return {
      url: (scheme) => (scheme === "amqp" ? `amqp://${running.tcp}/` : `amqp+ws://${running.ws}/`),
      dialers: {},
      close,
      [Symbol.asyncDispose]: close,
    };
  };
  return { name: `oslo-messaging intermediary --kind ${kind}`, start };
}
