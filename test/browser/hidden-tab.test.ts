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
/** Chromium would wait five minutes before it lets a hidden page's timers run but once a minute. */
const HASTY = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/10";

/** What the tab's server tells of it. */
interface TabState {
  hidden: boolean;
  /** How often a timer of one second has run. */
  ticks: number;
  /** What became of the transport, from its first status on. */
  statuses: readonly string[];
  /** What the peer's Open demands. */
  idleMs: number;
}

test(
  "a hidden tab, whose timers run once a minute, keeps its connection to a broker that cuts who is silent for 8 s",
  async () => {
    await using screen = await Screen.open();
    const impatient = (xml: string) => replaced(xml, "protocols=AMQP;", `protocols=AMQP;amqpIdleTimeout=${IDLE_MS};`);
    await using broker = await Artemis.start({ addressing: "routable", edit: impatient });
    const { port } = broker.address;
    const browser = await launchChromiumOn(screen, HASTY);
    try {
      const [profile] = browser.contexts();
      if (profile === undefined) throw new Error("Chromium has no profile");
      await using tab = await DriverPage.openIn(profile);
      const topic = uniqueTopic("tab");
      await serve(tab, `amqp+ws://127.0.0.1:${port}/`, topic);

      await using transport = getRpcTransport(`amqp://127.0.0.1:${port}/`);
      const client = getRpcClient(transport, { topic });
      const state = async () => (await client.call({}, "state")) as TabState;
      await expect(state()).resolves.toMatchObject({ hidden: false, idleMs: expect.toSatisfy((ms) => ms <= IDLE_MS) });

      await profile.newPage(); // in front of it
      await tab.told.take("being hidden", (told) => (told === "hidden" ? told : undefined));
      const { ticks } = await state();
      for (let minute = 1; minute <= HIDDEN_MINUTES; minute++) {
        await sleep(MINUTE_MS); // in which nothing passes but heartbeats
        await expect(state()).resolves.toMatchObject({ hidden: true, statuses: ["connected"] });
      }
      // Once a second until Chromium throttles them, which takes less than a minute.
      expect((await state()).ticks - ticks).toBeLessThan(60 + HIDDEN_MINUTES);
    } finally {
      await browser.close();
    }
  },
  (HIDDEN_MINUTES + 2) * MINUTE_MS,
);

/** Starts an RPC server in the tab, with the method `state`; `tell` gets the visibility of the page when that changes. */
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
