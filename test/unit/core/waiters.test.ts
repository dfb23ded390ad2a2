import { expect, it } from "vitest";
import { Deadlines } from "@/src/core/deadlines.js";
import { Waiters } from "@/src/core/waiters.js";

const expired = (): Error => new Error("time is up");

it("resolve and reject settle all current waiters once; later waiters wait for the next event", async () => {
  const waiters = new Waiters<number>();
  const wait = () => waiters.wait("connecting", new Deadlines().start({ expired }));
  const [first, second] = [wait(), wait()];
  waiters.resolve(1);
  const later = wait();
  waiters.resolve(2);
  expect(await Promise.all([first, second, later])).toEqual([1, 1, 2]);
  const refused = wait();
  waiters.reject(new Error("never"));
  await expect(refused).rejects.toThrow("never");
});

it("a waiter that gives up rejects with the reason, and the others keep waiting", async () => {
  const waiters = new Waiters<number>();
  const deadlines = new Deadlines();
  const giveUp = new AbortController();
  const impatient = waiters.wait("credit", deadlines.start({ signal: giveUp.signal, expired }));
  const patient = waiters.wait("credit", deadlines.start({ expired }));
  giveUp.abort(new Error("enough"));
  await expect(impatient).rejects.toThrow("enough");
  await expect(
    waiters.wait("credit", deadlines.start({ signal: AbortSignal.abort(new Error("before")), expired })),
  ).rejects.toThrow("before");
  waiters.resolve(1);
  expect(await patient).toBe(1);
});
