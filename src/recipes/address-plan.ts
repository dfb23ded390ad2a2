import { ConfigurationError } from "../driver/exceptions.js";
import type { ResolvedOptions } from "../driver/options/options.js";
import { type AddressClass, addressClasses } from "../intermediary/addresses.js";

type Form = AddressClass["addressing"];

/** What shapes the addresses of each form, by oslo's names. */
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

/** Every form of configuration gives some of them a meaning. */
const UNFIT = /[\s"'#*&<>{}=\\]/;

/**
 * The kinds of addresses that an intermediary has to know, each once: those of `addressing_mode`, or of `dynamic` when
 * that leaves the choice to what the driver makes of the product.
 *
 * @throws ConfigurationError for prefixes by which the kinds cannot be told apart, or that no configuration can hold.
 */
export function addressPlan(options: ResolvedOptions, dynamic: readonly Form[]): readonly AddressClass[] {
  const { addressingMode } = options;
  const forms = addressingMode === "dynamic" ? dynamic : [addressingMode];
  for (const form of forms) checkWords(SHAPED_BY[form](options));
  const plan = new Map<string, AddressClass>();
  for (const wanted of addressClasses(options)) {
    if (!forms.includes(wanted.addressing)) continue;
    const known = plan.get(wanted.prefix) ?? wanted;
    if ((known.distribution === "multicast") !== (wanted.distribution === "multicast")) {
      const option = wanted.addressing === "legacy" ? "broadcast_prefix" : "multicast_address";
      throw new ConfigurationError(option, `"${wanted.prefix}" cannot be both for all servers and for one of them`);
    }
    plan.set(wanted.prefix, known);
  }
  return [...plan.values()];
}

function checkWords(words: Readonly<Record<string, string>>): void {
  for (const [option, word] of Object.entries(words)) {
    if (word === "") throw new ConfigurationError(option, "an intermediary cannot be configured for an empty prefix");
    const [unfit] = UNFIT.exec(word) ?? [];
    if (unfit === undefined) continue;
    throw new ConfigurationError(option, `no configuration can hold ${JSON.stringify(unfit)} in a prefix`);
  }
}
