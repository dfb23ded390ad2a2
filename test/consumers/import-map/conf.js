// Reads an invalid configuration.
import { ConfigurationError } from "oslo-messaging";
import { parseConf } from "oslo-messaging/conf";

try {
  parseConf("[DEFAULT]\ntransport_url = amqp+ws://h/\n[oslo_messaging_amqp]\nidle_timeout = soon\n");
} catch (error) {
  const refusal = error instanceof ConfigurationError ? error.key : "not a ConfigurationError";
  document.getElementById("refusal").textContent = refusal;
}
