import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getRpcClient, getRpcTransport } from "@/src/entry/node.js";
import { Artemis } from "@/test/fixtures/beds/artemis.js";
import { replaced } from "@/test/fixtures/beds/artemis-files.js";
import { RabbitMq } from "@/test/fixtures/beds/rabbitmq.js";
import { launchChromiumOn } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";
import { Screen } from "@/test/fixtures/browsers/screen.js";
import { RunningRelay } from "@/test/fixtures/processes/command.js";

const MINUTE_MS = 60_000;
const HIDDEN_MINUTES = 5;
/** Throttles a hidden page's timers to once a minute after 10 s. By default Chromium waits five minutes. */
const EARLY_THROTTLING = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/10";
const SHORT_S = 8;

type Broker = "Artemis" | "RabbitMQ";

/** A transport of the tab. The server on it has this topic. */
interface TabTransport {
  topic: string;
  broker: Broker;
  query: string;
  /** Longest silence of the tab, by the peer's Open or the heartbeats of AMQP 0-9-1. */
  silenceMs: number;
}

const TRANSPORTS: readonly TabTransport[] = [
  { topic: "artemis", broker: "Artemis", query: "", silenceMs: SHORT_S * 1_000 },
  { topic: "rabbit", broker: "RabbitMQ", query: "", silenceMs: MINUTE_MS },
  {
    topic: "rabbit-short",
    broker: "RabbitMQ",
    query: `?heartbeat_timeout_threshold=${SHORT_S}`,
    silenceMs: SHORT_S * 1_000,
  },
];

/** State of a transport of the tab, as its server reports it. */
interface TabState {
  hidden: boolean;
  /** Number of runs of a one-second timer. */
  ticks: number;
  /** Types of all statuses of the transport since the server started, oldest first. */
  statuses: readonly string[];
  silenceMs: number;
}

/** URLs of a broker for the tab, by WebSocket, and for its clients, by TCP. */
type Urls = Readonly<Record<Broker, { tab: string; client: string }>>;

describe.concurrent("a hidden tab with timers throttled to once a minute", () => {
  const closers: (() => Promise<void>)[] = [];
  let urls: Urls;

  beforeAll(async () => {
    const [screen, artemis, rabbit] = await Promise.all([
      keep(Screen.open()),
      keep(startArtemis()),
      keep(RabbitMq.start()),
    ]);
    const { host, port } = rabbit.address;
    const relay = new URL((await keep(RunningRelay.start("--to", `${host}:${port}`))).url);
    const artemisHost = `127.0.0.1:${artemis.address.port}`;
    urls = {
      Artemis: { tab: `amqp+ws://${artemisHost}/`, client: `amqp://${artemisHost}/` },
      RabbitMQ: { tab: `rabbit+ws://${relay.host}/`, client: rabbit.url("/") },
    };
    const browser = await launchChromiumOn(screen, EARLY_THROTTLING);
    closers.push(() => browser.close());
    const [profile] = browser.contexts();
    if (profile === undefined) throw new Error("Chromium has no profile");
    const tab = await keep(DriverPage.openIn(profile, "with rabbit"));
    for (const { topic, broker, query } of TRANSPORTS) await serve(tab, urls[broker].tab + query, topic);
    await profile.newPage(); // covers the tab, which hides it
    await tab.told.take("being hidden", (told) => (told === "hidden" ? told : undefined));
  });

  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });

  async function keep<T extends AsyncDisposable>(starting: Promise<T>): Promise<T> {
    const started = await starting;
    closers.push(async () => started[Symbol.asyncDispose]());
    return started;
  }

  for (const { topic, broker, silenceMs } of TRANSPORTS) {
    const title = `keeps its connection to ${broker} where either side may be silent for ${silenceMs / 1_000} s`;
    test(title, { timeout: (HIDDEN_MINUTES + 1) * MINUTE_MS }, async () => {
      await using transport = getRpcTransport(urls[broker].client, { logger: null });
      const client = getRpcClient(transport, { topic });
      const state = async () => (await client.call({}, "state")) as TabState;
      const { ticks, ...before } = await state();
      expect(before).toMatchObject({ hidden: true, silenceMs: expect.toSatisfy((ms) => ms <= silenceMs) });
      await sleep(HIDDEN_MINUTES * MINUTE_MS); // only heartbeats pass
      const after = await state();
      expect(after).toMatchObject({ hidden: true, statuses: ["connected"] });
      // Chromium throttles the timer from once a second to once a minute within the first minute.
      expect(after.ticks - ticks).toBeLessThan(60 + HIDDEN_MINUTES);
    });
  }
});

function startArtemis(): Promise<Artemis> {
  const edit = (xml: string) => replaced(xml, "protocols=AMQP;", `protocols=AMQP;amqpIdleTimeout=${SHORT_S * 1_000};`);
  return Artemis.start({ addressing: "routable", edit });
}

/** Starts an RPC server with the method `state` in the tab, and passes each new visibility state to `tell`. */
async function serve({ page }: DriverPage, url: string, topic: string): Promise<void> {
  await page.evaluate(
    async ({ url, topic }) => {
      const state = { ticks: 0, statuses: [] as string[], silenceMs: 0 };
      setInterval(() => state.ticks++, 1_000);
      document.addEventListener("visibilitychange", () => void tell(document.visibilityState));
      const transport = oslo.getRpcTransport(url, {
        onFrame({ direction, performative, fields }) {
          if (direction === "in" && "idleTimeOut" in fields) state.silenceMs = Number(fields.idleTimeOut);
          if (performative === "connection.tune-ok" && "heartbeat" in fields) {
            state.silenceMs = Number(fields.heartbeat) * 1_000;
          }
        },
      });
      const endpoint = { state: () => ({ ...state, hidden: document.hidden }) };
      await transport.connect();
      await oslo.getRpcServer(transport, { topic, server: "tab" }, [endpoint]).start();
      void (async () => {
        for await (const { type } of transport.status()) state.statuses.push(type);
      })();
    },
    { url, topic },
  );
}
