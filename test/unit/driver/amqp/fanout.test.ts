import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CastRequest } from "@/src/driver/driver.js";
import {
  castRequest,
  type DriverBed,
  DriverPeer,
  driverBed,
  failureOf,
  type PeerLink,
  TARGET,
} from "@/test/fixtures/peers/driver-peer.js";

const MULTICAST = "openstack.org/om/rpc/multicast/openstack/topic";
const DISCARDED = /^discarded a fanout cast to <Target topic=topic, fanout=True>: /;
const LONG = { defaultSendTimeoutMs: 30_000 };

function fanout(request: Partial<CastRequest> = {}): CastRequest {
  return castRequest({ target: TARGET.with({ fanout: true }), ...request });
}

/** A driver with a fanout cast that has resolved and waits for credit. */
async function queuedFanout(
  request?: Partial<CastRequest>,
  ...bed: Parameters<typeof driverBed>
): Promise<DriverBed & { link: PeerLink }> {
  const made = driverBed(...bed);
  made.peer.credit = 0;
  await made.driver.cast(fanout(request));
  return { ...made, link: await made.peer.link(MULTICAST, "receiver") };
}

function discards({ logger }: DriverBed): readonly string[] {
  return logger.of("debug").filter((line) => DISCARDED.test(line));
}

async function discarded(bed: DriverBed): Promise<string> {
  await expect.poll(() => discards(bed)).toHaveLength(1);
  return discards(bed).join("");
}

const rejections: unknown[] = [];
const onRejection = (reason: unknown): void => void rejections.push(reason);

beforeEach(() => void process.on("unhandledRejection", onRejection));

afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 0));
  process.off("unhandledRejection", onRejection);
  expect(rejections.splice(0)).toEqual([]);
});

describe("a fanout cast without credit", { tags: ["rpc:cast:fanout-unheard"] }, () => {
  test("a fanout cast without credit resolves, and is discarded with a debug line after its time", async () => {
    const bed = await queuedFanout();
    expect(await discarded(bed)).toMatch(/unsent: timed out \(phase credit, .*\): .*no receiver is attached/);
    expect(bed.logger.of("warn")).toEqual([]);
    bed.link.receiver?.grant(10);
    await bed.driver.cast(fanout());
    await bed.peer.message(MULTICAST);
    expect(bed.peer.deliveries.unread).toEqual([]); // only the second one left
  });

  test("a fanout cast leaves when credit comes within its time", async () => {
    const bed = await queuedFanout({}, LONG);
    bed.link.receiver?.grant(10);
    expect((await bed.peer.message(MULTICAST)).settled).toBe(true);
    await bed.driver.close(30_000); // resolves at once: nothing waits
    expect(discards(bed)).toEqual([]);
  });

  test("fanout casts wait in order, and count in the send queue", { tags: ["send:queue:bound"] }, async () => {
    const bed = await queuedFanout({ body: { method: "m0", args: {} } }, LONG, { maxQueued: { messages: 2 } });
    await bed.driver.cast(fanout({ body: { method: "m1", args: {} } }));
    expect(await failureOf(bed.driver.cast(fanout()))).toMatchObject({ name: "SendQueueFull", messages: 2 });
    const room = bed.driver.writable(undefined);
    bed.link.receiver?.grant(10);
    await room;
    for (const method of ["m0", "m1"]) {
      const { body } = (await bed.peer.message(MULTICAST)).message;
      expect(body).toMatchObject({ value: expect.stringContaining(`"method":"${method}"`) });
    }
    expect(discards(bed)).toEqual([]);
  });

  test("a queued fanout cast leaves by the next connection when its own is lost", async () => {
    const bed = await queuedFanout({}, LONG);
    bed.peer.credit = 10;
    await bed.peer.kill();
    await bed.peer.message(MULTICAST);
    expect(discards(bed)).toEqual([]);
  });

  test("a queued fanout cast leaves by a new link when its own is lost", async () => {
    const bed = await queuedFanout({}, LONG);
    bed.peer.credit = 10;
    await bed.link.receiver?.close({ condition: "amqp:resource-deleted" });
    await bed.peer.message(MULTICAST);
  });

  test("a queued fanout cast without retries is discarded when its link is lost", async () => {
    const bed = await queuedFanout({ retry: 0 }, LONG);
    await bed.link.receiver?.close({ condition: "amqp:resource-deleted" });
    expect(await discarded(bed)).toContain("amqp:resource-deleted");
  });

  test("a queued fanout cast is discarded when its signal is aborted", async () => {
    const controller = new AbortController();
    const bed = await queuedFanout({ signal: controller.signal }, LONG);
    controller.abort("a reason that is no Error");
    expect(await discarded(bed)).toContain("a reason that is no Error");
    bed.link.receiver?.grant(10);
    await bed.driver.cast(fanout());
    await bed.peer.message(MULTICAST);
    expect(bed.peer.deliveries.unread).toEqual([]);
  });

  test("closing without a grace discards a queued fanout cast", async () => {
    const bed = await queuedFanout({}, LONG);
    await bed.driver.close(0);
    expect(await discarded(bed)).toContain("the transport was closed");
  });

  test("closing with a grace waits until a queued fanout cast has left", async () => {
    const bed = await queuedFanout({}, LONG);
    let isClosed = false;
    const closing = bed.driver.close(30_000).then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isClosed).toBe(false);
    bed.link.receiver?.grant(10);
    await bed.peer.message(MULTICAST);
    await closing;
    expect(discards(bed)).toEqual([]);
  });

  test("closing with a grace waits no longer than the time of a queued fanout cast, or the grace", async () => {
    const timed = await queuedFanout();
    await timed.driver.close(30_000);
    expect(await discarded(timed)).toContain("timed out");
    const graced = await queuedFanout({}, LONG);
    await graced.driver.close(30);
    expect(await discarded(graced)).toContain("the transport was closed");
  });

  test("a logger that throws causes no unhandled rejection", async () => {
    const logger = {
      debug: () => {
        throw new Error("disk full");
      },
      info() {},
      warn() {},
      error() {},
    };
    const bed = await queuedFanout({}, LONG, { logger });
    await bed.driver.close(0);
  });
});

describe("a fanout cast that is not queued on a link yet", () => {
  test("a fanout cast without a connection waits, and rejects after its time", async () => {
    const peer = new DriverPeer();
    peer.down = new Error("connection refused");
    const bed = driverBed({}, { peers: [peer] });
    const error = await failureOf(bed.driver.cast(fanout()));
    expect(error).toMatchObject({ name: "MessageDeliveryFailure", phase: "connecting", cause: peer.down });
    expect(discards(bed)).toEqual([]);
  });

  test("a fanout cast whose link is refused rejects after its time, without retries at once", async () => {
    const bed = driverBed();
    bed.peer.refuse = () => "no such node";
    const failures = [bed.driver.cast(fanout()), bed.driver.cast(fanout({ retry: 0 }))].map(failureOf);
    for (const error of await Promise.all(failures)) {
      expect(error).toMatchObject({ name: "MessageDeliveryFailure", outcome: "unsent", phase: "credit" });
      expect(error.message).toContain("no such node");
    }
    expect(discards(bed)).toEqual([]);
  });

  test("a fanout cast rejects with the reason of a signal that is aborted before", async () => {
    const peer = new DriverPeer();
    peer.down = new Error("connection refused");
    const { driver } = driverBed(LONG, { peers: [peer] });
    const controller = new AbortController();
    const failing = failureOf(driver.cast(fanout({ signal: controller.signal })));
    controller.abort(new Error("enough"));
    expect((await failing).message).toBe("enough");
  });
});

describe("a cast without credit that is no fanout without a timeout", () => {
  test.each([
    ["to any server", castRequest(), {}],
    ["to one server", castRequest({ target: TARGET.with({ server: "s" }) }), {}],
    ["with its own timeout", fanout({ timeoutMs: 50 }), {}],
    ["that is not pre-settled", fanout(), { preSettled: [] }],
  ])("a cast %s waits for credit, and rejects after its time", async (_kind, request, options) => {
    const { driver, peer } = driverBed(options);
    peer.credit = 0;
    expect(await failureOf(driver.cast(request))).toMatchObject({ phase: "credit" });
  });
});
