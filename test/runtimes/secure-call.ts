import type { TransportOptions } from "oslo-messaging";
import type { Library } from "./scenario.js";

/** What a runtime is told before it calls by TLS: JSON. */
export interface SecureCall {
  readonly url: string;
  /** Where `ping` is answered. */
  readonly topic: string;
  /** What is trusted, and who calls, where that can be told in code. */
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string } | undefined;
}

/** The answer, or why there is no connection: JSON. */
export interface SecureOutcome {
  readonly answer?: string | undefined;
  readonly error?: string | undefined;
}

export async function secureCall(
  oslo: Library,
  { url, topic, tls }: SecureCall,
  options?: TransportOptions,
): Promise<SecureOutcome> {
  const transport = oslo.getRpcTransport(url, { ...options, tls });
  const call = oslo.getRpcClient(transport, { topic }).call({}, "ping");
  const answered = call.then((answer) => ({ answer: String(answer) }));
  const refused = async (): Promise<SecureOutcome> => {
    for await (const status of transport.status()) {
      if (status.type === "disconnected" && status.error !== undefined) return { error: status.error.message };
    }
    return { error: "closed without an error" };
  };
  try {
    return await Promise.race([answered, refused()]);
  } finally {
    answered.catch(() => {}); // it ends with the transport
    await transport.close();
  }
}
