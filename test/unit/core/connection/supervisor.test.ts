import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { StatusFeed } from "@/src/core/connection/status.js";
import { type ManagedConnection, Supervisor, type SupervisorOptions } from "@/src/core/connection/supervisor.js";
import { Deadlines } from "@/src/core/deadlines.js";
import { Deferred } from "@/src/core/deferred.js";
import { AuthenticationError, ConnectionLost } from "@/src/core/errors.js";

class FakeConnection implements ManagedConnection {
  readonly product = "fake";
  readonly #over = new Deferred<Error | undefined>();
  readonly closed = this.#over.promise;
  isOpen = true;
  checks = 0;

  check(): void {
    this.checks++;
  }

  async close(): Promise<void> {
    this.end(undefined);
  }

  end(cause: Error | undefined): void {
    this.isOpen = false;
    this.#over.resolve(cause);
  }
}

interface FakeHost {
  readonly name: string;
}

/** One attempt to connect, for the test to settle. */
interface Attempt {
  host: string;
  signal: AbortSignal;
  result: Deferred<FakeConnection>;
}

/** The last host, and pauses of full length. */
const HIGHEST = (): number => 1 - 2 ** -53;

const RETRY = { intervalMs: 1_000, backoff: 2, maxMs: 30_000 };

function supervise(names: [string, ...string[]], options: Partial<SupervisorOptions<FakeHost, FakeConnection>> = {}) {
  const attempts: Attempt[] = [];
  const connections: FakeConnection[] = [];
  const status = new StatusFeed();
  const [first, ...others] = names.map((name) => ({ name }));
  if (first === undefined) throw new Error("no host");
  const supervisor = new Supervisor<FakeHost, FakeConnection>({
    hosts: [first, ...others],
    open: (host, signal) => {
      const result = new Deferred<FakeConnection>();
      signal.addEventListener("abort", () => result.reject(signal.reason));
      attempts.push({ host: host.name, signal, result });
      return result.promise;
    },
    whenConnected: (connection) => connections.push(connection),
    retry: RETRY,
    status,
    random: HIGHEST,
    ...options,
  });
  onTestFinished(() => supervisor.close());
  const at = (index: number): Attempt => {
    const attempt = attempts.at(index);
    if (attempt === undefined) throw new Error(`there are ${attempts.length} attempts`);
    return attempt;
  };
  return { supervisor, attempts, connections, status, at };
}

const deadlines = new Deadlines();
const expired = (): Error => new Error("deadline expired");

/** Runs enough turns for promises that depend on each other. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a supervisor", () => {
  test("a supervisor connects at the first use, not before", async () => {
    const { supervisor, attempts, status, at } = supervise(["a:1"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(attempts).toEqual([]);
    expect(status.present).toEqual({ type: "idle" });
    const waiting = supervisor.current(deadlines.start({ expired }));
    expect(status.present).toEqual({ type: "connecting", host: "a:1", attempt: 1 });
    const connection = new FakeConnection();
    at(0).result.resolve(connection);
    expect(await waiting).toBe(connection);
    expect(supervisor.live).toBe(connection);
    expect(status.present).toEqual({ type: "connected", host: "a:1", product: "fake" });
  });

  test("a supervisor makes one connection for all waiting callers", async () => {
    const { supervisor, attempts, connections, at } = supervise(["a:1"]);
    const waiting = [1, 2, 3].map(() => supervisor.current(deadlines.start({ expired })));
    const connection = new FakeConnection();
    at(0).result.resolve(connection);
    expect(await Promise.all(waiting)).toEqual([connection, connection, connection]);
    expect(attempts).toHaveLength(1);
    expect(connections).toEqual([connection]);
  });

  test("a supervisor begins with a random host and cycles through the others in order", {
    tags: ["failover:order"],
  }, async () => {
    const { supervisor, attempts, at } = supervise(["a:1", "b:1", "c:1"], { random: () => 0.5 });
    supervisor.start();
    for (let i = 0; i < 4; i++) {
      at(-1).result.reject(new Error("refused"));
      await vi.advanceTimersByTimeAsync(30_000);
    }
    expect(attempts.map(({ host }) => host)).toEqual(["b:1", "c:1", "a:1", "b:1", "c:1"]);
  });

  test("a supervisor connects to the next host after a lost connection", { tags: ["failover:order"] }, async () => {
    const { supervisor, attempts, at } = supervise(["a:1", "b:1"], { random: () => 0 });
    supervisor.start();
    const connection = new FakeConnection();
    at(0).result.resolve(connection);
    await settle();
    connection.end(new Error("lost"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(attempts.map(({ host }) => host)).toEqual(["a:1", "b:1"]);
  });

  test("a supervisor pauses 1 s after a failure, and twice as long after each further one, up to 30 s", {
    tags: ["failover:back-off"],
  }, async () => {
    const { supervisor, status, at } = supervise(["a:1"]);
    supervisor.start();
    const pauses: (number | undefined)[] = [];
    for (let i = 0; i < 7; i++) {
      at(-1).result.reject(new Error(`refused ${i}`));
      await settle();
      const { present } = status;
      if (present.type !== "disconnected") throw new Error(present.type);
      pauses.push(present.retryInMs);
      await vi.advanceTimersByTimeAsync((present.retryInMs ?? 0) - 1);
      expect(status.present).toBe(present);
      await vi.advanceTimersByTimeAsync(1);
      expect(status.present).toEqual({ type: "connecting", host: "a:1", attempt: i + 2 });
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  test("a supervisor pauses 1 s again after a connection", async () => {
    const { supervisor, status, at } = supervise(["a:1"]);
    supervisor.start();
    at(-1).result.reject(new Error("refused"));
    await vi.advanceTimersByTimeAsync(1_000);
    at(-1).result.reject(new Error("refused"));
    await vi.advanceTimersByTimeAsync(2_000);
    const connection = new FakeConnection();
    at(-1).result.resolve(connection);
    await settle();
    const lost = new Error("lost");
    connection.end(lost);
    await settle();
    expect(status.present).toEqual({ type: "disconnected", host: "a:1", error: lost, retryInMs: 1_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(status.present).toEqual({ type: "connecting", host: "a:1", attempt: 1 });
  });

  test("a supervisor chooses half of each pause at random, and its status has the length", {
    tags: ["failover:jitter"],
  }, async () => {
    const chosen = [0, 0, 0.5, 0.25];
    const { supervisor, status, at } = supervise(["a:1"], { random: () => chosen.shift() ?? 0 });
    supervisor.start();
    for (const retryInMs of [500, 1_500, 2_500]) {
      at(-1).result.reject(new Error("refused"));
      await settle();
      expect(status.present).toMatchObject({ type: "disconnected", retryInMs });
      await vi.advanceTimersByTimeAsync(retryInMs - 1);
      expect(status.present.type).toBe("disconnected");
      await vi.advanceTimersByTimeAsync(1);
      expect(status.present.type).toBe("connecting");
    }
  });

  test("a supervisor treats a back-off below 1 as 1", { tags: ["failover:back-off"] }, async () => {
    const { supervisor, attempts, at } = supervise(["a:1"], { retry: { ...RETRY, backoff: 0 } });
    supervisor.start();
    for (let i = 0; i < 3; i++) {
      at(-1).result.reject(new Error("refused"));
      await vi.advanceTimersByTimeAsync(999);
      expect(attempts).toHaveLength(i + 1);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(attempts).toHaveLength(4);
  });

  test("a supervisor retries refused credentials, and reports them in its status and lastError", {
    tags: ["auth:bad"],
  }, async () => {
    const { supervisor, status, at } = supervise(["a:1"]);
    const waiting = supervisor.current(deadlines.start({ expired }));
    const refused = new AuthenticationError("PLAIN failed");
    at(0).result.reject(refused);
    await settle();
    expect(status.present).toEqual({ type: "disconnected", host: "a:1", error: refused, retryInMs: 1_000 });
    expect(supervisor.lastError).toBe(refused);
    await vi.advanceTimersByTimeAsync(1_000);
    const connection = new FakeConnection();
    at(1).result.resolve(connection);
    expect(await waiting).toBe(connection);
    expect(supervisor.lastError).toBeUndefined();
  });

  test("a supervisor aborts an attempt after 30 s", async () => {
    const { supervisor, status, at } = supervise(["a:1"]);
    supervisor.start();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(at(0).signal.aborted).toBe(true);
    expect(status.present).toMatchObject({ error: new ConnectionLost("no connection to a:1 within 30000 ms") });
  });

  test("a waiting caller is rejected at its deadline, and the supervisor continues to connect", async () => {
    const { supervisor, attempts, at } = supervise(["a:1"]);
    const waiting = supervisor.current(deadlines.start({ ms: 500, expired }));
    const failed = expect(waiting).rejects.toThrow("deadline expired");
    at(0).result.reject(new Error("refused"));
    await vi.advanceTimersByTimeAsync(1_000);
    await failed;
    expect(attempts).toHaveLength(2);
  });

  test("a lost connection is not live before it is closed, and a caller gets the next one", async () => {
    const { supervisor, at } = supervise(["a:1"]);
    supervisor.start();
    const first = new FakeConnection();
    at(0).result.resolve(first);
    await settle();
    first.isOpen = false; // `closed` comes later
    expect(supervisor.live).toBeUndefined();
    const waiting = supervisor.current(deadlines.start({ expired }));
    first.end(new Error("lost"));
    await vi.advanceTimersByTimeAsync(1_000);
    const second = new FakeConnection();
    at(1).result.resolve(second);
    expect(await waiting).toBe(second);
  });

  test("a supervisor never has two connections at a time", async () => {
    const { supervisor, attempts, at } = supervise(["a:1"]);
    supervisor.start();
    const connection = new FakeConnection();
    at(0).result.resolve(connection);
    await settle();
    connection.isOpen = false;
    void supervisor.current(deadlines.start({ expired })).catch(() => {});
    await vi.advanceTimersByTimeAsync(60_000);
    expect(attempts).toHaveLength(1);
  });
});

describe("a supervisor that is woken", () => {
  function woken() {
    let wake: (() => void) | undefined;
    const onWake = (listener: () => void) => {
      wake = listener;
      return () => {
        wake = undefined;
      };
    };
    return { ...supervise(["a:1"], { onWake }), wake: () => wake?.(), isSubscribed: () => wake !== undefined };
  }

  test("a wake event ends the pause at once, and the next pause is short again", {
    tags: ["failover:wake"],
  }, async () => {
    const { supervisor, attempts, status, at, wake } = woken();
    supervisor.start();
    for (const pauseMs of [1_000, 2_000, 4_000]) {
      at(-1).result.reject(new Error("refused"));
      await vi.advanceTimersByTimeAsync(pauseMs);
    }
    at(-1).result.reject(new Error("refused"));
    await settle();
    expect(status.present).toMatchObject({ type: "disconnected", retryInMs: 8_000 });
    wake();
    await settle();
    expect(status.present).toMatchObject({ type: "connecting", attempt: 5 });
    at(-1).result.reject(new Error("still no network"));
    await settle();
    expect(status.present).toMatchObject({ type: "disconnected", retryInMs: 1_000 });
    expect(attempts).toHaveLength(5);
  });

  test("a wake event does not abort an attempt, and the pause after it is short", async () => {
    const { supervisor, attempts, status, at, wake } = woken();
    supervisor.start();
    at(0).result.reject(new Error("refused"));
    await vi.advanceTimersByTimeAsync(1_000);
    wake();
    expect(at(1).signal.aborted).toBe(false);
    at(1).result.reject(new Error("begun without a network"));
    await settle();
    expect(status.present).toMatchObject({ type: "disconnected", retryInMs: 1_000 });
    expect(attempts).toHaveLength(2);
  });

  test("a wake event checks the present connection", { tags: ["failover:wake"] }, async () => {
    const { supervisor, attempts, at, wake } = woken();
    supervisor.start();
    const connection = new FakeConnection();
    at(0).result.resolve(connection);
    await settle();
    wake();
    expect(connection.checks).toBe(1);
    expect(attempts).toHaveLength(1);
  });

  test("a supervisor listens for wake events from its start to its close", async () => {
    const { supervisor, isSubscribed } = woken();
    expect(isSubscribed()).toBe(false);
    supervisor.start();
    expect(isSubscribed()).toBe(true);
    await supervisor.close();
    expect(isSubscribed()).toBe(false);
  });
});

describe("closing a supervisor", () => {
  test("closing a supervisor rejects waiting callers, aborts the attempt and ends the status", async () => {
    const { supervisor, status, at } = supervise(["a:1"]);
    const waiting = supervisor.current(deadlines.start({ expired }));
    const failed = expect(waiting).rejects.toThrow("the transport is closed");
    await supervisor.close();
    await failed;
    expect(at(0).signal.aborted).toBe(true);
    expect(status.present).toEqual({ type: "closed" });
  });

  test("closing a supervisor ends a pause", async () => {
    const { supervisor, attempts, at } = supervise(["a:1"]);
    supervisor.start();
    at(0).result.reject(new Error("refused"));
    await settle();
    await supervisor.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(attempts).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("closing a supervisor closes its connection", async () => {
    const { supervisor, status, at } = supervise(["a:1"]);
    supervisor.start();
    const connection = new FakeConnection();
    at(0).result.resolve(connection);
    await settle();
    await supervisor.close();
    expect(connection.isOpen).toBe(false);
    expect(supervisor.live).toBeUndefined();
    expect(status.present).toEqual({ type: "closed" });
  });

  test("closing a supervisor closes a connection that opens at the same moment", async () => {
    const { supervisor, connections, at } = supervise(["a:1"]);
    supervisor.start();
    const connection = new FakeConnection();
    at(0).result.resolve(connection);
    await supervisor.close();
    expect(connection.isOpen).toBe(false);
    expect(connections).toEqual([]);
  });

  test("a supervisor can be closed twice, and before its start", async () => {
    const { supervisor, attempts, status } = supervise(["a:1"]);
    await Promise.all([supervisor.close(), supervisor.close()]);
    supervisor.start();
    expect(attempts).toEqual([]);
    expect(status.present).toEqual({ type: "closed" });
    await expect(supervisor.current(deadlines.start({ expired }))).rejects.toThrow("the transport is closed");
  });
});
