import { describe, expect, test } from "vitest";
import type { RPCClient } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BUSES } from "@/test/fixtures/beds/bus-plan.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

/** Long enough for a call to begin, on a busy machine. */
const SHORT_MS = 3_000;

const SERVERS = ["a", "b", "c"] as const;

interface Entry {
  server: string;
  text: string;
}

/** Three servers that note what they get, in order. */
class Ledger {
  readonly entries: Entry[] = [];
  readonly #noted = new Inbox<Entry>("the servers");

  async serve(stage: Stage, exchange?: string): Promise<void> {
    const note = (server: string, text: string): string => {
      this.entries.push({ server, text });
      this.#noted.put({ server, text });
      return server;
    };
    const endpoint = (server: string): object => ({
      note: (_context: object, { text }: { text: string }) => note(server, text),
    });
    await Promise.all(SERVERS.map((server) => stage.serve(server, [endpoint(server)], { exchange })));
  }

  /** Resolves when some server, or this one, has noted it. */
  async noted(text: string, server?: string): Promise<void> {
    await this.#noted.take(`${text} at ${server ?? "any server"}`, (entry) =>
      entry.text === text && (server ?? entry.server) === entry.server ? true : undefined,
    );
  }

  /** What a server, or all of them, noted. */
  texts(server?: string): string[] {
    return this.entries.filter((entry) => (server ?? entry.server) === entry.server).map(({ text }) => text);
  }
}

const note = (client: RPCClient, text: string): Promise<unknown> => client.call({}, "note", { text });

// Each is about a topic of its own.
describe.concurrent("Of three servers of a topic", () => {
  overEveryBed(
    "RPC",
    (bed) => {
      test("each gets what is for it alone, and no other", { tags: ["rpc:patterns"] }, async () => {
        await using stage = new Stage(bed, "direct");
        const ledger = new Ledger();
        await ledger.serve(stage);
        const client = await stage.client();
        for (const server of SERVERS) {
          const direct = client.prepare({ server });
          expect(await note(direct, `call ${server}`)).toBe(server);
          await direct.cast({}, "note", { text: `cast ${server}` });
          await ledger.noted(`cast ${server}`);
        }
        for (const server of SERVERS) expect(ledger.texts(server)).toEqual([`call ${server}`, `cast ${server}`]);
      });

      test("all work on what is for any of them, each call at one, in order", {
        tags: ["rpc:patterns", "rpc:call:any-server"],
      }, async () => {
        await using stage = new Stage(bed, "shared");
        const ledger = new Ledger();
        await ledger.serve(stage);
        const client = await stage.client();
        const texts = Array.from({ length: 12 }, (_, index) => `call ${index}`);
        for (const text of texts) await note(client, text);
        expect(ledger.texts()).toEqual(texts);
        expect(new Set(ledger.entries.map(({ server }) => server))).toEqual(new Set(SERVERS));
      });

      test("share casts for any of them, each going to one", { tags: ["rpc:cast:any-server"] }, async () => {
        await using stage = new Stage(bed, "casts");
        const ledger = new Ledger();
        await ledger.serve(stage);
        const client = await stage.client();
        const texts = Array.from({ length: 20 }, (_, index) => `cast ${index}`);
        for (const text of texts) await client.cast({}, "note", { text });
        for (const text of texts) await ledger.noted(text);
        expect(ledger.texts().sort()).toEqual(texts.sort());
      });

      test("all get a fanout, once, and none of another exchange does", {
        tags: ["rpc:patterns", "rpc:exchanges"],
      }, async (context) => {
        bed.needs("multicasts", context);
        await using stage = new Stage(bed, "fanout");
        const [ledger, others] = [new Ledger(), new Ledger()];
        await Promise.all([ledger.serve(stage), others.serve(stage, "nova")]);
        const client = await stage.client();
        const everybody = client.prepare({ fanout: true });
        for (const text of ["first", "second"]) {
          await everybody.cast({}, "note", { text });
          for (const server of SERVERS) await ledger.noted(text, server);
        }
        for (const server of SERVERS) expect(ledger.texts(server)).toEqual(["first", "second"]);
        expect(await note(client.prepare({ exchange: "nova", server: "a" }), "only")).toBe("a");
        expect(others.entries).toEqual([{ server: "a", text: "only" }]);
      });
    },
    { plans: BUSES },
  );
});

describe.concurrent("A server", () => {
  overEveryBed("of a topic of its own", (bed) => {
    test("answers short calls while a long one to it times out", {
      tags: ["rpc:call:while-another-times-out"],
    }, async () => {
      await using stage = new Stage(bed, "side by side");
      const held = new BlockingEndpoint();
      await stage.serve("a", [held]);
      const client = await stage.client({ target: { server: "a" } });
      const long = client.call({}, "hold", { arg: "long" }, { timeoutMs: SHORT_MS });
      const ended = expect(long).rejects.toMatchObject({ name: "MessagingTimeout", phase: "reply" });
      await held.begun("long");
      for (let arg = 0; arg < 10; arg++) expect(await client.call({}, "echo", { arg })).toBe(arg);
      await ended;
      expect(await client.call({}, "echo", { arg: "afterwards" })).toBe("afterwards");
      held.release();
    });

    test("that got nothing stops and closes", { tags: ["rpc:server:unused"] }, async () => {
      await using stage = new Stage(bed, "unused");
      const transport = stage.rpcTransport();
      const server = await stage.serve("a", [new BlockingEndpoint()], { transport });
      await server.stop();
      await server.wait();
      await transport.close();
      expect(transport.state).toEqual({ type: "closed" });
      expect(stage.logger.of("error")).toEqual([]);
    });
  });
});
