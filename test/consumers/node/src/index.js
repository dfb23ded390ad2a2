// Calls an RPC server at each URL, and prints the replies and the error of an invalid configuration.
import { ConfigurationError, getRpcClient, getRpcTransport } from "oslo-messaging";
import { parseConf } from "oslo-messaging/conf";

const [topic, ...urls] = process.argv.slice(2);

Promise.all(urls.map(answerAt)).then(
  (answers) => process.stdout.write(JSON.stringify({ answers, refusal: refusal() })),
  (error) => {
    process.stderr.write(`${error}\n`);
    process.exitCode = 1;
  },
);

async function answerAt(url) {
  const transport = getRpcTransport(url);
  const answer = await getRpcClient(transport, { topic }).call({}, "echo", { arg: new URL(url).protocol });
  await transport.close();
  return answer;
}

function refusal() {
  try {
    parseConf("[DEFAULT]\ntransport_url = amqp://h/\n[oslo_messaging_amqp]\nidle_timeout = soon\n");
  } catch (error) {
    return error instanceof ConfigurationError ? error.key : "not a ConfigurationError";
  }
}
