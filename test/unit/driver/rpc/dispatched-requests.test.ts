import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DispatchedRequests } from "@/src/driver/rpc/dispatched-requests.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("dispatched requests", () => {
  it("the newest 10,000 requests are remembered", { tags: ["rpc:server:repeat"] }, () => {
    const requests = new DispatchedRequests();
    for (let id = 0; id < 10_000; id++) expect(requests.add(`${id}`)).toBe(true);
    for (const id of ["0", "5000", "9999"]) expect(requests.add(id)).toBe(false);
    expect(requests.add("10000")).toBe(true);
    expect(["1", "10000", "0"].map((id) => requests.add(id))).toEqual([false, false, true]);
  });

  it("a request is remembered for 10 minutes", { tags: ["rpc:server:repeat"] }, () => {
    const requests = new DispatchedRequests();
    expect(requests.add("a")).toBe(true);
    vi.advanceTimersByTime(600_000 - 1);
    expect(requests.add("a")).toBe(false);
    vi.advanceTimersByTime(1);
    expect(requests.add("a")).toBe(true);
    expect(requests.add("a")).toBe(false);
  });

  it("a request whose identity has more than 2,048 characters is not remembered", () => {
    const requests = new DispatchedRequests();
    const identities = ["x".repeat(2_048), "x".repeat(2_049)];
    expect(identities.map((identity) => requests.add(identity))).toEqual([true, true]);
    expect(identities.map((identity) => requests.add(identity))).toEqual([false, true]);
  });
});
