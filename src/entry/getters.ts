import type { TransportOptions } from "../driver/options/transport-options.js";
import type { TransportURL } from "../driver/options/transport-url.js";
import type { Runtime } from "../driver/runtime.js";
import { NotificationTransport, RPCTransport } from "../driver/transport.js";

interface TransportGetters {
  getRpcTransport: (url: string | TransportURL, options?: TransportOptions) => RPCTransport;
  getNotificationTransport: (url: string | TransportURL, options?: TransportOptions) => NotificationTransport;
}

/** Makes the getters of transports for a runtime. Node's entry documents both; its types are published for all runtimes. */
export function gettersFor(runtime: Runtime): TransportGetters {
  return {
    getRpcTransport: (url, options = {}) => new RPCTransport(runtime, url, options),
    getNotificationTransport: (url, options = {}) => new NotificationTransport(runtime, url, options),
  };
}
