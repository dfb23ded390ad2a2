import type { Deadline } from "../../core/deadlines.js";
import type { ConnectOptions } from "../driver.js";
import type { Operations, SendingConnection } from "./operations.js";
import { type WaitContext, waitLimits } from "./wait-limits.js";

/** Connections of a driver, one after another, that can be asked for. */
type Connecting<C> = WaitContext["connections"] & {
  connect(deadline: Deadline, keepTrying: boolean): Promise<C>;
  release(): void;
};

/** Runs `use` with the present connection, or the next one. Rejects when each host has failed once, unless `keepTrying` is set. */
export async function whenConnected<C, T>(
  operations: Pick<Operations<SendingConnection>, "closed" | "wait">,
  connections: Connecting<C>,
  target: string,
  { keepTrying = false, ...limits }: ConnectOptions,
  use: (connection: C, deadline: Deadline) => Promise<T>,
): Promise<T> {
  const init = waitLimits({ operations, connections }, { operation: "connect", target, ...limits });
  try {
    return await operations.wait(init, async (deadline) =>
      use(await connections.connect(deadline, keepTrying), deadline),
    );
  } finally {
    connections.release();
  }
}
