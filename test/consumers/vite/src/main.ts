// Runs a message bus in the page by the page's configuration, then calls and listens at the URL in `?url=`.
import {
  ConfigurationError,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcTransport,
} from "oslo-messaging";
import { parseConf } from "oslo-messaging/conf";
import { greetInPage } from "./demo-bus.js";

const { value: conf } = document.querySelector("textarea") ?? { value: "" };

show("greeting", await greetInPage(parseConf(conf).rpc));

const query = new URLSearchParams(location.search);
const url = query.get("url") ?? "";
const topic = query.get("topic") ?? "";

await getNotificationListener(
  getNotificationTransport(url, { logger: null }),
  [{ topic }],
  [{ info: (_context, _publisherId, eventType) => show("notification", eventType) }],
).start();
show("answer", await getRpcClient(getRpcTransport(url), { topic }).call({}, "echo", { arg: "Vite" }));

try {
  parseConf(conf.replace("idle_timeout = 10", "idle_timeout = soon"));
} catch (error) {
  show("refusal", error instanceof ConfigurationError ? error.key : "not a ConfigurationError");
}

function show(id: string, value: unknown): void {
  const output = document.getElementById(id);
  if (output) output.textContent = String(value);
}
