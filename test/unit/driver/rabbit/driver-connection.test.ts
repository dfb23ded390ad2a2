import { describe, expect, test } from "vitest";
import type { TransportStatus } from "@/src/core/connection/status.js";
import { RecurringWarnings } from "@/src/core/recurring-warnings.js";
import { ChannelConnection } from "@/src/driver/rabbit/amqp091/channel-connection.js";
import { ListeningConnection } from "@/src/driver/rabbit/listening-connection.js";
import { RABBIT_DEFAULTS } from "@/src/driver/rabbit/option-table.js";
import { opened } from "@/test/fixtures/beds/raw-broker-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";

async function connected({ pauseMs = 1 } = {}) {
  const { broker, connection } = await opened();
  const logger = new RecordingLogger();
  const status: TransportStatus[] = [];
  const listening = new ListeningConnection({
    connection: new ChannelConnection(connection),
    host: "raw:1",
    options: { ...RABBIT_DEFAULTS, kombuReconnectDelayMs: pauseMs },
    status: { set: (changed) => void status.push(changed) },
    logger,
    warnings: new RecurringWarnings(logger),
  });
  return { broker, listening, logger, status };
}

describe("a connection of the driver", () => {
  test("names its peer", async () => {
    const { listening } = await connected();
    expect(listening.peer).toEqual({ kind: "broker", product: "Raw", host: "raw:1" });
    expect([listening.isOpen, listening.endedBy]).toEqual([true, undefined]);
  });

  test("ends with the cause of its loss", async () => {
    const { broker, listening } = await connected();
    broker.hangUp();
    const cause = await listening.closed;
    expect(cause?.message).toContain("closed by the peer");
    expect([listening.isOpen, listening.endedBy, listening.lost]).toEqual([false, cause, cause]);
  });

  test("reports what is still refused when another thing is restored", async () => {
    const { listening, status } = await connected();
    const [a, b] = [new Error("of a"), new Error("of b")];
    listening.refused("a", a);
    listening.refused("b", b);
    listening.refused("a", a);
    listening.restored("b");
    listening.refused("b", b);
    listening.restored("b");
    expect(status.map((refused) => "address" in refused && refused.address)).toEqual(["a", "b", "a", "b", "a"]);
  });

  test("ends without a cause when it is closed", async () => {
    const { broker, listening } = await connected();
    const closing = listening.close();
    await broker.next("connection.close");
    broker.send(0, "connection.close-ok");
    await closing;
    expect([await listening.closed, listening.endedBy]).toEqual([undefined, undefined]);
    expect(listening.lost.message).toBe("raw:1: the connection was closed");
  });

  test("a pause resolves after kombu_reconnect_delay, and at the end of the connection", async () => {
    await (await connected()).listening.pause();
    const { broker, listening } = await connected({ pauseMs: 1_000_000 });
    const pauses = [listening.pause(), listening.pause()];
    broker.hangUp();
    await Promise.all(pauses);
    await listening.pause();
  });

  test("reports what is refused until all of it is restored", async () => {
    const { broker, listening, logger, status } = await connected();
    const error = new Error("NOT_FOUND");
    listening.refused("a", error);
    listening.refused("a", error);
    listening.refused("b", error);
    expect(listening.refusalOf("a")).toBe(error);
    expect(logger.of("warn")).toEqual(["no messages from queue a: NOT_FOUND", "no messages from queue b: NOT_FOUND"]);
    listening.restored("a");
    listening.restored("c");
    expect(listening.refusalOf("a")).toBe(undefined);
    expect(status.map(({ type }) => type)).toEqual(["refused", "refused", "refused"]);
    expect(status[2]).toEqual({ type: "refused", address: "b", error });
    listening.restored("b");
    expect(status[3]).toEqual({ type: "connected", host: "raw:1", product: "Raw" });
    listening.refused("a", error);
    broker.hangUp();
    await listening.closed;
    listening.refused("b", error);
    listening.restored("a");
    expect(status.length).toBe(5);
  });
});
