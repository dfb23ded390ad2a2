import { describe, expect, onTestFinished, test, vi } from "vitest";
import { connect } from "@/src/core/connection/handshake.js";
import { encodeNotification, encodeRequest } from "@/src/driver/amqp/wire.js";
import type { Host } from "@/src/driver/options/hosts.js";
import { Target } from "@/src/driver/target.js";
import { memoryDial } from "@/src/transports/memory.js";
import {
  ANYCAST,
  castRequest,
  type DriverBed,
  DriverPeer,
  driverBed,
  failureOf,
  inbox,
  NOTIFICATIONS,
  next,
  notifyRequest,
  TARGET,
} from "@/test/fixtures/peers/driver-peer.js";
import { RawPeer, released, stateCode, WINDOW } from "@/test/fixtures/peers/raw-peer.js";

const SERVER = TARGET.with({ server: "s" });
const UNICAST = "openstack.org/om/rpc/unicast/openstack/topic/s";
const MULTICAST = "openstack.org/om/rpc/multicast/openstack/topic";
const REQUEST = { body: encodeRequest({ body: { method: "m", args: {} }, context: {} }) };

describe("listening as an RPC server", () => {
  test("an RPC server attaches three links, each with its own name and credit", async () => {
    const { driver, peer } = driverBed({ rpcServerCredit: 7 });
    await driver.listen(SERVER, () => {});
    const links = await Promise.all([UNICAST, MULTICAST, ANYCAST].map((address) => peer.link(address, "sender")));
    for (const { name, address, sender } of links) {
      expect(name.slice(0, -32)).toBe(`openstack.org/om/receiver/[${address}]/`);
      expect(sender?.credit).toBe(7);
    }
    expect(new Set(links.map(({ name }) => name)).size).toBe(3);
  });

  test("a link's name loses its address only where the attach would not fit into the peer's frames", async () => {
    const { driver, peer } = await smallFrames();
    const names: unknown[] = [];
    for (const length of [80, 140]) {
      const target = new Target({ topic: "t".repeat(length) });
      void driver.listenForNotifications([target], () => {}).catch(() => {});
      if (names.length === 0) peer.send("begin", { remote_channel: (await peer.next("begin")).channel, ...WINDOW });
      const { fields, size } = await peer.next("attach");
      expect(size).toBeLessThanOrEqual(512);
      names.push(fields["name"]);
    }
    expect(names).toEqual([
      expect.stringMatching(/^openstack\.org\/om\/receiver\/\[unicast\.openstack\.t{80}\]\/[0-9a-f]{32}$/),
      expect.stringMatching(/^openstack\.org\/om\/receiver\/[0-9a-f]{32}$/),
    ]);
    peer.hangUp();
  });

  test("a link whose attach does not fit even so is refused by an error that names the address and both sizes", async () => {
    const { driver, peer, status } = await smallFrames();
    const target = new Target({ topic: "t".repeat(300) });
    const failing = failureOf(driver.notify(notifyRequest({ target, timeoutMs: 200 })));
    peer.send("begin", { remote_channel: (await peer.next("begin")).channel, ...WINDOW });
    const { cause } = await failing;
    const expected = /attach to unicast\.openstack\.t{300}: a frame of 7\d\d bytes exceeds the max-frame-size of 512$/;
    expect(cause).toMatchObject({ message: expect.stringMatching(expected) });
    expect(status.present).toMatchObject({ type: "refused", address: `unicast.openstack.${"t".repeat(300)}` });
    peer.hangUp();
  });

  test("an RPC server requests queues and a topic from Artemis", async () => {
    const peer = new DriverPeer();
    peer.product = "apache-activemq-artemis";
    const { driver } = driverBed({}, { peers: [peer] });
    await driver.listen(SERVER, () => {});
    expect((await peer.link(UNICAST, "sender")).capabilities).toEqual(["queue"]);
    expect((await peer.link(MULTICAST, "sender")).capabilities).toEqual(["topic"]);
    expect((await peer.link(ANYCAST, "sender")).capabilities).toEqual(["queue"]);
  });

  describe("at Broker-J, where only a sender can create a fanout exchange", () => {
    const BROADCAST = "broadcast.openstack.topic.all";
    const brokerJ = (): DriverPeer => Object.assign(new DriverPeer(), { product: "Apache Qpid Broker-J Core" });

    test("an RPC server attaches a sender to the fanout address for a moment, then listens there", async () => {
      const peer = brokerJ();
      const { driver } = driverBed({}, { peers: [peer] });
      await driver.listen(SERVER, () => {});
      const creator = await peer.links.take("the first link to the exchange", (link) =>
        link.address === BROADCAST ? link : undefined,
      );
      expect(creator.receiver).toBeDefined();
      expect(await takeDetach(peer)).toBe(creator.name);
      await peer.link(BROADCAST, "sender");
      const others = peer.links.unread.map(({ address, receiver }) => ({ address, sends: receiver !== undefined }));
      expect(others).toEqual([
        { address: "exclusive.openstack.topic.s", sends: false },
        { address: "unicast.openstack.topic", sends: false },
      ]);
    });

    test("an RPC server that may not create the exchange says which part of the recipe is missing", async () => {
      const peer = brokerJ();
      peer.refuse = (address) => (address === BROADCAST ? "no destination" : undefined);
      const { driver, status, logger } = driverBed({}, { peers: [peer] });
      const failing = failureOf(driver.listen(SERVER, () => {}));
      const missing =
        "amqp:not-found: no destination; the virtual host needs the nodeAutoCreationPolicy of type Exchange in oslo-messaging recipe broker-j";
      for await (const present of status.watch()) {
        if (present.type !== "refused") continue;
        expect(present).toMatchObject({ address: BROADCAST, error: { name: "AmqpError", message: missing } });
        break;
      }
      expect(logger.of("warn")[0]).toBe(`no link to ${BROADCAST}: ${missing}`);
      await driver.close(0);
      await failing;
    });
  });

  test("an RPC server takes messages of each link", async () => {
    const { driver, peer } = driverBed();
    const incoming = inbox();
    await driver.listen(SERVER, (message) => incoming.put(message));
    for (const address of [UNICAST, MULTICAST, ANYCAST]) {
      const sending = peer.send(await peer.link(address, "sender"), REQUEST);
      (await next(incoming)).acknowledge();
      expect(await sending).toEqual({ type: "accepted" });
    }
  });

  test("listen resolves when the peer has attached every link", async () => {
    const { driver, peer } = driverBed();
    peer.refuse = (address, time) => (address === MULTICAST && time < 3 ? "not yet" : undefined);
    let listening = false;
    const started = driver
      .listen(SERVER, () => {})
      .then(() => {
        listening = true;
      });
    await peer.link(UNICAST, "sender");
    await peer.link(ANYCAST, "sender");
    expect(listening).toBe(false);
    await started;
    await peer.link(MULTICAST, "sender");
  });

  test("a listen that times out has the refusal of its link as the cause", { tags: ["connect:timeout"] }, async () => {
    const { driver, peer } = driverBed();
    peer.refuse = (address) => (address === MULTICAST ? "never" : undefined);
    const error = await failureOf(driver.listen(SERVER, () => {}, { timeoutMs: 100 }));
    const cause = { condition: "amqp:not-found", description: "never" };
    expect(error).toMatchObject({ name: "MessagingTimeout", phase: "connecting", cause });
  });

  test("an aborted listen detaches its links", async () => {
    const { driver, peer } = driverBed();
    peer.refuse = (address) => (address === MULTICAST ? "never" : undefined);
    const abort = new AbortController();
    const failing = failureOf(driver.listen(SERVER, () => {}, { signal: abort.signal }));
    const names = [(await peer.link(UNICAST, "sender")).name, (await peer.link(ANYCAST, "sender")).name];
    await driver.cast(castRequest({ target: new Target({ topic: "probe" }) })); // the driver has seen the attaches by now
    abort.abort(new Error("enough"));
    expect((await failing).message).toBe("enough");
    const detached = [await takeDetach(peer), await takeDetach(peer)];
    expect(detached.sort()).toEqual(names.sort());
  });

  test("a lost link is attached again under its name, and the status reports the loss", {
    tags: ["link:listener:recovery"],
  }, async () => {
    const { driver, peer, status } = driverBed();
    const incoming = inbox();
    await driver.listen(SERVER, (message) => incoming.put(message));
    const lost = await peer.link(ANYCAST, "sender");
    const watcher = status.watch();
    await lost.sender?.close({ condition: "amqp:resource-deleted", description: "gone" });
    for await (const present of watcher) {
      if (present.type !== "refused") continue;
      expect(present).toMatchObject({ address: ANYCAST, error: { message: "amqp:resource-deleted: gone" } });
      break;
    }
    const again = await peer.link(ANYCAST, "sender");
    expect(again.name).toBe(lost.name);
    const sending = peer.send(again, REQUEST);
    (await next(incoming)).acknowledge();
    await sending;
    expect(status.present.type).toBe("connected");
  });

  test("a link that is attached and lost again and again is logged once", async () => {
    const { driver, peer, status, logger } = driverBed();
    await driver.listen(SERVER, () => {});
    for (let losses = 0; losses < 3; losses++) {
      const link = await peer.link(ANYCAST, "sender");
      for await (const { type } of status.watch()) if (type === "connected") break;
      await link.sender?.close({ condition: "amqp:resource-deleted", description: "gone" });
      for await (const { type } of status.watch()) if (type === "refused") break;
    }
    expect(logger.of("warn")).toEqual([`no link to ${ANYCAST}: amqp:resource-deleted: gone`]);
  });

  test("links are attached again on the next connection, at the addresses of the next peer", async () => {
    const first = new DriverPeer();
    const second = new DriverPeer();
    second.product = undefined;
    const { driver } = driverBed({}, { peers: [first, second] });
    const incoming = inbox();
    await driver.listen(SERVER, (message) => incoming.put(message));
    await first.kill();
    const link = await second.link("unicast.openstack.topic", "sender");
    const sending = second.send(link, REQUEST);
    (await next(incoming)).acknowledge();
    expect(await sending).toEqual({ type: "accepted" });
  });

  test("links are attached at once on an open connection", async () => {
    const { driver, peer } = driverBed();
    await driver.connect({});
    await driver.listen(SERVER, () => {});
    await Promise.all([UNICAST, MULTICAST, ANYCAST].map((address) => peer.link(address, "sender")));
  });

  test("listen connects, and resolves once a peer accepts", async () => {
    const peer = new DriverPeer();
    peer.down = new Error("connection refused");
    const { driver, status } = driverBed({}, { peers: [peer] });
    const listening = driver.listen(SERVER, () => {});
    for await (const { type } of status.watch()) if (type === "disconnected") break;
    peer.down = undefined;
    await listening;
  });

  test("credit is returned when messages are settled", { tags: ["link:credit:returned"] }, async () => {
    const { driver, peer } = driverBed({ rpcServerCredit: 2 });
    const incoming = inbox();
    await driver.listen(SERVER, (message) => incoming.put(message));
    const link = await peer.link(ANYCAST, "sender");
    const sending = [1, 2, 3].map(() => peer.send(link, REQUEST));
    const first = await next(incoming);
    const second = await next(incoming);
    expect(link.sender?.queued).toBe(1);
    first.acknowledge();
    second.acknowledge();
    (await next(incoming)).acknowledge();
    expect(await Promise.all(sending)).toEqual([{ type: "accepted" }, { type: "accepted" }, { type: "accepted" }]);
  });
});

describe("a listener that is stopped", () => {
  test("a stopped listener takes no new messages, and can settle those that it has", async () => {
    const { driver, peer } = driverBed();
    const incoming = inbox();
    const listener = await driver.listen(SERVER, (message) => incoming.put(message));
    const link = await peer.link(ANYCAST, "sender");
    const sending = peer.send(link, REQUEST);
    const message = await next(incoming);
    await listener.stop();
    expect(link.sender?.credit).toBe(0);
    message.acknowledge();
    expect(await sending).toEqual({ type: "accepted" });
    expect(link.sender?.attached).toBe(true);
    await listener.stop();
  });

  test("stop waits 2 s for a peer that keeps its credit, and later messages are released", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const peer = new RawPeer();
    const { driver } = driverBed({}, { connect: (host, signal) => connectTo(peer, host, signal) });
    const listening = driver.listenForNotifications([TARGET], () => {
      throw new Error("nothing may come here");
    });
    await peer.next("open");
    peer.send("open", { container_id: "raw" });
    const { channel } = await peer.next("begin");
    peer.send("begin", { remote_channel: channel, ...WINDOW });
    await peer.attachAsSender();
    const listener = await listening;
    const stopping = listener.stop();
    expect((await peer.next("flow")).fields).toMatchObject({ drain: true });
    await vi.advanceTimersByTimeAsync(2_000);
    await stopping;
    peer.send("transfer", { handle: 0, delivery_id: 0, delivery_tag: Buffer.of(0) }, { payload: Uint8Array.of() });
    const { fields } = await peer.next("disposition");
    expect(stateCode(fields["state"])).toBe(stateCode(released()));
    peer.hangUp();
  });

  test("a listener is closed with its transport", async () => {
    const { driver } = driverBed();
    const listener = await driver.listen(SERVER, () => {});
    await driver.close(0);
    await listener.closed;
    await listener.stop();
    await listener.close();
  });

  test("a closed listener detaches its links, and attaches none on the next connection", async () => {
    const { driver, peer } = driverBed();
    const listener = await driver.listen(SERVER, () => {});
    await Promise.all([listener.close(), listener.close()]);
    expect([await takeDetach(peer), await takeDetach(peer), await takeDetach(peer)]).toHaveLength(3);
    await peer.kill();
    await peer.connections.take("a connection", () => true);
    await driver.connect({});
    await driver.cast(castRequest());
    expect(peer.links.unread.slice(3).map(({ sender }) => sender)).toEqual([undefined]);
  });

  test("a stopped listener whose connection is lost attaches no links again", async () => {
    const { driver, peer } = driverBed();
    const listener = await driver.listen(SERVER, () => {});
    await listener.stop();
    await peer.kill();
    await driver.cast(castRequest());
    expect(peer.links.unread.slice(3).map(({ sender }) => sender)).toEqual([undefined]);
    await listener.close();
  });
});

describe("listening for notifications", () => {
  test("a notification listener attaches one link for each target, without its exchange", {
    tags: ["addressing:notification-exchange", "rpc:server:requeue"],
  }, async () => {
    const { driver, peer } = driverBed({ notifyServerCredit: 5 });
    const targets = [new Target({ topic: "topic", exchange: "e" }), new Target({ topic: "other" })];
    const incoming = inbox();
    const listener = await driver.listenForNotifications(targets, (message) => incoming.put(message));
    const link = await peer.link(NOTIFICATIONS, "sender");
    await peer.link("openstack.org/om/notify/anycast/openstack/other", "sender");
    expect(link.sender?.credit).toBe(5);
    const sending = peer.send(link, {
      body: encodeNotification({ body: { a: 1 }, context: { b: 2 }, envelope: true }),
    });
    const message = await next(incoming);
    expect(message).toMatchObject({ body: { a: 1 }, context: { b: 2 }, wantsReply: false, messageId: undefined });
    message.requeue();
    expect(await sending).toEqual({ type: "released" });
    await listener.close();
  });

  test.each([
    [2, 7],
    [9, 9],
  ])("a notification listener with a minimum credit of %i grants each link %i", async (minimumCredit, credit) => {
    const { driver, peer } = driverBed({ notifyServerCredit: 7 });
    await driver.listenForNotifications([TARGET], () => {}, { minimumCredit });
    expect((await peer.link(NOTIFICATIONS, "sender")).sender?.credit).toBe(credit);
  });

  test("a listener reports the peer of each connection", async () => {
    const peers = [peerOf("qpid-dispatch-router"), peerOf("apache-activemq-artemis"), peerOf("post-office")];
    const { driver } = driverBed({}, { peers });
    const listener = await driver.listenForNotifications([TARGET], () => {});
    const told = [listener.peer];
    for (const [index, peer] of peers.entries()) {
      await peer.link(NOTIFICATIONS, "sender");
      if (index > 0) told.push(listener.peer);
      await peer.kill();
    }
    expect(told).toMatchObject([
      { kind: "router", product: "qpid-dispatch-router", host: "peer0:5672" },
      { kind: "broker", product: "apache-activemq-artemis", host: "peer1:5672" },
      { kind: "unknown", product: "post-office", host: "peer2:5672" },
    ]);
  });
});

describe("an incoming message", () => {
  test("a message whose link is lost before it is settled has linkLost", async () => {
    const { driver, peer } = driverBed();
    const incoming = inbox();
    await driver.listenForNotifications([TARGET], (message) => incoming.put(message));
    const link = await peer.link(NOTIFICATIONS, "sender");
    const notification = { body: encodeNotification({ body: {}, context: {}, envelope: true }) };
    const sending = [false, false, true].map((settled) => peer.send(link, notification, settled));
    const [settled, unsettled, sentSettled] = [await next(incoming), await next(incoming), await next(incoming)];
    settled.acknowledge();
    expect(unsettled.linkLost).toBe(false);
    await sending[0];
    await peer.kill();
    await Promise.all(sending);
    await peer.link(NOTIFICATIONS, "sender"); // attached again: the driver has seen the loss
    expect([settled, unsettled, sentSettled].map(({ linkLost }) => linkLost)).toEqual([false, true, false]);
  });
});

describe("notifications through a router", () => {
  const router = () => peerOf("skupper-router");
  const notice = /through a router, skupper-router at peer0:5672, which stores nothing/;

  test("listening for notifications through a router is warned about once", { tags: ["notify:router"] }, async () => {
    const peer = router();
    const { driver, logger } = driverBed({}, { peers: [peer] });
    await driver.listenForNotifications([TARGET], () => {});
    await driver.listenForNotifications([TARGET], () => {});
    await peer.kill();
    await driver.connect({});
    expect(logger.of("warn").filter((line) => notice.test(line))).toHaveLength(1);
  });

  test("sending notifications through a router is warned about once, accepted or not", {
    tags: ["notify:router"],
  }, async () => {
    const peer = router();
    peer.credit = 0;
    const { driver, logger } = driverBed({}, { peers: [peer] });
    for (let n = 0; n < 2; n++) await failureOf(driver.notify(notifyRequest()));
    expect(logger.of("warn")).toEqual([expect.stringMatching(notice)]);
  });

  test.each(["qpid-cpp", "post-office", undefined])(
    "notifications through the product %s are not warned about",
    { tags: ["notify:router"] },
    async (product) => {
      const { driver, logger } = driverBed({}, { peers: [peerOf(product)] });
      await driver.listenForNotifications([TARGET], () => {});
      await failureOf(driver.notify(notifyRequest()));
      expect(logger.of("warn")).toEqual([]);
    },
  );

  test("RPC through a router is not warned about", async () => {
    const { driver, logger } = driverBed({}, { peers: [router()] });
    await driver.listen(SERVER, () => {});
    await driver.cast(castRequest());
    expect(logger.of("warn")).toEqual([]);
  });
});

function peerOf(product: string | undefined): DriverPeer {
  const peer = new DriverPeer();
  peer.product = product;
  return peer;
}

function takeDetach(peer: DriverPeer): Promise<string> {
  return peer.detached.take("a detach", (name) => name);
}

/** A driver, connected to a peer that accepts only the smallest frames. */
async function smallFrames(): Promise<Pick<DriverBed, "driver" | "status"> & { peer: RawPeer }> {
  const peer = new RawPeer();
  const { driver, status } = driverBed({}, { connect: (host, signal) => connectTo(peer, host, signal) });
  const connecting = driver.connect({});
  await peer.next("open");
  peer.send("open", { container_id: "raw", max_frame_size: 512 });
  await connecting;
  return { driver, status, peer };
}

function connectTo(peer: RawPeer, { address }: Host, signal: AbortSignal) {
  return connect(memoryDial(peer.accept), address, { containerId: "driver", sasl: { credentials: undefined } }, signal);
}
