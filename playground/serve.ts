import { toError } from "../src/core/errors.js";
import { DemoBackend } from "./demo-backend.js";
import { pageFiles } from "./page-files.js";
import { servePage } from "./page-server.js";
import { PythonEndpoint } from "./python-endpoint.js";
import { walkThrough } from "./walk-through.js";

const USAGE = `Usage: npm start [-- --once]

Serve a web page that shows RPC and notifications over AMQP, with its own AMQP 1.0 router, on this machine only.
  --once  run the main scenario without a browser, then exit
`;

process.exitCode = await run(process.argv.slice(2));

/** Resolves with the exit status. */
async function run(args: readonly string[]): Promise<number> {
  if (args.some((arg) => arg !== "--once")) {
    process.stderr.write(USAGE);
    return 64;
  }
  try {
    await using backend = await DemoBackend.start(warn);
    if (args.length > 0) await walkThrough(backend.webSocketUrl, print);
    else await serve(backend);
    return 0;
  } catch (error) {
    process.stderr.write(`The playground failed: ${toError(error).message}\n`);
    return 1;
  }
}

/** Serves the page until Ctrl-C. */
async function serve({ webSocketUrl, tcpUrl }: DemoBackend): Promise<void> {
  const interrupted = interruption();
  const page = await servePage(await pageFiles({ webSocketUrl, tcpUrl }));
  try {
    print(welcome(`http://127.0.0.1:${page.port}/`, tcpUrl, webSocketUrl));
    await using _python = new PythonEndpoint(tcpUrl, (line) => print(`\n${line}`));
    await interrupted;
  } finally {
    await page.close();
  }
}

function interruption(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}

function welcome(page: string, tcpUrl: string, webSocketUrl: string): string {
  return `
The playground is at    ${page}
AMQP 1.0 over WebSocket ${webSocketUrl}
AMQP 1.0 over TCP       ${tcpUrl}

In the page, press Call. From another terminal, try:
  npx oslo-messaging call --url ${tcpUrl} --topic demo echo '{"arg": "hello"}'
  npx oslo-messaging call --url ${tcpUrl} --topic demo --server node-2 whoami
  npx oslo-messaging cast --url ${tcpUrl} --topic demo --fanout note '{"arg": "to all servers"}'
  npx oslo-messaging serve --url ${tcpUrl} --topic demo --server mine
And while the page is open:
  npx oslo-messaging call --url ${tcpUrl} --topic browser echo '{"arg": "hello, page"}'
  npx oslo-messaging notify --url ${tcpUrl} --publisher-id me --event-type greeting --priority warn '{"text": "hi"}'

For RabbitMQ, start a relay before it, choose "Another URL" in the page, and type rabbit+ws://127.0.0.1:15673/
  npx oslo-messaging relay --listen 127.0.0.1:15673 --to 127.0.0.1:5672

Press Ctrl-C to stop.`;
}

/** Prints only the first line: the stack of a method that fails on purpose would look like a defect. */
function warn(text: string): void {
  process.stderr.write(`(backend) ${text.replace(/\n.*/s, "")}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
