// Responds with the reply of an RPC server and the error of an invalid configuration.
import { ConfigurationError, getRpcClient, getRpcTransport } from "oslo-messaging";
import { parseConf } from "oslo-messaging/conf";

export default {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    const transport = getRpcTransport(searchParams.get("url"));
    const client = getRpcClient(transport, { topic: searchParams.get("topic") });
    const answer = await client.call({}, "echo", { arg: "worker" });
    await transport.close();
    return Response.json({ answer, refusal: refusal() });
  },
};

function refusal() {
  try {
    parseConf("[DEFAULT]\ntransport_url = amqp+ws://h/\n[oslo_messaging_amqp]\nidle_timeout = soon\n");
  } catch (error) {
    return error instanceof ConfigurationError ? error.key : "not a ConfigurationError";
  }
}
