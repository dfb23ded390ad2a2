import { expect, test } from "vitest";
import { StatusFeed, type TransportStatus } from "@/src/core/connection/status.js";

const connecting: TransportStatus = { type: "connecting", host: "a:1", attempt: 1 };
const connected: TransportStatus = { type: "connected", host: "a:1", product: "p" };
const closed: TransportStatus = { type: "closed" };

async function collect(board: StatusFeed): Promise<TransportStatus[]> {
  const seen: TransportStatus[] = [];
  for await (const status of board.watch()) seen.push(status);
  return seen;
}

test("it begins idle", () => {
  expect(new StatusFeed().present).toEqual({ type: "idle" });
});

test("a watcher gets the present status first, then the changes, and ends after closed", async () => {
  const board = new StatusFeed();
  board.set(connecting);
  const watcher = board.watch();
  expect(await watcher.next()).toEqual({ done: false, value: connecting });
  const next = watcher.next();
  board.set(connected);
  expect(await next).toEqual({ done: false, value: connected });
  board.set(closed);
  expect(await watcher.next()).toEqual({ done: false, value: closed });
  expect(await watcher.next()).toEqual({ done: true, value: undefined });
});

test("a slow watcher gets the latest status, not every one", async () => {
  const board = new StatusFeed();
  const watcher = board.watch();
  expect((await watcher.next()).value).toEqual({ type: "idle" });
  board.set(connecting);
  board.set(connected);
  expect((await watcher.next()).value).toEqual(connected);
});

test("every watcher gets every status that it is there for", async () => {
  const board = new StatusFeed();
  const watchers = [collect(board), collect(board)];
  board.set(closed);
  for (const seen of await Promise.all(watchers)) expect(seen.at(-1)).toEqual(closed);
});

test("nothing comes after closed", async () => {
  const board = new StatusFeed();
  board.set(closed);
  board.set(connecting);
  expect(board.present).toEqual(closed);
  expect(await collect(board)).toEqual([closed]);
});
