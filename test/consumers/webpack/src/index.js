// Calls and listens at the URL in `?url=`. Loads the reader of configuration files on demand.
import {
  ConfigurationError,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcTransport,
} from "oslo-messaging";

const query = new URLSearchParams(location.search);
const url = query.get("url");
const topic = query.get("topic");

const transport = getRpcTransport(url);
const listener = getNotificationListener(
  getNotificationTransport(url, { logger: null }),
  [{ topic }],
  [{ info: (_context, _publisherId, eventType) => show("notification", eventType) }],
);
await listener.start();
show("answer", await getRpcClient(transport, { topic }).call({}, "echo", { arg: "webpack" }));

const { parseConf } = await import("oslo-messaging/conf");
try {
  parseConf(`[DEFAULT]\ntransport_url = ${url}\n[oslo_messaging_amqp]\nidle_timeout = soon\n`);
} catch (error) {
  show("refusal", error instanceof ConfigurationError ? error.key : "not a ConfigurationError");
}

function show(id, value) {
  document.getElementById(id).textContent = String(value);
}
