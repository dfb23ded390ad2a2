import { expect, test, vi } from "vitest";
import { onWake } from "@/src/entry/wake-events.js";

/** A window with a page: the part of it that has the events. */
function page() {
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  return Object.assign(new EventTarget(), { document });
}

test("wake is called when the network is lost or returns, and when the page is shown again", {
  tags: ["failover:wake"],
}, () => {
  const window = page();
  const wake = vi.fn();
  onWake(wake, window);
  for (const type of ["online", "offline", "pageshow"]) window.dispatchEvent(new Event(type));
  for (const type of ["resume", "visibilitychange"]) window.document.dispatchEvent(new Event(type));
  expect(wake).toHaveBeenCalledTimes(5);
});

test("wake is not called when the page is hidden or frozen: its timers are about to stop", () => {
  const window = page();
  const wake = vi.fn();
  onWake(wake, window);
  window.document.visibilityState = "hidden";
  for (const type of ["visibilitychange", "freeze"]) window.document.dispatchEvent(new Event(type));
  expect(wake).not.toHaveBeenCalled();
});

test("wake is called by the network's events in a worker, which has no page", () => {
  const worker = new EventTarget();
  const wake = vi.fn();
  onWake(wake, worker);
  worker.dispatchEvent(new Event("online"));
  expect(wake).toHaveBeenCalledTimes(1);
});

test("a runtime without such events never calls wake", () => {
  onWake(vi.fn(), {})();
});

test("wake is not called after unsubscribing", () => {
  const window = page();
  const wake = vi.fn();
  const end = onWake(wake, window);
  end();
  for (const type of ["online", "offline", "pageshow"]) window.dispatchEvent(new Event(type));
  for (const type of ["resume", "visibilitychange"]) window.document.dispatchEvent(new Event(type));
  expect(wake).not.toHaveBeenCalled();
});
