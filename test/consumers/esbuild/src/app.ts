// Calls and listens at the URL in `?url=`, and reads an invalid configuration.
import {
  ConfigurationError,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcTransport,
} from "oslo-messaging";
import { parseConf } from "oslo-messaging/conf";

async function run(url: string, topic: string): Promise<void> {
  const info = (_context: object, _publisherId: string, eventType: string): void => show("notification", eventType);
  await getNotificationListener(getNotificationTransport(url, { logger: null }), [{ topic }], [{ info }]).start();
  const client = getRpcClient(getRpcTransport(url), { topic });
  show("answer", await client.call({}, "echo", { arg: "esbuild" }));
}

function refusal(url: string): string {
  try {
    parseConf(`[DEFAULT]\ntransport_url = ${url}\n[oslo_messaging_amqp]\nidle_timeout = soon\n`);
    return "none";
  } catch (error) {
    return error instanceof ConfigurationError ? error.key : "not a ConfigurationError";
  }
}

function show(id: string, value: unknown): void {
  const output = document.getElementById(id);
  if (output) output.textContent = String(value);
}

const query = new URLSearchParams(location.search);
const url = query.get("url") ?? "";
show("refusal", refusal(url));
run(url, query.get("topic") ?? "").catch((error) => show("answer", error));
