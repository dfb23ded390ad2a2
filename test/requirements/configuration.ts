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
    behaviour: "An option in the URL's query goes before the one in code, by the option's type.",
    source: "_drivers/common.py:481-550",
  },
  "options:url:unknown": {
    behaviour: "A URL's query that names another option than these and ws_path is refused, naming it.",
    source: "ours",
  },
  "options:runtime": {
    behaviour: "Where a runtime cannot honour an option of TLS that is an error, and of Cyrus SASL a warning.",
    source: "ours",
  },
  "options:file": {
    behaviour: "An oslo configuration file sets the options of its groups, as a service has it.",
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
  "options:file:unknown": {
    behaviour: "Unknown keys in the groups of messaging are warned about, unknown groups and [DEFAULT] are not.",
    source: "ours",
  },
  "options:file:refused": {
    behaviour: "What cannot be used in a file is refused by group and key, and shows no secret.",
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
    behaviour: "A URL that is given beside the file goes before the file's.",
    source: "ours",
  },
  "options:file:apart": {
    behaviour: "What reads files is in the subpath conf, of which the root has nothing.",
    source: "ours",
  },
} as const satisfies Requirements;
