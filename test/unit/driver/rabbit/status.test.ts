import { describe, expect, test } from "vitest";
import type { TransportStatus } from "@/src/core/connection/status.js";
import { StatusFeed } from "@/src/core/connection/status.js";
import { CombinedStatus } from "@/src/driver/rabbit/status.js";

/** The combined status, with every status that the transport had. */
function combine() {
  const feed = new StatusFeed();
  const history: TransportStatus[] = [];
  const status = new CombinedStatus({
    set(present) {
      history.push(present);
      feed.set(present);
    },
  });
  return { listening: status.listening, publishing: status.publishing, feed, history };
}

const error = new Error("refused");
const connecting = (attempt: number): TransportStatus => ({ type: "connecting", host: "a:1", attempt });
const connected = (host: string): TransportStatus => ({ type: "connected", host, product: "RabbitMQ" });
const failed = (host: string): TransportStatus => ({ type: "disconnected", host, error, retryInMs: 1_000 });
const stopped: TransportStatus = { type: "disconnected", host: "a:1", error, retryInMs: undefined };
const refused: TransportStatus = { type: "refused", address: "tasks", error };
const closed: TransportStatus = { type: "closed" };

describe("the status of a transport with a listening and a publishing connection", () => {
  test("the status is that of the only connection that is used", () => {
    const { publishing, history } = combine();
    const statuses = [connecting(1), failed("a:1"), connecting(2), connected("a:1")];
    for (const status of statuses) publishing.set(status);
    expect(history).toEqual(statuses);
  });

  test("the status is connected when both connections are", () => {
    const { listening, publishing, feed } = combine();
    listening.set(connecting(1));
    publishing.set(connecting(1));
    listening.set(connected("a:1"));
    expect(feed.present).toEqual(connecting(1));
    publishing.set(connected("b:1"));
    expect(feed.present).toEqual(connected("b:1"));
  });

  test.each(["listening", "publishing"] as const)("the failure of the %s connection shows until it is over", (name) => {
    const { listening, publishing, feed, [name]: failing } = combine();
    listening.set(connected("a:1"));
    publishing.set(connected("a:1"));
    for (const status of [failed("a:1"), connecting(1), failed("b:1")]) {
      failing.set(status);
      expect(feed.present).toBe(status);
    }
    failing.set(connected("c:1"));
    expect(feed.present).toEqual(connected("c:1"));
  });

  test("the status of one failing connection follows when the other one has recovered", () => {
    const { listening, publishing, feed } = combine();
    listening.set(failed("a:1"));
    publishing.set(failed("b:1"));
    expect(feed.present).toEqual(failed("b:1"));
    publishing.set(connecting(1));
    expect(feed.present).toEqual(failed("a:1"));
    publishing.set(connected("b:1"));
    expect(feed.present).toEqual(failed("a:1"));
    listening.set(connected("a:1"));
    expect(feed.present).toEqual(connected("a:1"));
  });

  test("a refused queue or exchange of either connection shows until it is restored", () => {
    for (const [name, other] of [
      ["listening", "publishing"],
      ["publishing", "listening"],
    ] as const) {
      const { feed, ...sinks } = combine();
      sinks[name].set(connected("a:1"));
      sinks[name].set(refused);
      sinks[other].set(connecting(1));
      sinks[other].set(connected("b:1"));
      expect(feed.present).toBe(refused);
      sinks[name].set(connected("a:1"));
      expect(feed.present.type).toBe("connected");
    }
  });

  test("a connection that failed and is no longer wanted leaves the status to the other one", () => {
    const { listening, publishing, feed } = combine();
    publishing.set(stopped);
    expect(feed.present).toBe(stopped);
    listening.set(connected("a:1"));
    expect(feed.present).toEqual(connected("a:1"));
    publishing.set(connecting(2));
    publishing.set(stopped);
    expect(feed.present).toEqual(connected("a:1"));
  });

  test("the status is closed when both connections are closed", () => {
    const { listening, publishing, feed } = combine();
    listening.set(connected("a:1"));
    publishing.set(connected("b:1"));
    listening.set(closed);
    expect(feed.present).toEqual(connected("b:1"));
    publishing.set(closed);
    expect(feed.present).toBe(closed);
  });

  test("the status is closed when one connection was never used", () => {
    const { listening, publishing, history } = combine();
    listening.set(connected("a:1"));
    listening.set(closed);
    publishing.set(closed);
    expect(history).toEqual([connected("a:1"), closed]);
  });

  test("the status does not change when a less urgent one changes", () => {
    const { listening, publishing, history } = combine();
    listening.set(failed("a:1"));
    publishing.set(connecting(1));
    publishing.set(connected("a:1"));
    expect(history).toEqual([failed("a:1")]);
  });
});
