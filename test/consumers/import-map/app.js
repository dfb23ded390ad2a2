// Calls and listens at the URL in `?url=`.
import { getNotificationListener, getNotificationTransport, getRpcClient, getRpcTransport } from "oslo-messaging";

const query = new URLSearchParams(location.search);
const url = query.get("url");
const topic = query.get("topic");

const listener = getNotificationListener(
  getNotificationTransport(url, { logger: null }),
  [{ topic }],
  [{ info: (_context, _publisherId, eventType) => show("notification", eventType) }],
);
await listener.start();
show("answer", await getRpcClient(getRpcTransport(url), { topic }).call({}, "echo", { arg: "import map" }));

function show(id, value) {
  document.getElementById(id).textContent = String(value);
}
