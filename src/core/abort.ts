/** The callbacks for one signal, and the listener that calls them. */
interface Waiting {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls `callback` when the signal is aborted. All callbacks share one listener, because a caller may give one signal to many
 * calls, and Node warns of a leak when a signal has more than ten. It is removed with the last callback.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): void {
  if (signal === undefined) return;
  const waiting = waitingFor.get(signal) ?? listenTo(signal);
  waiting.callbacks.add(callback);
}

export function offAbort(signal: AbortSignal | undefined, callback: () => void): void {
  if (signal === undefined) return;
  const waiting = waitingFor.get(signal);
  if (waiting === undefined) return;
  waiting.callbacks.delete(callback);
  if (waiting.callbacks.size > 0) return;
  waitingFor.delete(signal);
  signal.removeEventListener("abort", waiting.listener);
}

function listenTo(signal: AbortSignal): Waiting {
  const callbacks = new Set<() => void>();
  const listener = (): void => {
    for (const callback of callbacks) callback();
  };
  const waiting = { callbacks, listener };
  waitingFor.set(signal, waiting);
  signal.addEventListener("abort", listener);
  return waiting;
}
