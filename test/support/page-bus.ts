/** The library as a page loads it. */
export interface Libraries {
  readonly oslo: typeof import("@/src/entry/web.js");
  readonly embedded: typeof import("@/src/entry/intermediary-web.js");
}

/** What became of everything that was sent. */
export interface Carried {
  answer: unknown;
  noted: string[];
  notification: unknown;
  /** Whether what one part of the library throws is the class that the other part has. */
  sameClasses: boolean;
  clients: number;
  watchers: number;
  /** How many messages have gone to receivers, by the last words of their addresses. */
  passed: Record<string, number>;
}

/**
 * A whole message bus in memory: an intermediary, servers, a listener, and a client of each pattern. It needs nothing from
 * outside of itself, so that it can be sent to a page.
 */
export async function carryBus({
  libraries,
  kind,
}: {
  libraries: Libraries;
  kind: "router" | "broker";
}): Promise<Carried> {
  const { oslo, embedded } = libraries;
  const intermediary = new embedded.Intermediary({ kind });
  const url = "amqp+memory://page/";
  const options = { dialers: { "amqp+memory": embedded.memoryDial(intermediary.accept) } };
  const [serving, calling] = [oslo.getRpcTransport(url, options), oslo.getRpcTransport(url, options)];
  const [listening, notifying] = [
    oslo.getNotificationTransport(url, options),
    oslo.getNotificationTransport(url, options),
  ];

  const noted: string[] = [];
  let allNoted = (): void => {};
  const everything = new Promise<void>((resolve) => {
    allNoted = resolve;
  });
  for (const server of ["a", "b"]) {
    const endpoint = {
      add: (_context: object, { x, y }: { x: number; y: number }) => x + y,
      note(_context: object, { text }: { text: string }) {
        noted.push(`${server}: ${text}`);
        if (noted.length === 3) allNoted();
      },
    };
    await oslo.getRpcServer(serving, { topic: "t", server }, [endpoint]).start();
  }
  let hear = (_notification: unknown): void => {};
  const heard = new Promise<unknown>((resolve) => {
    hear = resolve;
  });
  const warn = (_context: object, publisherId: string, eventType: string, payload: unknown): void =>
    hear({ publisherId, eventType, payload });
  await oslo.getNotificationListener(listening, [{ topic: "notifications" }], [{ warn }]).start();

  const client = oslo.getRpcClient(calling, { topic: "t" });
  const answer = await client.call({}, "add", { x: 1, y: 2 });
  await client.prepare({ server: "a" }).cast({}, "note", { text: "cast" });
  await client.prepare({ fanout: true }).cast({}, "note", { text: "fanout" });
  const notifier = new oslo.Notifier(notifying, { publisherId: "page", topics: ["notifications"] });
  await notifier.warn({}, "event", { text: "héllo" });
  await everything;
  const notification = await heard;

  let sameClasses = false;
  try {
    embedded.watchTopology("amqp+nothing://page/", options);
  } catch (error) {
    sameClasses = error instanceof oslo.DriverLoadFailure;
  }
  const passed: Record<string, number> = {};
  let [clients, watchers] = [0, 0];
  for await (const { connections, addresses } of embedded.watchTopology(url, options)) {
    clients = connections.length;
    watchers = connections.filter(({ watching }) => watching).length;
    for (const address of addresses) {
      if (!address.dynamic) passed[address.address.split("/").slice(3).join("/")] = address.passed;
    }
    break;
  }
  for (const transport of [serving, calling, listening, notifying]) await transport.close();
  await intermediary.close();
  return { answer, noted: noted.sort(), notification, sameClasses, clients, watchers, passed };
}

/** What becomes of it where everything works. */
export const CARRIED: Carried = {
  answer: 3,
  noted: ["a: cast", "a: fanout", "b: fanout"],
  notification: { publisherId: "page", eventType: "event", payload: { text: "héllo" } },
  sameClasses: true,
  clients: 5,
  watchers: 1,
  passed: {
    "anycast/openstack/t": 1,
    "multicast/openstack/t": 2,
    "unicast/openstack/t/a": 1,
    "unicast/openstack/t/b": 0,
    "anycast/openstack/notifications.warn": 1,
  },
};
