import type { Requirements } from "./requirement.js";

/** Options: in code, in the URL, in an oslo configuration file. */
export const CONFIGURATION = {
  "options:table": {
    behaviour: "The 38 options of [oslo_messaging_amqp] have their names, types, defaults and minima, from one table.",
    source: "_drivers/amqp1_driver/opts.py:18-270",
  },
  "options:code": {
    behaviour: "In code an option has a camelCase name, milliseconds and PEM texts; any other name is refused.",
    source: "ours",
  },
  "options:help": {
    behaviour: "Each option tells an editor, and the README, what it means.",
    source: "ours",
  },
  "options:url": {
    behaviour: "An option in the URL's query is read by its type, and overrides the one in code.",
    source: "_drivers/common.py:481-550",
  },
  "options:url:unknown": {
    behaviour: "A URL's query that names another option than these and ws_path is refused, naming it.",
    source: "ours",
  },
  "options:rabbit": {
    behaviour:
      "Each option of [oslo_messaging_rabbit] has its name, type, default and limits, or is ignored with a warning, or refused.",
    source: "_drivers/impl_rabbit.py:61-243",
  },
  "options:runtime": {
    behaviour: "A TLS option that the runtime cannot honour is an error, an option of Cyrus SASL a warning.",
    source: "ours",
  },
  "options:file": {
    behaviour: "An oslo configuration file of a service sets the options of its groups.",
    source: "_drivers/amqp1_driver/opts.py:18-270",
  },
  "options:file:syntax": {
    behaviour: "A file is read as oslo.config reads it, comments, continued lines, repeated keys and $option.",
    source: "ours",
  },
  "options:file:old-group": {
    behaviour: "The group [amqp1] is read too, after [oslo_messaging_amqp].",
    source: "_drivers/amqp1_driver/opts.py:18-270",
  },
  "options:file:rabbit": {
    behaviour: "With a URL of rabbit:// a file's [oslo_messaging_rabbit] is read, former names and places included.",
    source: "_drivers/impl_rabbit.py:61-243",
  },
  "options:file:unknown": {
    behaviour: "Unknown keys in the groups of messaging are warned about, unknown groups and [DEFAULT] are not.",
    source: "ours",
  },
  "options:file:refused": {
    behaviour: "A value that cannot be used is refused by group and key; the error shows no secret.",
    source: "ours",
  },
  "options:file:notifications": {
    behaviour:
      "Topics, drivers, retry and URL of notifications are those of their group, without URL the one of [DEFAULT].",
    source: "notify/notifier.py:31-58",
  },
  "options:file:notifications-group": {
    behaviour: "The group [oslo_messaging_notifications] goes before the deployment guide's [NOTIFICATIONS].",
    source: "ours",
  },
  "options:file:no-driver": {
    behaviour: "A file that names no notify driver sends no notification.",
    source: "notify/notifier.py:31-58",
  },
  "options:file:url": {
    behaviour: "A URL beside the file overrides the file's.",
    source: "ours",
  },
  "options:file:addresses": {
    behaviour: "Addresses beside the file replace the ones of RPC and of notifications, and keep all else.",
    source: "ours",
  },
  "options:file:apart": {
    behaviour: "The subpath conf reads files; the root contains nothing of it.",
    source: "ours",
  },
} as const satisfies Requirements;
