import { expect, test } from "vitest";
import { StatusFeed, type TransportStatus } from "@/src/core/connection/status.js";

const connecting: TransportStatus = { type: "connecting", host: "a:1", attempt: 1 };
const connected: TransportStatus = { type: "connected", host: "a:1", product: "p" };
const closed: TransportStatus = { type: "closed" };

async function collect(feed: StatusFeed): Promise<TransportStatus[]> {
  const seen: TransportStatus[] = [];
  for await (const status of feed.watch()) seen.push(status);
  return seen;
}

test("a status feed begins idle", () => {
  expect(new StatusFeed().present).toEqual({ type: "idle" });
});

test("a status watcher gets the present status first, then the changes, and ends after closed", async () => {
  const feed = new StatusFeed();
  feed.set(connecting);
  const watcher = feed.watch();
  expect(await watcher.next()).toEqual({ done: false, value: connecting });
  const next = watcher.next();
  feed.set(connected);
  expect(await next).toEqual({ done: false, value: connected });
  feed.set(closed);
  expect(await watcher.next()).toEqual({ done: false, value: closed });
  expect(await watcher.next()).toEqual({ done: true, value: undefined });
});

test("a slow status watcher gets only the latest status", async () => {
  const feed = new StatusFeed();
  const watcher = feed.watch();
  expect((await watcher.next()).value).toEqual({ type: "idle" });
  feed.set(connecting);
  feed.set(connected);
  expect((await watcher.next()).value).toEqual(connected);
});

test("every status watcher gets the final status", async () => {
  const feed = new StatusFeed();
  const watchers = [collect(feed), collect(feed)];
  feed.set(closed);
  for (const seen of await Promise.all(watchers)) expect(seen.at(-1)).toEqual(closed);
});

test("a status feed stays closed, and its watchers get only closed", async () => {
  const feed = new StatusFeed();
  feed.set(closed);
  feed.set(connecting);
  expect(feed.present).toEqual(closed);
  expect(await collect(feed)).toEqual([closed]);
});
