import { describe, expect, test } from "vitest";
import { type Conf, type ConfSources, parseConf } from "@/src/conf/conf.js";
import type { TransportOptions } from "@/src/driver/options/transport-options.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";

const URL = "amqp://u:s3cr3t@h/v";
const DEFAULT = `[DEFAULT]\ntransport_url = ${URL}\n`;
const amqp = (lines: string) => `${DEFAULT}[oslo_messaging_amqp]\n${lines}\n`;
const notifications = (lines: string) => `${DEFAULT}[oslo_messaging_notifications]\n${lines}\n`;

const PEM = "-----BEGIN CERTIFICATE-----\nx";
const KEY = "-----BEGIN PRIVATE KEY-----\ns3cr3t";

function reader(files: Readonly<Record<string, string>>): { readFile: (path: string) => string; read: string[] } {
  const read: string[] = [];
  const readFile = (path: string): string => {
    read.push(path);
    const content = files[path];
    if (content === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return content;
  };
  return { readFile, read };
}

async function errorOf(text: string, sources?: ConfSources): Promise<Error> {
  const error = await failureOf((async () => parseConf(text, sources))());
  expect(error.message).not.toContain("s3cr3t");
  return error;
}

describe("the configuration file of a service", () => {
  test("a file gives the arguments of the getters", { tags: ["options:file", "options:file:notifications"] }, () => {
    const file = `
# nova-compute
[DEFAULT]
transport_url = ${URL}
control_exchange = nova
rpc_response_timeout = 90
rpc_ping_enabled = true
executor_thread_pool_size = 16
debug = true
log_dir = /var/log/nova

[database]
connection = mysql+pymysql://nova:$ecret@db/nova

[oslo_messaging_amqp]
idle_timeout = 30
ws_path = /amqp
pre_settled = rpc-cast
pre_settled = notify

[oslo_messaging_notifications]
driver = messagingv2
driver = messaging
topics = notifications, ceilometer
retry = 2
transport_url = amqp://n/
`;
    const options: TransportOptions = {
      controlExchange: "nova",
      rpcResponseTimeoutMs: 90_000,
      amqp: { idleTimeoutMs: 30_000, preSettled: ["rpc-cast", "notify"] },
      webSocket: { path: "/amqp" },
    };
    expect(parseConf(file)).toEqual({
      rpc: { url: URL, options },
      server: { ping: true, concurrency: 16 },
      notifications: {
        url: "amqp://n/",
        options,
        drivers: ["messagingv2", "messaging"],
        topics: ["notifications", "ceilometer"],
        retry: 2,
      },
      warnings: [],
    } satisfies Conf);
  });

  test("a file with only a URL has oslo's defaults and sends no notifications", {
    tags: ["options:file:no-driver", "options:file:notifications"],
  }, () => {
    const { server, notifications } = parseConf(DEFAULT);
    expect(server).toEqual({ ping: false, concurrency: 64 });
    expect(notifications).toMatchObject({ url: URL, drivers: [], topics: ["notifications"], retry: -1 });
  });

  test("a URL may have several lines, as in Python", () => {
    expect(parseConf("[DEFAULT]\ntransport_url =\n  amqp://a:1,\n  b:2/\n").rpc.url).toBe("amqp://a:1,b:2/");
  });

  test("a file without URL throws an error that names transport_url, unless the caller gives a URL", async () => {
    for (const text of ["", "[oslo_messaging_amqp]\n", "[DEFAULT]\ntransport_url =\n"]) {
      expect(await errorOf(text)).toMatchObject({ name: "ConfigurationError", key: "[DEFAULT] transport_url" });
      expect(parseConf(text, { url: "amqp://mine/" }).rpc.url).toBe("amqp://mine/");
    }
  });

  test("the caller's URL overrides the file's, also for notifications", { tags: ["options:file:url"] }, () => {
    const conf = parseConf(notifications("transport_url = amqp://n/"), { url: "amqp://mine/" });
    expect([conf.rpc.url, conf.notifications.url]).toEqual(["amqp://mine/", "amqp://mine/"]);
  });

  test("[DEFAULT] may have the URL of another driver", () => {
    const conf = parseConf(
      "[DEFAULT]\ntransport_url=rabbit://r/\n[oslo_messaging_notifications]\ntransport_url=amqp://n/",
    );
    expect([conf.rpc.url, conf.notifications.url]).toEqual(["rabbit://r/", "amqp://n/"]);
  });
});

describe("addresses in the place of the file's", () => {
  const RABBIT = "rabbit://nova:s3cr3t@controller:5671/openstack?rabbit_retry_interval=2&rabbit_use_ssl=1";
  const FILE = `[DEFAULT]
transport_url = amqp://u:s3cr3t@router/v
[oslo_messaging_amqp]
idle_timeout = 5
ssl_ca_file = /etc/ca.pem
[oslo_messaging_notifications]
driver = messagingv2
transport_url = ${RABBIT}
[oslo_messaging_rabbit]
amqp_durable_queues = true
ssl = true
`;
  const WAYS = { rpcUrl: "amqp+ws://router.site:5673/", notificationUrl: "rabbit+wss://relay.site" };

  test("a page has the options of the file with WebSockets, their users, virtual hosts and query options", {
    tags: ["options:file:addresses"],
  }, () => {
    const { rpc, notifications, warnings } = parseConf(FILE, WAYS);
    expect(rpc).toEqual({
      url: "amqp+ws://u:s3cr3t@router.site:5673/v",
      options: { amqp: { idleTimeoutMs: 5_000 }, rabbit: { amqpDurableQueues: true } },
    });
    expect(notifications).toMatchObject({
      url: "rabbit+wss://nova:s3cr3t@relay.site/openstack?rabbit_retry_interval=2",
      options: { rabbit: { amqpDurableQueues: true } },
      drivers: ["messagingv2"],
    });
    expect(notifications.options.tls).toBeUndefined();
    expect(warnings).toEqual([
      "[oslo_messaging_amqp] ssl_ca_file is ignored: the scheme of rpcUrl decides about TLS",
      "[oslo_messaging_rabbit] ssl is ignored: the scheme of notificationUrl decides about TLS",
    ]);
  });

  test.each([
    ["rabbit+ws://h/", "rabbit+ws://u:s3cr3t@h/v?ws_path=%2Fa", "what it omits is the file's"],
    ["rabbit+ws://h,g:1", "rabbit+ws://u:s3cr3t@h,u:s3cr3t@g:1/v?ws_path=%2Fa", "each host has the user"],
    ["rabbit+ws:///", "rabbit+ws://u:s3cr3t@/v?ws_path=%2Fa", "localhost too"],
    ["rabbit+ws://me@h/", "rabbit+ws://me@h/v?ws_path=%2Fa", "a user without a password"],
    ["rabbit+ws://me:pw@h/%2F", "rabbit+ws://me:pw@h//?ws_path=%2Fa", "user and virtual host"],
    ["rabbit+ws://@h/", "rabbit+ws://@h/v?ws_path=%2Fa", "no user"],
    ["kombu://h/?ws_path=/b", "kombu://u:s3cr3t@h/v?ws_path=%2Fb", "a query option"],
    ["amqp+ws://h", "amqp+ws://h/", "nothing of another driver's URL"],
  ])("%j becomes %j: %s", { tags: ["options:file:addresses"] }, (given, url) => {
    const file = "[DEFAULT]\ntransport_url = rabbit://u:s3cr3t@a,x:y@b/v?ws_path=/a\n";
    const conf = parseConf(file, { rpcUrl: given });
    expect([conf.rpc.url, conf.notifications.url]).toEqual([url, url]);
    expect(parseConf(file, { notificationUrl: given }).notifications.url).toBe(url);
    expect(parseConf(file, { notificationUrl: given }).rpc.url).toBe("rabbit://u:s3cr3t@a,x:y@b/v?ws_path=/a");
  });

  test("a URL of the other driver has that driver's group", { tags: ["options:file:addresses"] }, () => {
    const conf = parseConf(FILE, { rpcUrl: "rabbit://r/", notificationUrl: "amqp+ws://n/" });
    expect(conf.rpc).toEqual({ url: "rabbit://r/", options: { rabbit: { amqpDurableQueues: true }, tls: {} } });
    expect(conf.notifications).toMatchObject({ url: "amqp+ws://n/", options: { amqp: { idleTimeoutMs: 5_000 } } });
  });

  test("rpcUrl also replaces the address of notifications when the file has none, and url is replaced as the file is", () => {
    const conf = parseConf(DEFAULT, { rpcUrl: "amqp+ws://r/" });
    expect([conf.rpc.url, conf.notifications.url]).toEqual(Array(2).fill("amqp+ws://u:s3cr3t@r/v"));
    const both = parseConf(DEFAULT, { url: "amqp://me@x/", rpcUrl: "amqp+ws://r/" });
    expect([both.rpc.url, both.notifications.url]).toEqual(["amqp+ws://me@r/", "amqp://me@x/"]);
    expect(parseConf("", { rpcUrl: "amqp+ws://r/" }).rpc.url).toBe("amqp+ws://r/");
    expect(parseConf(FILE, { rpcUrl: "amqp+ws://r/" }).notifications.url).toBe(RABBIT);
  });

  test.each([
    ["amqp://h/", "ssl_ca_file = ca.pem", "amqp://g/", { ca: PEM }],
    ["amqp+ws://h/", "ssl = true", "amqp+ws://g/", {}],
    ["amqp://h/", "ssl_ca_file = never-read", "amqp+ws://g/", undefined],
    ["amqp+ws://h/", "ssl = true", "amqp://g/", {}],
  ])("%s with %j in the file has in the place of its URL, %s, the TLS options %j", (url, lines, rpcUrl, tls) => {
    const text = `[DEFAULT]\ntransport_url=${url}\n[oslo_messaging_amqp]\n${lines}\n`;
    expect(parseConf(text, { rpcUrl, readFile: reader({ "ca.pem": PEM }).readFile }).rpc.options.tls).toEqual(tls);
  });

  test.each(["rpcUrl", "notificationUrl"])(
    "a malformed %s throws an error that names it",
    {
      tags: ["options:file:refused"],
    },
    async (key) => {
      for (const [url, reason] of [
        ["nowhere", "No scheme specified: nowhere"],
        ["", "No scheme specified: "],
        ["amqp+ws://u:s3cr3t@h:port/", "A port must be a number"],
        [5, "Wrong URL type: number"],
        [null, "Wrong URL type: object"],
      ]) {
        const error = await errorOf(DEFAULT, { [key]: url });
        expect(error).toMatchObject({ name: "ConfigurationError", key });
        expect(error.message).toContain(`${key}: ${reason}`);
      }
    },
  );

  test("an unknown source throws an error that names it", async () => {
    const sources = { notification_url: "amqp://h/" } as ConfSources;
    expect((await errorOf(DEFAULT, sources)).message).toBe(
      "the second argument has an unknown member notification_url, did you mean notificationUrl?",
    );
    expect((await errorOf(DEFAULT, "amqp://h/" as ConfSources)).message).toBe(
      "the second argument must be an object { url, rpcUrl, notificationUrl, readFile }, not a string",
    );
  });
});

describe("[NOTIFICATIONS] of the deployment guide", () => {
  test("[NOTIFICATIONS] is read, and [oslo_messaging_notifications] overrides it", {
    tags: ["options:file:notifications-group"],
  }, () => {
    const guide = "[NOTIFICATIONS]\ndriver = log\ntopics = a\ntransport_url = amqp://guide/\n";
    expect(parseConf(DEFAULT + guide).notifications).toMatchObject({
      url: "amqp://guide/",
      drivers: ["log"],
      topics: ["a"],
    });
    expect(parseConf(`${notifications("topics = b")}${guide}`).notifications).toMatchObject({
      drivers: ["log"],
      topics: ["b"],
    });
  });

  test("[NOTIFICATIONS] is not nova's [notifications]", () => {
    const conf = parseConf(`${DEFAULT}[notifications]\nnotify_on_state_change = vm_state\ndriver = log\n`);
    expect(conf).toMatchObject({ warnings: [], notifications: { drivers: [] } });
  });
});

test("[oslo_messaging_amqp] overrides [amqp1], even an invalid value there", {
  tags: ["options:file:old-group"],
}, () => {
  const conf = parseConf(`${amqp("idle_timeout = 5")}[amqp1]\nidle_timeout = soon\ntrace = true\n`);
  expect(conf.rpc.options.amqp).toEqual({ idleTimeoutMs: 5_000, trace: true });
});

describe("ignored options", () => {
  test("ignored options in messaging's groups are warned about, by group and key", {
    tags: ["options:file:unknown"],
  }, () => {
    const text = `${DEFAULT}nonsense = 1
[oslo_messaging_amqp]
idle_time = 1
amqp_durable_queues = true
[amqp1]
constructor = 1
[oslo_messaging_notifications]
driver = noop
topic = x
[NOTIFICATIONS]
level = x
[oslo_messaging_rabbit]
amqp_auto_delete = true
`;
    expect(parseConf(text).warnings).toEqual([
      "[oslo_messaging_amqp] idle_time is ignored: unknown option",
      "[oslo_messaging_amqp] amqp_durable_queues is ignored: only supported by rabbit://",
      "[amqp1] constructor is ignored: unknown option",
      "[oslo_messaging_notifications] topic is ignored: unknown option",
      "[NOTIFICATIONS] level is ignored: unknown option",
    ]);
  });
});

describe("an invalid file throws an error that names the place and shows no secret", () => {
  test.each([
    [amqp("idle_timeout = soon"), "[oslo_messaging_amqp] idle_timeout", "must be a whole number of seconds"],
    [`${DEFAULT}[amqp1]\nidle_timeout = -1`, "[amqp1] idle_timeout", "must be a whole number of seconds"],
    [amqp("idle_timeout ="), "[oslo_messaging_amqp] idle_timeout", "must be a whole number of seconds"],
    [amqp("pre_settled = rpc"), "[oslo_messaging_amqp] pre_settled", "must be one of rpc-call"],
    [amqp("addressing_mode = fast"), "[oslo_messaging_amqp] addressing_mode", "must be one of dynamic"],
    [`${DEFAULT}rpc_response_timeout = 0`, "[DEFAULT] rpc_response_timeout", "at least 1"],
    [`${DEFAULT}rpc_ping_enabled = ?`, "[DEFAULT] rpc_ping_enabled", "must be true or false"],
    [`${DEFAULT}executor_thread_pool_size = 0`, "[DEFAULT] executor_thread_pool_size", "a whole number from 1"],
    [`${DEFAULT}rpc_thread_pool_size = x`, "[DEFAULT] rpc_thread_pool_size", "a whole number from 1"],
    [notifications("driver = pigeon"), "[oslo_messaging_notifications] driver", "must be one of messaging"],
    [notifications("retry = -2"), "[oslo_messaging_notifications] retry", "a whole number from -1"],
    [`${DEFAULT}[NOTIFICATIONS]\nretry = x`, "[NOTIFICATIONS] retry", "a whole number from -1"],
    ["[DEFAULT]\ntransport_url = amqp://u:s3cr3t@h:port/", "[DEFAULT] transport_url", "A port must be"],
    [
      "[DEFAULT]\ntransport_url = amqp://u:a$s3cr3t@h/",
      "[DEFAULT] transport_url",
      'has a "$" before an unknown option',
    ],
    [notifications("transport_url = nowhere"), "[oslo_messaging_notifications] transport_url", "No scheme specified"],
    [amqp("broadcast_prefix = $broadcast_prefix"), "[oslo_messaging_amqp] broadcast_prefix", "refers to itself"],
    [amqp("ssl = sure"), "[oslo_messaging_amqp] ssl", "must be true or false"],
    [
      `[DEFAULT]\ntransport_url = amqps://h/\n[oslo_messaging_amqp]\nssl = no`,
      "[oslo_messaging_amqp] ssl",
      "contradicts",
    ],
    [amqp("ssl_ca_file = no.pem"), "[oslo_messaging_amqp] ssl_ca_file", "no.pem cannot be read: ENOENT"],
    [amqp("ssl_key_file = key.pem"), "[oslo_messaging_amqp] ssl_key_file", "requires a certificate"],
    [amqp("ssl_cert_file = ca.pem"), "[oslo_messaging_amqp] ssl_cert_file", "requires its private key"],
    [amqp("ssl_ca_file = text"), "[oslo_messaging_amqp] ssl_ca_file", "text is not a PEM document"],
    [
      notifications("driver = routing\nrouting_config = no.yaml"),
      "[oslo_messaging_notifications] routing_config",
      "no.yaml cannot be read: ENOENT",
    ],
    [
      notifications("driver = routing\nrouting_config = bad.yaml"),
      "[oslo_messaging_notifications] routing_config",
      "bad.yaml cannot be read:",
    ],
    [
      notifications("driver = routing\nrouting_config = list.yaml"),
      "[oslo_messaging_notifications] routing_config",
      "list.yaml must be a mapping of groups",
    ],
    [`${DEFAULT}what is s3cr3t`, "line 3", "has neither = nor :"],
    [`${DEFAULT}\n\n  s3cr3t`, "line 5", "starts with a space"],
    [`${DEFAULT}a =\n  b\n  c\n= s3cr3t`, "line 6", "has no key before its value"],
    ["a = b\n", "line 1", "must be after a [GROUP]"],
    ["[DEFAULT] # all\n", "line 1", "must be [GROUP] and nothing else"],
    ["[]\n", "line 1", "must be [GROUP] and nothing else"],
    [`${DEFAULT}a = \0`, "line 3", "contains a NUL character"],
  ])("the file %j throws a ConfigurationError", { tags: ["options:file:refused"] }, async (text, key, reason) => {
    const files = { "key.pem": KEY, "ca.pem": PEM, text: "s3cr3t", "bad.yaml": "a: [s3cr3t", "list.yaml": "- a" };
    const error = await errorOf(text, { readFile: reader(files).readFile });
    expect(error).toMatchObject({ name: "ConfigurationError", key });
    expect(error.message).toContain(`${key}: `);
    expect(error.message).toContain(reason);
  });

  test("a file that names other files throws in a runtime without files", async () => {
    expect((await errorOf(amqp("ssl_ca_file = ca.pem"))).message).toBe(
      "[oslo_messaging_amqp] ssl_ca_file: ca.pem cannot be read: this runtime has no files",
    );
    expect((await errorOf(notifications("driver = routing\nrouting_config = r.yaml"))).message).toBe(
      "[oslo_messaging_notifications] routing_config: r.yaml cannot be read: this runtime has no files",
    );
  });

  test("a malformed URL of the caller throws an InvalidTransportURL", async () => {
    expect(await errorOf(DEFAULT, { url: "nowhere" })).toMatchObject({ name: "InvalidTransportURL" });
  });
});

describe("TLS in a file", () => {
  const files = { "ca.pem": PEM, "both.pem": `${PEM}\n${KEY}` };

  test.each([
    ["amqp://h/", "trace = true", undefined],
    ["amqp://h/", "ssl = false", undefined],
    ["amqp://h/", "ssl = true", {}],
    ["amqp://h/", "ssl_ca_file = ca.pem", { ca: PEM }],
    ["amqp://h/", "ssl = false\nssl_ca_file = ca.pem", { ca: PEM }],
    ["amqp://h/", "ssl_ca_file =", undefined],
    ["amqp://h/", "ssl_verify_vhost = true", undefined],
    ["amqps://h/", "ssl_verify_vhost = true", { verifyVirtualHost: true }],
    ["amqp://h/?ssl=yes", "ssl_verify_vhost = true", { verifyVirtualHost: true }],
    ["amqp://h/?ssl=yes&idle_timeout=5", "ssl = no", {}],
    ["rabbit://h/?ssl=1", "ssl_ca_file = ca.pem", undefined],
    [
      "amqps://h/",
      "ssl_cert_file = both.pem\nssl_key_password = word",
      {
        cert: files["both.pem"],
        key: files["both.pem"],
        passphrase: "word",
      },
    ],
  ])("the TLS options of %s with %j in the file", (url, lines, tls) => {
    const conf = parseConf(`[DEFAULT]\ntransport_url=${url}\n[oslo_messaging_amqp]\n${lines}\n`, {
      readFile: reader(files).readFile,
    });
    expect(conf.rpc.options.tls).toEqual(tls);
    expect(conf.notifications.options.tls).toEqual(tls);
  });
});

describe("[oslo_messaging_rabbit]", () => {
  const rabbit = (lines: string, url = "rabbit://u:s3cr3t@h/v") =>
    `[DEFAULT]\ntransport_url = ${url}\n[oslo_messaging_rabbit]\n${lines}\n`;

  test.each(["rabbit", "kombu", "kombu+amqp", "rabbit+ws", "rabbit+wss"])(
    "%s:// has the options of [oslo_messaging_rabbit] and not those of [oslo_messaging_amqp]",
    { tags: ["options:file:rabbit"] },
    (scheme) => {
      const lines = "rabbit_quorum_queue = true\nkombu_reconnect_delay = 0.5\nws_path = /ws";
      const conf = parseConf(`${rabbit(lines, `${scheme}://h/`)}[oslo_messaging_amqp]\nidle_timeout = soon\n`);
      expect(conf.rpc.options).toStrictEqual({
        controlExchange: undefined,
        rpcResponseTimeoutMs: undefined,
        rabbit: { rabbitQuorumQueue: true, kombuReconnectDelayMs: 500 },
        webSocket: { path: "/ws" },
        tls: undefined,
      });
      expect(conf.warnings).toEqual([]);
    },
  );

  test("it applies to an amqp:// URL, whose peer may be RabbitMQ, without its TLS, its path and its warnings", () => {
    const lines =
      "rabbit_quorum_queue = true\nssl = true\nws_path = /rabbit\nnonsense = 1\nheartbeat_in_pthread = true";
    const conf = parseConf(rabbit(lines, "amqp://h/"));
    expect(conf.rpc.options).toEqual({ amqp: {}, rabbit: { rabbitQuorumQueue: true } });
    expect(conf.warnings).toEqual([]);
  });

  test("RPC and notifications on different brokers have the options of their drivers", () => {
    const conf = parseConf(`[DEFAULT]
transport_url = amqp://router/
[oslo_messaging_amqp]
idle_timeout = 5
ws_path = /amqp
ssl = true
nonsense = 1
[oslo_messaging_notifications]
transport_url = rabbit://broker/
[oslo_messaging_rabbit]
amqp_durable_queues = true
heartbeat_in_pthread = true
nonsense = 1
`);
    expect(conf.rpc.options).toMatchObject({ amqp: { idleTimeoutMs: 5_000 }, webSocket: { path: "/amqp" }, tls: {} });
    expect(conf.notifications.options).toEqual({ rabbit: { amqpDurableQueues: true } });
    expect(conf.warnings).toEqual([
      "[oslo_messaging_amqp] nonsense is ignored: unknown option",
      "[oslo_messaging_rabbit] nonsense is ignored: unknown option",
      "[oslo_messaging_rabbit] heartbeat_in_pthread is ignored: heartbeats need no thread",
    ]);
  });

  test("the caller's URL determines the group", () => {
    const text = rabbit("amqp_durable_queues = true");
    expect(parseConf(text, { url: "amqp://mine/" }).rpc.options).toEqual({
      amqp: {},
      rabbit: { amqpDurableQueues: true },
    });
    expect(parseConf(text, { url: "rabbit://mine/" }).rpc.options).toEqual({ rabbit: { amqpDurableQueues: true } });
  });

  test.each([
    ["kombu_reconnect_timeout = 5", { kombuMissingConsumerRetryTimeoutMs: 5_000 }],
    ["rabbit_quroum_max_memory_length = 5", { rabbitQuorumMaxMemoryLength: 5 }],
    ["rabbit_quroum_max_memory_length = five\nrabbit_quorum_max_memory_length = 6", { rabbitQuorumMaxMemoryLength: 6 }],
    ["[DEFAULT]\namqp_auto_delete = true", { amqpAutoDelete: true }],
    ["[DEFAULT]\nkombu_reconnect_delay = 2", { kombuReconnectDelayMs: 2_000 }],
    ["[DEFAULT]\nrabbit_login_method = plain", { rabbitLoginMethod: "PLAIN" }],
    ["[DEFAULT]\nrabbit_retry_backoff = 5", { rabbitRetryBackoffMs: 5_000 }],
    ["[DEFAULT]\nrabbit_ha_queues = true", { rabbitHaQueues: true }],
    ["rabbit_ha_queues = false\n[DEFAULT]\nrabbit_ha_queues = maybe", { rabbitHaQueues: false }],
    ["[DEFAULT]\namqp_durable_queues = true", {}],
  ] as const)("the older place %j has the options %j", { tags: ["options:file:rabbit"] }, (lines, options) => {
    const conf = parseConf(rabbit(lines));
    expect(conf.rpc.options.rabbit).toEqual(options);
    expect(conf.warnings).toEqual([]);
  });

  test("options of another driver, unknown ones and those without effect are warned about, by group and key", () => {
    const lines = `nonsense = 1
idle_timeout = 1
hostname = node1
kombu_ssl_version = TLSv1_2
ssl_enforce_fips_mode = false
ssl_enforce_hostname_verification = true
rabbit_stream_fanout = false
rabbit_hosts = h
[DEFAULT]
rpc_conn_pool_size = 10
`;
    expect(parseConf(rabbit(lines)).warnings).toEqual([
      "[oslo_messaging_rabbit] nonsense is ignored: unknown option",
      "[oslo_messaging_rabbit] idle_timeout is ignored: only supported by amqp://",
      "[oslo_messaging_rabbit] rabbit_hosts is ignored: unknown option",
      "[oslo_messaging_rabbit] kombu_ssl_version is ignored: the runtime chooses the versions of TLS",
      "[DEFAULT] rpc_conn_pool_size is ignored: one connection sends all messages",
      "[oslo_messaging_rabbit] hostname is ignored: the names of reply and fanout queues are random",
    ]);
  });

  test("a $name finds an option in its older place", () => {
    const conf = parseConf(
      rabbit("kombu_ssl_certfile = /etc/c\nhostname = $ssl_cert_file\nprocessname = $ssl_ca_file"),
    );
    expect(conf.warnings).toEqual([
      "[oslo_messaging_rabbit] hostname is ignored: the names of reply and fanout queues are random",
    ]);
  });

  test.each([
    ["rabbit_interval_max = soon", "[oslo_messaging_rabbit] rabbit_interval_max", "must be a whole number of seconds"],
    ["rabbit_stream_fanout = true", "[oslo_messaging_rabbit] rabbit_stream_fanout", "true is not supported"],
    [
      "ssl_enforce_hostname_verification = no",
      "[oslo_messaging_rabbit] ssl_enforce_hostname_verification",
      "false is not supported",
    ],
    ["kombu_compression = bz2", "[oslo_messaging_rabbit] kombu_compression", "must be one of gzip"],
    ["rabbit_use_ssl = sure", "[oslo_messaging_rabbit] rabbit_use_ssl", "must be true or false"],
    ["[DEFAULT]\nrabbit_retry_backoff = x", "[DEFAULT] rabbit_retry_backoff", "must be a whole number of seconds"],
    ["ssl = true\nssl_ca_file = no.pem", "[oslo_messaging_rabbit] ssl_ca_file", "no.pem cannot be read: ENOENT"],
  ])("the lines %j throw a ConfigurationError", { tags: ["options:file:refused"] }, async (lines, key, reason) => {
    const error = await errorOf(rabbit(lines), { readFile: reader({}).readFile });
    expect(error).toMatchObject({ name: "ConfigurationError", key });
    expect(error.message).toContain(`${key}: `);
    expect(error.message).toContain(reason);
  });

  const files = { "ca.pem": PEM, "both.pem": `${PEM}\n${KEY}` };

  test.each([
    ["rabbit://h/", "ssl = true", {}],
    ["rabbit://h/", "ssl_ca_file = never-read", undefined],
    ["rabbit://h/", "ssl = false\nssl_ca_file = never-read", undefined],
    ["rabbit://h/", "ssl = true\nssl_ca_file = ca.pem", { ca: PEM }],
    ["rabbit://h/", "rabbit_use_ssl = true\nkombu_ssl_ca_certs = ca.pem", { ca: PEM }],
    ["rabbit://h/?ssl=1", "ssl = false\nssl_ca_file = ca.pem", { ca: PEM }],
    ["rabbit://h/?rabbit_use_ssl=1", "ssl_ca_file = ca.pem", { ca: PEM }],
    ["rabbit://h/?ssl=0", "ssl = true\nssl_ca_file = never-read", undefined],
    ["rabbit+wss://h/", "ssl_ca_file = ca.pem", { ca: PEM }],
    [
      "rabbit://h/",
      "ssl = true\nkombu_ssl_certfile = both.pem\nkombu_ssl_keyfile = both.pem",
      { cert: files["both.pem"], key: files["both.pem"] },
    ],
  ])("the TLS options of %s with %j", (url, lines, tls) => {
    const { readFile } = reader(files);
    expect(parseConf(rabbit(lines, url), { readFile }).rpc.options.tls).toEqual(tls);
  });
});

describe("routing_config", () => {
  const yaml = `
group_1:
  messagingv2:
    accepted_events: ["compute.*"]
    accepted_priorities: [info, error]
  log:
`;

  test("routing_config is read as YAML when a driver is routing", { tags: ["notify:drivers:routing-file"] }, () => {
    const { readFile, read } = reader({ "r.yaml": yaml, empty: "" });
    const conf = (lines: string) => parseConf(notifications(lines), { readFile }).notifications.routing;
    expect(conf("driver = routing\nrouting_config = r.yaml")).toEqual({
      group_1: {
        messagingv2: { accepted_events: ["compute.*"], accepted_priorities: ["info", "error"] },
        log: null,
      },
    });
    expect(conf("driver = routing\nrouting_config = empty")).toEqual({});
    expect(conf("driver = routing\nrouting_config =")).toBeUndefined();
    expect(conf("driver = log\nrouting_config = never-read")).toBeUndefined();
    expect(read).toEqual(["r.yaml", "empty"]);
  });
});
