/** Of a page that somebody may look at again; a worker has none. */
interface PageEvents extends EventTarget {
  readonly visibilityState: string;
}

interface WindowEvents extends Partial<EventTarget> {
  readonly document?: PageEvents | undefined;
}

/**
 * Calls `wake` when the network goes or comes, and when a page is back from where its timers stood still: frozen, in the
 * background, in the browser's history. Gives what ends that. In a worker only the network is told of, elsewhere nothing.
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
