/** The public names of `./conf` that are the same in every runtime. */

export { type Conf, type ConfSources, parseConf, type TransportConf } from "../conf/conf.js";
export type { NotificationSection } from "../conf/notification-section.js";
export type { ReadFile } from "../driver/options/tls.js";
