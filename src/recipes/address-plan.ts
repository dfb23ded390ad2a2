import { ConfigurationError } from "../driver/exceptions.js";
import type { ResolvedOptions } from "../driver/options/options.js";
import { type AddressClass, addressClasses } from "../intermediary/addresses.js";

type Form = AddressClass["addressing"];

/** The options that shape the addresses of each form, under oslo's names. */
const SHAPED_BY: Readonly<Record<Form, (options: ResolvedOptions) => Readonly<Record<string, string>>>> = {
  legacy: ({ serverRequestPrefix, broadcastPrefix, groupRequestPrefix }) => ({
    server_request_prefix: serverRequestPrefix,
    broadcast_prefix: broadcastPrefix,
    group_request_prefix: groupRequestPrefix,
  }),
  routable: ({ rpcAddressPrefix, notifyAddressPrefix, multicastAddress, unicastAddress, anycastAddress }) => ({
    rpc_address_prefix: rpcAddressPrefix,
    notify_address_prefix: notifyAddressPrefix,
    multicast_address: multicastAddress,
    unicast_address: unicastAddress,
    anycast_address: anycastAddress,
  }),
};

/** Characters with a meaning in at least one of the configuration formats. */
const RESERVED = /[\s"'#*&<>{}=\\]/;

/**
 * The address classes that an intermediary must know, each prefix once: those of `addressing_mode`, or those of the
 * forms in `dynamic` when the mode is `dynamic` and the driver chooses by the product.
 *
 * @throws ConfigurationError if two classes cannot be told apart by their prefixes, or if a prefix is empty or has a
 * reserved character.
 */
export function addressPlan(options: ResolvedOptions, dynamic: readonly Form[]): readonly AddressClass[] {
  const { addressingMode } = options;
  const forms = addressingMode === "dynamic" ? dynamic : [addressingMode];
  for (const form of forms) checkWords(SHAPED_BY[form](options));
  const plan = new Map<string, AddressClass>();
  for (const addressClass of addressClasses(options)) {
    const { addressing, prefix, distribution } = addressClass;
    if (!forms.includes(addressing)) continue;
    const planned = plan.get(prefix) ?? addressClass;
    if ((planned.distribution === "multicast") !== (distribution === "multicast")) {
      const option = addressing === "legacy" ? "broadcast_prefix" : "multicast_address";
      throw new ConfigurationError(option, `"${prefix}" cannot be a prefix both for all servers and for one server`);
    }
    plan.set(prefix, planned);
  }
  return [...plan.values()];
}

function checkWords(words: Readonly<Record<string, string>>): void {
  for (const [option, word] of Object.entries(words)) {
    if (word === "") throw new ConfigurationError(option, "must not be empty: an intermediary needs a prefix");
    const [reserved] = RESERVED.exec(word) ?? [];
    if (reserved === undefined) continue;
    throw new ConfigurationError(option, `must not contain ${JSON.stringify(reserved)}, which a recipe cannot write`);
  }
}
