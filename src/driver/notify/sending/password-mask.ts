import { isJsonObject } from "../../values/json.js";

const MASK = "***";

/** Words that mark a name as secret, anywhere in it (oslo_utils/strutils.py:56-67). */
const KEYS =
  `adminpass admin_pass password admin_password auth_token new_pass auth_password secret_uuid secret sys_pswd token
  configdrive chappassword encrypted_key private_key fernetkey sslkey passphrase cephclusterfsid octaviaheartbeatkey
  rabbitcookie cephmanilaclientkey pacemakerremoteauthkey designaterndckey cephadminkey heatauthencryptionkey
  cephclientkey keystonecredential barbicansimplecryptokek cephrgwkey swifthashsuffix migrationsshkey cephmdskey
  cephmonkey`.split(/\s+/);

/** Forms of secrets in a text, with KEY for the word, and their replacements (oslo_utils/strutils.py:78-92, in the same order). */
const FORMS: readonly (readonly [form: string, replacement: string])[] = [
  [String.raw`(KEY[0-9]*\s*=\s*["'])[^"']*(["'])`, `$1${MASK}$2`],
  [String.raw`(KEY[0-9]*\s*=\s*")[^"]*(")`, `$1${MASK}$2`],
  [String.raw`(KEY[0-9]*\s*=\s*')[^']*(')`, `$1${MASK}$2`],
  [String.raw`(KEY[0-9]*\s+["'])[^"']*(["'])`, `$1${MASK}$2`],
  [String.raw`(--KEY[0-9]*\s+)[^'^"^=^\s]+(\s*)`, `$1${MASK}$2`],
  ["(<KEY[0-9]*>)[^<]*(</KEY[0-9]*>)", `$1${MASK}$2`],
  [String.raw`(["']KEY[0-9]*["']\s*:\s*["'])[^"']*(["'])`, `$1${MASK}$2`],
  [String.raw`(['"][^"']*KEY[0-9]*['"]\s*:\s*u?['"])[^"']*(['"])`, `$1${MASK}$2`],
  [String.raw`(['"][^'"]*KEY[0-9]*['"]\s*,\s*'--?[A-z]+'\s*,\s*u?['"])[^"']*(['"])`, `$1${MASK}$2`],
  [String.raw`(KEY[0-9]*\s*--?[A-z]+\s*)\S+(\s*)`, `$1${MASK}$2`],
  [String.raw`(KEY[0-9]*\s*=\s*)[^\s^'^"]+`, `$1${MASK}`],
  [String.raw`(['"][^"']*KEY[0-9]*['"]\s*:\s*u?['"].*['"])[^"']*(['"])`, "$1"],
];

/**
 * A JSON value with its passwords masked: members with a secret name, and secrets within texts, as in `password='x'`
 * (oslo_utils.strutils.mask_dict_password). Unlike in oslo, arrays are searched too, and an object under a secret name is
 * masked as a whole.
 */
export function maskPasswords(value: unknown): unknown {
  if (typeof value === "string") return maskText(value);
  if (Array.isArray(value)) return value.map(maskPasswords);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, isSecret(name) ? MASK : maskPasswords(member)]),
  );
}

function isSecret(name: string): boolean {
  const lower = name.toLowerCase();
  return KEYS.some((key) => lower.includes(key));
}

function maskText(text: string): string {
  let masked = text;
  for (const key of KEYS) {
    if (!masked.toLowerCase().includes(key)) continue;
    for (const [form, replacement] of FORMS) {
      masked = masked.replace(new RegExp(form.replaceAll("KEY", key), "gisu"), replacement);
    }
  }
  return masked;
}
