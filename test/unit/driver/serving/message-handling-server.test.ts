import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { Deferred } from "@/src/core/deferred.js";
import type { IncomingMessage, OnIncoming } from "@/src/driver/driver.js";
import { MessagingServerError, TaskTimeout } from "@/src/driver/exceptions.js";
import { MessageHandlingServer } from "@/src/driver/serving/message-handling-server.js";
import { Target } from "@/src/driver/target.js";
import { FakeDriver } from "@/test/fixtures/fakes/fake-driver.js";

const TARGET = new Target({ topic: "t", server: "s" });
let driver: FakeDriver;
let handled: IncomingMessage[];
let work: Deferred;
beforeEach(() => {
  driver = new FakeDriver();
  handled = [];
  work = new Deferred();
});

function serverOf(concurrency?: number): MessageHandlingServer {
  return new MessageHandlingServer({
    name: "messages",
    listen: (on: OnIncoming, limits) => driver.listen(TARGET, on, limits),
    async handle(message: IncomingMessage) {
      handled.push(message);
      await work.promise;
      message.acknowledge();
    },
    concurrency,
    logger: driver.logger,
  });
}

/** Resolves with true if the promise settles in this turn of the event loop. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  const note = (): void => {
    done = true;
  };
  promise.then(note, note);
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

describe("start", () => {
  it("start resolves when the links are attached, for each of several calls", async () => {
    const attached = new Deferred();
    driver.attach = () => attached.promise;
    const server = serverOf();
    const starts = [server.start(), server.start()];
    expect(await settled(Promise.race(starts))).toBe(false);
    attached.resolve();
    await Promise.all([...starts, server.start()]);
    expect(driver.listeners).toHaveLength(1);
  });

  it("start rejects with the reason of its signal, and can be repeated", async () => {
    const listening = new Deferred();
    driver.attach = () => {
      listening.resolve();
      return new Promise(() => {});
    };
    const server = serverOf();
    const giveUp = new AbortController();
    const started = server.start({ signal: giveUp.signal });
    await listening.promise;
    giveUp.abort(new Error("enough"));
    await expect(started).rejects.toThrow("enough");
    await expect(server.start({ signal: giveUp.signal })).rejects.toThrow("enough");
    expect(driver.listeners).toHaveLength(1);
    driver.attach = async () => {};
    await server.start();
    expect(driver.listeners).toHaveLength(2);
  });

  it("start refuses an invalid option by name", async () => {
    const bad: unknown = { signal: new AbortController() };
    await expect(serverOf().start(bad as { signal: AbortSignal })).rejects.toMatchObject({ key: "signal" });
    expect(driver.listeners).toEqual([]);
  });

  it("start rejects with the error of the driver", async () => {
    driver.attach = () => Promise.reject(new Error("closed"));
    const server = serverOf();
    await expect(server.start()).rejects.toThrow("closed");
    await server.stop();
    await server.wait();
  });

  it("the signal of start does not affect attached links", async () => {
    const giveUp = new AbortController();
    const server = serverOf();
    await server.start({ signal: giveUp.signal });
    giveUp.abort();
    expect(driver.listener.options.signal?.aborted).toBe(false);
    await server.stop();
    expect(driver.listener.options.signal?.aborted).toBe(false);
  });

  it("start rejects when the server is stopped before it resolves", async () => {
    driver.attach = () => new Promise(() => {});
    const server = serverOf();
    const started = server.start();
    const [result] = await Promise.allSettled([started, server.stop(), server.wait()]);
    expect(result).toMatchObject({ status: "rejected", reason: expect.any(MessagingServerError) });
  });

  it("start after stop listens again, while earlier messages are still handled", async () => {
    const server = serverOf();
    await server.start();
    driver.listener.deliver({});
    await server.stop();
    await server.start();
    expect(driver.listeners).toHaveLength(2);
    await server.stop();
    const waited = server.wait();
    expect(await settled(waited)).toBe(false);
    work.resolve();
    await waited;
    expect(driver.listeners.map(({ events }) => events)).toEqual([
      ["stop", "close"],
      ["stop", "close"],
    ]);
  });
});

describe("a start that fails", () => {
  it("wait waits for earlier messages after a failed start", async () => {
    const server = serverOf();
    await server.start();
    driver.listener.deliver({});
    await server.stop();
    driver.attach = () => Promise.reject(new Error("closed"));
    await expect(server.start()).rejects.toThrow("closed");
    const waited = server.wait();
    expect(await settled(waited)).toBe(false);
    work.resolve();
    await waited;
  });
});

describe("stop and wait", () => {
  it("stop takes no new messages, and wait detaches the links after the last one", async () => {
    const server = serverOf(1);
    await server.start();
    const messages = [driver.listener.deliver({}), driver.listener.deliver({})];
    await server.stop();
    expect(driver.listener.events).toEqual(["stop"]);
    const waited = server.wait();
    expect(await settled(waited)).toBe(false);
    expect(driver.listener.events).toEqual(["stop"]);
    work.resolve();
    await waited;
    expect(messages.map(({ events }) => events)).toEqual([["acknowledge"], ["acknowledge"]]);
    expect(driver.listener.events).toEqual(["stop", "close"]);
  });

  it("stop and wait are idempotent, and resolve for a server that was not started or got no message", {
    tags: ["rpc:server:unused"],
  }, async () => {
    const server = serverOf();
    await server.stop();
    await server.wait();
    await server.start();
    await Promise.all([server.stop(), server.stop(), server.wait(), server.wait()]);
    await server.stop();
    await server.wait();
    expect(driver.listener.events).toEqual(["stop", "close"]);
  });

  it("wait waits for stop", async () => {
    const server = serverOf();
    await server.start();
    const waited = server.wait();
    expect(await settled(waited)).toBe(false);
    await server.stop();
    await waited;
  });

  it("messages that arrive until the credit is withdrawn are handled", async () => {
    work.resolve();
    const withdrawn = new Deferred();
    const server = serverOf();
    await server.start();
    driver.listener.withdraw = () => withdrawn.promise;
    const stopped = server.stop();
    const late = driver.listener.deliver({});
    withdrawn.resolve();
    await stopped;
    await server.wait();
    expect(late.events).toEqual(["acknowledge"]);
  });

  it("wait rejects after timeoutMs with the number of open messages, and can be repeated", async () => {
    const server = serverOf();
    await server.start();
    await expect(server.wait({ timeoutMs: 1 })).rejects.toThrow("after 1 ms the server is not stopped");
    driver.listener.deliver({});
    await server.stop();
    await expect(server.wait({ timeoutMs: 1 })).rejects.toThrow(TaskTimeout);
    await expect(server.wait({ timeoutMs: 1 })).rejects.toThrow("after 1 ms 1 messages are unfinished");
    work.resolve();
    await server.wait({ timeoutMs: 1e12 });
  });

  it.each([0, -1, Number.NaN, "5"])("wait refuses timeoutMs %s", async (timeoutMs) => {
    await expect(serverOf().wait({ timeoutMs: timeoutMs as number })).rejects.toMatchObject({ key: "timeoutMs" });
  });

  it("wait waits 5 s for replies without credit once no method runs", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const server = new MessageHandlingServer({
      name: "messages",
      listen: (on: OnIncoming, limits) => driver.listen(TARGET, on, limits),
      async handle(_message, free) {
        await work.promise;
        free();
        await new Promise(() => {}); // its reply gets no credit
      },
      concurrency: undefined,
      logger: driver.logger,
    });
    await server.start();
    driver.listener.deliver({});
    await server.stop();
    const waited = server.wait();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await settled(waited)).toBe(false);
    work.resolve();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(await settled(waited)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await waited;
    expect(driver.logger.of("warn")).toEqual([
      "stopping with 1 undelivered replies: their callers may have disconnected",
    ]);
    expect(driver.listener.events).toEqual(["stop", "close"]);
  });

  it("an error of a listener is logged, and wait still resolves", async () => {
    const server = serverOf();
    await server.start();
    driver.listener.withdraw = () => Promise.reject(new Error("broken"));
    await server.stop();
    await server.wait();
    expect(driver.logger.of("warn")).toEqual([expect.stringContaining("broken")]);
    expect(driver.listener.events).toEqual(["stop", "close"]);
  });

  it("disposing of a server stops it and waits", async () => {
    {
      await using server = serverOf();
      await server.start();
      expect(driver.listener.events).toEqual([]);
    }
    expect(driver.listener.events).toEqual(["stop", "close"]);
  });
});

describe("a message", () => {
  it("a message above the concurrency, 64 by default, waits unacknowledged for its turn", {
    tags: ["rpc:server:concurrency"],
  }, async () => {
    for (const [concurrency, slots] of [
      [undefined, 64],
      [3, 3],
    ] as const) {
      handled = [];
      work = new Deferred();
      const server = serverOf(concurrency);
      await server.start();
      const messages = Array.from({ length: slots + 5 }, () => driver.listener.deliver({}));
      expect(handled).toEqual(messages.slice(0, slots));
      expect(messages.flatMap(({ events }) => events)).toEqual([]);
      work.resolve();
      await Promise.all(messages.map((message) => message.settled));
      expect(handled).toEqual(messages);
    }
  });

  it("a message whose handler fails is logged and frees its slot", async () => {
    work.reject(new Error("broken"));
    const server = serverOf(1);
    await server.start();
    const messages = [driver.listener.deliver({}), driver.listener.deliver({})];
    await server.stop();
    await server.wait();
    expect(handled).toEqual(messages);
    expect(driver.logger.of("error")).toEqual([expect.stringContaining("broken"), expect.stringContaining("broken")]);
  });
});
