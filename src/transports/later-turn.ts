/** After what is waiting in the event loop. setTimeout alone would wait 1 to 4 ms, and a minute in a hidden tab. */
export function inLaterTurn(run: () => void): void {
  if (typeof setImmediate === "function") {
    setImmediate(run);
  } else if (typeof MessageChannel === "function") {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      run();
    };
    port2.postMessage(undefined);
  } else {
    // Workers with an old compatibility date have neither.
    setTimeout(run);
  }
}
