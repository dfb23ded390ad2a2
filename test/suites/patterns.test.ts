import { describe, expect } from "vitest";
import type { RPCClient } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BUSES, RABBITMQ, RABBITMQ_4 } from "@/test/fixtures/beds/bus-plan.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import type { Stage } from "@/test/fixtures/stages/stage.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

const SERVERS = ["a", "b", "c"] as const;

interface Entry {
  server: string;
  text: string;
}

/** Three servers that note what they get, in order. */
class Ledger {
  readonly entries: Entry[] = [];
  readonly #noted = new Inbox<Entry>("the servers");

  static async of(stage: Stage, exchange?: string): Promise<Ledger> {
    const ledger = new Ledger();
    const endpoint = (server: string): object => ({
      note: (_context: object, { text }: { text: string }) => ledger.#note({ server, text }),
    });
    await Promise.all(SERVERS.map((server) => stage.serve(server, [endpoint(server)], { exchange })));
    return ledger;
  }

  #note(entry: Entry): string {
    this.entries.push(entry);
    this.#noted.put(entry);
    return entry.server;
  }

  /** Resolves when any server, or this one, has noted it. */
  async noted(text: string, server?: string): Promise<void> {
    await this.#noted.take(`${text} at ${server ?? "any server"}`, (entry) =>
      entry.text === text && (server ?? entry.server) === entry.server ? true : undefined,
    );
  }

  /** Notes of one server, or of all. */
  texts(server?: string): string[] {
    return this.entries.filter((entry) => (server ?? entry.server) === entry.server).map(({ text }) => text);
  }
}

const note = (client: RPCClient, text: string): Promise<unknown> => client.call({}, "note", { text });

// Each test has a topic of its own.
describe.concurrent("RPC patterns", () => {
  overEveryBed(
    "with three servers",
    (bed) => {
      const test = withStage(bed);

      test("calls and casts to one server reach that server only", {
        tags: ["rpc:patterns", "rpc:call:one-server", "rpc:cast:one-server"],
      }, async ({ stage, client }) => {
        const ledger = await Ledger.of(stage);
        for (const server of SERVERS) {
          const direct = client.prepare({ server });
          expect(await note(direct, `call ${server}`)).toBe(server);
          await direct.cast({}, "note", { text: `cast ${server}` });
          await ledger.noted(`cast ${server}`);
        }
        for (const server of SERVERS) expect(ledger.texts(server)).toEqual([`call ${server}`, `cast ${server}`]);
      });

      test("calls to any server are shared by all servers, each call going to one, in order", {
        tags: ["rpc:patterns", "rpc:call:any-server"],
      }, async ({ stage, client }) => {
        const ledger = await Ledger.of(stage);
        const texts = Array.from({ length: 12 }, (_, index) => `call ${index}`);
        for (const text of texts) await note(client, text);
        expect(ledger.texts()).toEqual(texts);
        expect(new Set(ledger.entries.map(({ server }) => server))).toEqual(new Set(SERVERS));
      });

      test("casts to any server are shared by the servers, each cast going to one", {
        tags: ["rpc:cast:any-server"],
      }, async ({ stage, client }) => {
        const ledger = await Ledger.of(stage);
        const texts = Array.from({ length: 20 }, (_, index) => `cast ${index}`);
        for (const text of texts) await client.cast({}, "note", { text });
        for (const text of texts) await ledger.noted(text);
        expect(ledger.texts().sort()).toEqual(texts.sort());
      });

      const { separatesExchanges } = bed.plan.abilities;

      test(`a fanout reaches every server of its exchange once, and ${separatesExchanges ? "none" : "all"} of another exchange`, {
        tags: ["rpc:patterns", "rpc:cast:fanout", "rpc:exchanges"],
      }, async ({ stage, client, skip }) => {
        bed.needs("multicasts", { skip });
        const [ledger, others] = await Promise.all([Ledger.of(stage), Ledger.of(stage, "nova")]);
        const fanout = client.prepare({ fanout: true });
        for (const text of ["first", "second"]) {
          await fanout.cast({}, "note", { text });
          for (const server of SERVERS) await ledger.noted(text, server);
        }
        for (const server of SERVERS) expect(ledger.texts(server)).toEqual(["first", "second"]);
        expect(await note(client.prepare({ exchange: "nova", server: "a" }), "only")).toBe("a");
        if (separatesExchanges) {
          expect(others.entries).toEqual([{ server: "a", text: "only" }]);
        } else {
          for (const server of SERVERS) {
            for (const text of ["first", "second"]) await others.noted(text, server);
          }
          const only = [...ledger.entries, ...others.entries].filter(({ text }) => text === "only");
          expect(only).toEqual([{ server: "a", text: "only" }]);
          expect(others.entries.length - others.texts().filter((text) => text === "only").length).toBe(6);
        }
      });
    },
    { plans: [...BUSES, RABBITMQ, RABBITMQ_4] },
  );
});
