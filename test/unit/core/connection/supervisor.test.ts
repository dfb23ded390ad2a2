import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { StatusFeed } from "@/src/core/connection/status.js";
import {
  type ManagedConnection,
  type RetryPolicy,
  Supervisor,
  type SupervisorOptions,
} from "@/src/core/connection/supervisor.js";
import { Deadlines } from "@/src/core/deadlines.js";
import { Deferred } from "@/src/core/deferred.js";
import { AuthenticationError, ConnectionLost } from "@/src/core/errors.js";
import { retryPolicy } from "@/src/driver/amqp/retry-policy.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";

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

const RETRY_OPTIONS = {
  connectionRetryIntervalMs: 1_000,
  connectionRetryBackoff: 2,
  connectionRetryIntervalMaxMs: 30_000,
};

/** A supervisor whose connection is needed by default, as by a listener. */
function supervise(names: [string, ...string[]], options: Partial<SupervisorOptions<FakeHost, FakeConnection>> = {}) {
  const attempts: Attempt[] = [];
  const connections: FakeConnection[] = [];
  const status = new StatusFeed();
  const logger = new RecordingLogger();
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
    isNeeded: () => true,
    retry: retryPolicy(RETRY_OPTIONS),
    status,
    logger,
    random: HIGHEST,
    ...options,
  });
  onTestFinished(() => supervisor.close());
  const at = (index: number): Attempt => {
    const attempt = attempts.at(index);
    if (attempt === undefined) throw new Error(`there are ${attempts.length} attempts`);
    return attempt;
  };
  return { supervisor, attempts, connections, status, logger, at };
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
    const waiting = supervisor.connect(deadlines.start({ expired }), true);
    expect(status.present).toEqual({ type: "connecting", host: "a:1", attempt: 1 });
    const connection = new FakeConnection();
    at(0).result.resolve(connection);
    expect(await waiting).toBe(connection);
    expect(supervisor.live).toBe(connection);
    expect(status.present).toEqual({ type: "connected", host: "a:1", product: "fake" });
  });

  test("a supervisor makes one connection for all waiting callers", async () => {
    const { supervisor, attempts, connections, at } = supervise(["a:1"]);
    const waiting = [1, 2, 3].map(() => supervisor.connect(deadlines.start({ expired }), true));
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

  test.each([
    [0, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
    [4_999, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
    [5_000, [1_000, 1_000, 1_000]],
    [8_000, [1_000, 1_000, 1_000]],
  ])(
    "a supervisor whose connections last %d ms pauses for %j ms, and each first attempt after one is number 1",
    {
      tags: ["failover:stable"],
    },
    async (lifeMs, pauses) => {
      const { supervisor, status, at } = supervise(["a:1"]);
      supervisor.start();
      const lost = new Error("lost");
      for (const retryInMs of pauses) {
        expect(status.present).toEqual({ type: "connecting", host: "a:1", attempt: 1 });
        const connection = new FakeConnection();
        at(-1).result.resolve(connection);
        await vi.advanceTimersByTimeAsync(lifeMs);
        connection.end(lost);
        await settle();
        expect(status.present).toEqual({ type: "disconnected", host: "a:1", error: lost, retryInMs });
        await vi.advanceTimersByTimeAsync(retryInMs);
      }
    },
  );

  test("a connection resets the back-off only if it lasts as long as the present pause", {
    tags: ["failover:stable"],
  }, async () => {
    const { supervisor, status, at } = supervise(["a:1"]);
    supervisor.start();
    for (const pauseMs of [1_000, 2_000, 4_000]) {
      at(-1).result.reject(new Error("refused"));
      await vi.advanceTimersByTimeAsync(pauseMs);
    }
    const first = new FakeConnection();
    at(-1).result.resolve(first);
    await vi.advanceTimersByTimeAsync(7_999);
    first.end(new Error("lost"));
    await settle();
    expect(status.present).toMatchObject({ retryInMs: 8_000 });
    await vi.advanceTimersByTimeAsync(8_000);
    const second = new FakeConnection();
    at(-1).result.resolve(second);
    await vi.advanceTimersByTimeAsync(16_000);
    second.end(new Error("lost"));
    await settle();
    expect(status.present).toMatchObject({ retryInMs: 1_000 });
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
    const { supervisor, attempts, at } = supervise(["a:1"], {
      retry: retryPolicy({ ...RETRY_OPTIONS, connectionRetryBackoff: 0 }),
    });
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
    const waiting = supervisor.connect(deadlines.start({ expired }), true);
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
    const waiting = supervisor.connect(deadlines.start({ ms: 500, expired }), true);
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
    const waiting = supervisor.connect(deadlines.start({ expired }), true);
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
    void supervisor.connect(deadlines.start({ expired }), true).catch(() => {});
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

describe("a round of a supervisor", () => {
  const unneeded = (names: [string, ...string[]]) => supervise(names, { isNeeded: () => false, random: () => 0 });
  const round = (supervisor: Supervisor<FakeHost, FakeConnection>, signal?: AbortSignal) =>
    supervisor.connect(deadlines.start({ expired, signal }), false);
  const refused = new Error("refused");

  test("a round tries each host once, without pauses, and rejects with the last error", {
    tags: ["connect:round"],
  }, async () => {
    const { supervisor, attempts, status, at } = unneeded(["a:1", "b:1", "c:1"]);
    const failed = expect(round(supervisor)).rejects.toBe(refused);
    for (const error of [new Error("first"), new AuthenticationError("second"), refused]) {
      at(-1).result.reject(error);
      await settle();
    }
    await failed;
    expect(attempts.map(({ host }) => host)).toEqual(["a:1", "b:1", "c:1"]);
    expect(status.present).toEqual({ type: "disconnected", host: "c:1", error: refused, retryInMs: undefined });
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(attempts).toHaveLength(3);
  });

  test("a round resolves with the connection of the second host", { tags: ["connect:round"] }, async () => {
    const { supervisor, at } = unneeded(["a:1", "b:1"]);
    const connecting = round(supervisor);
    at(0).result.reject(refused);
    await settle();
    const connection = new FakeConnection();
    at(1).result.resolve(connection);
    expect(await connecting).toBe(connection);
    expect(await round(supervisor)).toBe(connection);
  });

  test("a round after a failed one begins with the next host, and the attempts are counted on", async () => {
    const { supervisor, status, at } = unneeded(["a:1", "b:1", "c:1"]);
    const failed = expect(round(supervisor)).rejects.toThrow("refused");
    for (let i = 0; i < 3; i++) {
      at(-1).result.reject(refused);
      await settle();
    }
    await failed;
    round(supervisor).catch(() => {});
    expect(status.present).toEqual({ type: "connecting", host: "a:1", attempt: 4 });
  });

  test("a round that begins during an attempt gets its connection, or tries every host after its failure", {
    tags: ["connect:round"],
  }, async () => {
    const { supervisor, attempts, at } = unneeded(["a:1", "b:1"]);
    const first = expect(round(supervisor)).rejects.toThrow("refused by b");
    const second = expect(round(supervisor)).rejects.toThrow("refused by a again");
    for (const message of ["refused by a", "refused by b", "refused by a again"]) {
      at(-1).result.reject(new Error(message));
      await settle();
    }
    await Promise.all([first, second]);
    expect(attempts.map(({ host }) => host)).toEqual(["a:1", "b:1", "a:1"]);

    const rounds = [round(supervisor), round(supervisor)];
    const connection = new FakeConnection();
    at(-1).result.resolve(connection);
    expect(await Promise.all(rounds)).toEqual([connection, connection]);
    expect(attempts).toHaveLength(4);
  });

  test("a round ends a pause, and its failure leaves the pause to a caller that still waits", {
    tags: ["connect:round"],
  }, async () => {
    const { supervisor, attempts, status, at } = unneeded(["a:1"]);
    const waiting = supervisor.connect(deadlines.start({ expired }), true);
    at(0).result.reject(refused);
    await settle();
    expect(status.present).toMatchObject({ type: "disconnected", retryInMs: 500 });
    const failed = expect(round(supervisor)).rejects.toBe(refused);
    await settle();
    expect(attempts).toHaveLength(2);
    at(1).result.reject(refused);
    await failed;
    expect(status.present).toMatchObject({ type: "disconnected", retryInMs: 1_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    const connection = new FakeConnection();
    at(2).result.resolve(connection);
    expect(await waiting).toBe(connection);
  });

  test("a cancelled round aborts its attempt once it is released, unless a caller waits for it", async () => {
    for (const isWaiting of [false, true]) {
      const { supervisor, status, at } = unneeded(["a:1"]);
      if (isWaiting) supervisor.connect(deadlines.start({ expired }), true).catch(() => {});
      const abort = new AbortController();
      const failed = expect(round(supervisor, abort.signal)).rejects.toThrow("enough");
      abort.abort(new Error("enough"));
      await failed;
      supervisor.release();
      await settle();
      expect(at(0).signal.aborted).toBe(!isWaiting);
      expect(status.present.type).toBe(isWaiting ? "connecting" : "disconnected");
    }
    expect(vi.getTimerCount()).toBe(1); // the attempt of the second
  });

  test("a round begins anew after an attempt that was given up at the same moment", async () => {
    const { supervisor, attempts, logger, at } = unneeded(["a:1"]);
    const abort = new AbortController();
    const failed = expect(round(supervisor, abort.signal)).rejects.toThrow("enough");
    abort.abort(new Error("enough"));
    await failed;
    supervisor.release();
    const connecting = round(supervisor);
    await settle();
    expect(attempts).toHaveLength(2);
    at(1).result.reject(refused);
    await expect(connecting).rejects.toBe(refused);
    expect(logger.of("warn")).toEqual(["not connected to a:1: refused"]);
  });

  test("a round is rejected when the supervisor is closed", async () => {
    const { supervisor } = unneeded(["a:1"]);
    const failed = expect(round(supervisor)).rejects.toThrow("the transport is closed");
    await supervisor.close();
    await failed;
    await expect(round(supervisor)).rejects.toThrow("the transport is closed");
  });
});

describe("a supervisor that pauses after each round of hosts", () => {
  const LINEAR: RetryPolicy = {
    pauseMs: (count) => 2_000 * count - 1_000,
    betweenHostsMs: () => 0,
  };
  const refused = new Error("refused");

  /** Fails the attempts of one round, and returns the hosts that were tried and the pause that follows. */
  async function failRound({ status, at }: ReturnType<typeof supervise>, size: number) {
    const hosts: string[] = [];
    for (let i = 0; i < size; i++) {
      expect(status.present.type).toBe("connecting");
      hosts.push(at(-1).host);
      at(-1).result.reject(refused);
      await settle();
    }
    const { present } = status;
    if (present.type !== "disconnected") throw new Error(present.type);
    return { hosts, pauseMs: present.retryInMs ?? 0 };
  }

  test("each host is tried once before a pause, and the pause grows after each round", {
    tags: ["failover:order"],
  }, async () => {
    const supervised = supervise(["a:1", "b:1", "c:1"], { retry: LINEAR, random: () => 0 });
    supervised.supervisor.start();
    for (const pauseMs of [1_000, 3_000, 5_000]) {
      expect(await failRound(supervised, 3)).toEqual({ hosts: ["a:1", "b:1", "c:1"], pauseMs });
      await vi.advanceTimersByTimeAsync(pauseMs - 1);
      expect(supervised.status.present.type).toBe("disconnected");
      await vi.advanceTimersByTimeAsync(1);
    }
  });

  test("after a lost connection the other hosts are tried at once, in turn", { tags: ["failover:order"] }, async () => {
    const supervised = supervise(["a:1", "b:1", "c:1"], { retry: LINEAR, random: () => 0 });
    supervised.supervisor.start();
    await failRound(supervised, 3);
    await vi.advanceTimersByTimeAsync(1_000);
    supervised.at(-1).result.reject(refused);
    await settle();
    const connection = new FakeConnection();
    supervised.at(-1).result.resolve(connection);
    await vi.advanceTimersByTimeAsync(60_000);
    connection.end(new Error("lost"));
    await settle();
    expect(await failRound(supervised, 2)).toEqual({ hosts: ["c:1", "a:1"], pauseMs: 1_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await failRound(supervised, 3)).toEqual({ hosts: ["b:1", "c:1", "a:1"], pauseMs: 3_000 });
  });

  test("hosts that close each connection at once are tried in rounds, with growing pauses", {
    tags: ["failover:stable"],
  }, async () => {
    const { supervisor, attempts, status, at } = supervise(["a:1", "b:1"], { retry: LINEAR });
    supervisor.start();
    for (const [index, retryInMs] of [1_000, 3_000, 5_000].entries()) {
      for (let i = 0; i < 2; i++) {
        const connection = new FakeConnection();
        at(-1).result.resolve(connection);
        await settle();
        connection.end(undefined);
        await settle();
      }
      expect(attempts).toHaveLength(2 * (index + 1));
      expect(status.present).toMatchObject({ type: "disconnected", retryInMs });
      await vi.advanceTimersByTimeAsync(retryInMs);
    }
  });

  test("a wake event begins a new round, with a short pause after it", { tags: ["failover:wake"] }, async () => {
    let wake = (): void => {};
    const onWake = (listener: () => void) => {
      wake = listener;
      return () => {};
    };
    const supervised = supervise(["a:1", "b:1"], { retry: LINEAR, random: () => 0, onWake });
    supervised.supervisor.start();
    await failRound(supervised, 2);
    await vi.advanceTimersByTimeAsync(1_000);
    await failRound(supervised, 2);
    wake();
    await settle();
    expect(await failRound(supervised, 2)).toEqual({ hosts: ["a:1", "b:1"], pauseMs: 1_000 });
  });

  test("a policy that orders the hosts is asked before each round, and not after a loss", {
    tags: ["failover:order"],
  }, async () => {
    const orders = ["acb", "cba", "bac"].map((order) => [...order]);
    const order = <H>(hosts: readonly H[]): readonly H[] =>
      (orders.shift() ?? []).flatMap((name) => hosts.find((host) => Object(host).name === name) ?? []);
    const supervised = supervise(["a", "b", "c"], { retry: { ...LINEAR, order }, random: () => 0 });
    supervised.supervisor.start();
    expect(await failRound(supervised, 3)).toMatchObject({ hosts: ["a", "c", "b"] });
    await vi.advanceTimersByTimeAsync(1_000);
    const connection = new FakeConnection();
    supervised.at(-1).result.resolve(connection);
    await vi.advanceTimersByTimeAsync(60_000);
    connection.end(new Error("lost"));
    await settle();
    expect(await failRound(supervised, 2)).toMatchObject({ hosts: ["b", "a"] });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await failRound(supervised, 3)).toMatchObject({ hosts: ["b", "a", "c"] });
  });

  test("a policy may pause between the hosts of a round", async () => {
    const retry = { ...LINEAR, betweenHostsMs: () => 200 };
    const { supervisor, status, at } = supervise(["a:1", "b:1"], { retry });
    supervisor.start();
    for (const retryInMs of [200, 1_000, 200, 3_000]) {
      at(-1).result.reject(refused);
      await settle();
      expect(status.present).toMatchObject({ type: "disconnected", retryInMs });
      await vi.advanceTimersByTimeAsync(retryInMs);
    }
  });

  test("the warning says that the next host is tried at once, or when the next round begins", {
    tags: ["connect:log"],
  }, async () => {
    const supervised = supervise(["a:1", "b:1"], { retry: LINEAR, random: () => 0 });
    supervised.supervisor.start();
    await failRound(supervised, 2);
    expect(supervised.logger.of("warn")).toEqual([
      "not connected to a:1: refused; next attempt at once",
      "not connected to b:1: refused; next attempt in 1 s",
    ]);
  });
});

describe("a supervisor whose connection is not needed", () => {
  const unneeded = () => supervise(["a:1"], { isNeeded: () => false });

  test("a supervisor stops when its last waiting caller has gone, and a later caller sits out the rest of the pause", {
    tags: ["connect:idle"],
  }, async () => {
    const { supervisor, attempts, status, at } = unneeded();
    const waiting = [500, 4_000].map((ms) => supervisor.connect(deadlines.start({ ms, expired }), true));
    const failed = Promise.all(waiting.map((promise) => expect(promise).rejects.toThrow("deadline expired")));
    const refused = new Error("refused");
    at(0).result.reject(refused);
    await vi.advanceTimersByTimeAsync(1_000);
    at(1).result.reject(refused);
    await vi.advanceTimersByTimeAsync(2_000);
    at(2).result.reject(refused);
    await settle();
    expect(status.present).toMatchObject({ type: "disconnected", retryInMs: 4_000 });
    await vi.advanceTimersByTimeAsync(1_008);
    await failed;
    expect(status.present).toEqual({ type: "disconnected", host: "a:1", error: refused, retryInMs: undefined });
    expect(vi.getTimerCount()).toBe(0);

    supervisor.connect(deadlines.start({ expired }), true).catch(() => {});
    expect(status.present).toMatchObject({ type: "disconnected", retryInMs: 2_992 });
    await vi.advanceTimersByTimeAsync(2_991);
    expect(attempts).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(attempts).toHaveLength(4);
  });

  test("an attempt goes on when its caller has gone: the next one gets its connection", async () => {
    const { supervisor, attempts, at } = unneeded();
    const failed = expect(supervisor.connect(deadlines.start({ ms: 100, expired }), true)).rejects.toThrow();
    await vi.advanceTimersByTimeAsync(200);
    await failed;
    const waiting = supervisor.connect(deadlines.start({ expired }), true);
    const connection = new FakeConnection();
    at(0).result.resolve(connection);
    expect(await waiting).toBe(connection);
    expect(attempts).toHaveLength(1);
  });

  test("a supervisor that was connected reconnects although nothing waits", { tags: ["connect:idle"] }, async () => {
    const { supervisor, attempts, at } = unneeded();
    const connecting = supervisor.connect(deadlines.start({ expired }), false);
    const connection = new FakeConnection();
    at(0).result.resolve(connection);
    await connecting;
    connection.end(new Error("lost"));
    await vi.advanceTimersByTimeAsync(1_000);
    at(1).result.reject(new Error("refused"));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(attempts).toHaveLength(3);
  });

  test("a connection that opens at the moment at which its attempt is given up is closed", async () => {
    let isNeeded = true;
    const { supervisor, connections, status, at } = supervise(["a:1"], { isNeeded: () => isNeeded });
    supervisor.start();
    const connection = new FakeConnection();
    at(0).result.resolve(connection);
    isNeeded = false;
    supervisor.release();
    await settle();
    expect(connection.isOpen).toBe(false);
    expect(connections).toEqual([]);
    expect(status.present).toMatchObject({ type: "disconnected", retryInMs: undefined });
  });

  test("a supervisor stops when a listener no longer needs a connection", async () => {
    let isNeeded = true;
    const { supervisor, status, at } = supervise(["a:1"], { isNeeded: () => isNeeded });
    supervisor.start();
    isNeeded = false;
    supervisor.release();
    await settle();
    expect(at(0).signal.aborted).toBe(true);
    expect(status.present).toMatchObject({ type: "disconnected", retryInMs: undefined });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the log of a supervisor", () => {
  test("each host's failure is a warning with its cause, a cure and the pause, repeated at most once a minute", {
    tags: ["connect:log"],
  }, async () => {
    const { supervisor, logger, at } = supervise(["a:1", "b:1"], { random: () => 0 });
    supervisor.start();
    const refused = new AuthenticationError("PLAIN failed");
    for (let i = 0; i < 2; i++) {
      at(-1).result.reject(new Error("cannot connect to a:1: connection refused"));
      await vi.advanceTimersByTimeAsync(15_000);
      at(-1).result.reject(refused);
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect(logger.of("warn")).toEqual([
      "not connected to a:1: cannot connect to a:1: connection refused (is the message bus running there?); next attempt in 0.5 s",
      "not connected to b:1: amqp:unauthorized-access: PLAIN failed (check the user and the password); next attempt in 1 s",
    ]);
    at(-1).result.reject(new Error("cannot connect to a:1: connection refused"));
    await settle();
    expect(logger.of("warn").slice(2)).toEqual([
      expect.stringMatching(/^not connected to a:1: .*\(1 more since the last/),
    ]);
  });

  test("another kind of failure at the same host is logged at once", async () => {
    const { supervisor, logger, at } = supervise(["a:1"]);
    supervisor.start();
    at(-1).result.reject(new Error("refused"));
    await vi.advanceTimersByTimeAsync(1_000);
    at(-1).result.reject(new AuthenticationError("PLAIN failed"));
    await settle();
    expect(logger.of("warn")).toHaveLength(2);
  });

  test("a first connection is not logged, and one that follows a failure or a loss is an info", {
    tags: ["connect:log"],
  }, async () => {
    const { supervisor, logger, at } = supervise(["a:1"]);
    supervisor.start();
    const connect = async (): Promise<FakeConnection> => {
      const connection = new FakeConnection();
      at(-1).result.resolve(connection);
      await settle();
      return connection;
    };
    const first = await connect();
    expect(logger.lines).toEqual([]);
    first.end(undefined);
    await vi.advanceTimersByTimeAsync(1_000);
    await connect();
    expect(logger.lines).toMatchObject([
      { level: "warn", message: "not connected to a:1: closed by the peer; next attempt in 1 s" },
      { level: "info", message: "connected to a:1", fields: { product: "fake" } },
    ]);
  });

  test("the loss of a connection that lasted is logged at once again", async () => {
    const { supervisor, logger, at } = supervise(["a:1"]);
    supervisor.start();
    for (const lifeMs of [10_000, 10_000, 100, 100]) {
      const connection = new FakeConnection();
      at(-1).result.resolve(connection);
      await vi.advanceTimersByTimeAsync(lifeMs);
      connection.end(new Error("lost"));
      await vi.advanceTimersByTimeAsync(2_000);
    }
    expect(logger.of("warn")).toHaveLength(2);
  });

  test("a failure after which nothing waits names no next attempt, and an attempt that is given up is not logged", async () => {
    const { supervisor, logger, at } = supervise(["a:1"], { isNeeded: () => false });
    const failed = expect(supervisor.connect(deadlines.start({ expired }), false)).rejects.toThrow("refused");
    at(0).result.reject(new Error("refused"));
    await failed;
    const abandoned = supervisor
      .connect(deadlines.start({ ms: 100, expired }), false)
      .catch(() => supervisor.release());
    await vi.advanceTimersByTimeAsync(200);
    await abandoned;
    expect(logger.of("warn")).toEqual(["not connected to a:1: refused"]);
  });
});

describe("closing a supervisor", () => {
  test("closing a supervisor rejects waiting callers, aborts the attempt and ends the status", async () => {
    const { supervisor, status, at } = supervise(["a:1"]);
    const waiting = supervisor.connect(deadlines.start({ expired }), true);
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
    await expect(supervisor.connect(deadlines.start({ expired }), true)).rejects.toThrow("the transport is closed");
  });
});
