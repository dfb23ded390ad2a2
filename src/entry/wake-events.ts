/** The document of a page. A worker has none. */
interface PageEvents extends EventTarget {
  readonly visibilityState: string;
}

interface WindowEvents extends Partial<EventTarget> {
  readonly document?: PageEvents | undefined;
}

/**
 * Calls `wake` when the network is lost or returns, and when a page resumes after its timers stopped: frozen, in the background
 * or in the browser's history. Returns a function that unsubscribes. A worker has only the network's events; other runtimes
 * have none.
 */
export function onWake(wake: () => void, window: WindowEvents = globalThis): () => void {
  const { document } = window;
  const onVisible = (): void => {
    if (document?.visibilityState !== "hidden") wake();
  };
  const subscriptions = [
    { target: window, type: "online", listener: wake },
    { target: window, type: "offline", listener: wake },
    { target: window, type: "pageshow", listener: wake },
    { target: document, type: "resume", listener: wake },
    { target: document, type: "visibilitychange", listener: onVisible },
  ];
  for (const { target, type, listener } of subscriptions) target?.addEventListener?.(type, listener);
  return () => {
    for (const { target, type, listener } of subscriptions) target?.removeEventListener?.(type, listener);
  };
}
