import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { getRpcClient, getRpcTransport } from "@/src/entry/node.js";
import { Artemis } from "@/test/fixtures/beds/artemis.js";
import { replaced } from "@/test/fixtures/beds/artemis-files.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { launchChromiumOn } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";
import { Screen } from "@/test/fixtures/browsers/screen.js";

const IDLE_MS = 8_000;
const MINUTE_MS = 60_000;
const HIDDEN_MINUTES = 5;
/** Throttles a hidden page's timers to once a minute after 10 s. By default Chromium waits five minutes. */
const EARLY_THROTTLING = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/10";

/** State of the tab, as its server reports it. */
interface TabState {
  hidden: boolean;
  /** Number of runs of a one-second timer. */
  ticks: number;
  /** Types of all statuses of the transport, oldest first. */
  statuses: readonly string[];
  /** Idle time-out of the peer's Open, in milliseconds. */
  idleMs: number;
}

test(
  "a hidden tab with timers throttled to once a minute keeps its connection to a broker with an idle time-out of 8 s",
  async () => {
    await using screen = await Screen.open();
    const withIdleTimeout = (xml: string) =>
      replaced(xml, "protocols=AMQP;", `protocols=AMQP;amqpIdleTimeout=${IDLE_MS};`);
    await using broker = await Artemis.start({ addressing: "routable", edit: withIdleTimeout });
    const { port } = broker.address;
    const browser = await launchChromiumOn(screen, EARLY_THROTTLING);
    try {
      const [profile] = browser.contexts();
      if (profile === undefined) throw new Error("Chromium has no profile");
      await using tab = await DriverPage.openIn(profile);
      const topic = uniqueTopic("tab");
      await serve(tab, `amqp+ws://127.0.0.1:${port}/`, topic);

      await using transport = getRpcTransport(`amqp://127.0.0.1:${port}/`, { logger: null });
      const client = getRpcClient(transport, { topic });
      const state = async () => (await client.call({}, "state")) as TabState;
      await expect(state()).resolves.toMatchObject({ hidden: false, idleMs: expect.toSatisfy((ms) => ms <= IDLE_MS) });

      await profile.newPage(); // covers the tab, which hides it
      await tab.told.take("being hidden", (told) => (told === "hidden" ? told : undefined));
      const { ticks } = await state();
      for (let minute = 1; minute <= HIDDEN_MINUTES; minute++) {
        await sleep(MINUTE_MS); // only heartbeats pass
        await expect(state()).resolves.toMatchObject({ hidden: true, statuses: ["connected"] });
      }
      // Chromium throttles the timer from once a second to once a minute within the first minute.
      expect((await state()).ticks - ticks).toBeLessThan(60 + HIDDEN_MINUTES);
    } finally {
      await browser.close();
    }
  },
  (HIDDEN_MINUTES + 2) * MINUTE_MS,
);

/** Starts an RPC server with the method `state` in the tab, and passes each new visibility state to `tell`. */
async function serve({ page }: DriverPage, url: string, topic: string): Promise<void> {
  await page.evaluate(
    async ({ url, topic }) => {
      const state = { ticks: 0, statuses: [] as string[], idleMs: 0 };
      setInterval(() => state.ticks++, 1_000);
      document.addEventListener("visibilitychange", () => void tell(document.visibilityState));
      const transport = oslo.getRpcTransport(url, {
        onFrame({ direction, fields }) {
          if (direction === "in" && "idleTimeOut" in fields) state.idleMs = Number(fields.idleTimeOut);
        },
      });
      await transport.connect();
      void (async () => {
        for await (const { type } of transport.status()) state.statuses.push(type);
      })();
      const endpoint = { state: () => ({ ...state, hidden: document.hidden }) };
      await oslo.getRpcServer(transport, { topic, server: "tab" }, [endpoint]).start();
    },
    { url, topic },
  );
}
