import { ConfigurationError } from "../driver/exceptions.js";
import type { OptionType } from "../driver/options/option-types.js";
import type { Ini } from "./ini.js";
import { substituted } from "./substitution.js";

/** Where an option may be. The first place that has it counts. */
export type OptionNames = readonly OptionName[];
type OptionName = readonly [group: string, key: string];

export interface OptionFileInit {
  ini: Ini;
  /** The other name of a group: a `$name` finds what is there too. */
  former: ReadonlyMap<string, string>;
  /** What a `$name` stands for that no line gives. Undefined: there is no such option. */
  defaultText: (group: string, key: string) => string | undefined;
}

/** The options of a file, with other options' values in the place of their `$name`. */
export class OptionFile {
  readonly #init: OptionFileInit;

  constructor(init: OptionFileInit) {
    this.#init = init;
  }

  keys(group: string): readonly string[] {
    return [...(this.#init.ini.get(group)?.keys() ?? [])];
  }

  /** The last value, of its type. Undefined: nothing is given. @throws ConfigurationError naming group and key. */
  value<T>(type: OptionType<T>, ...places: OptionNames): T | undefined {
    const text = this.texts(...places).at(-1);
    return text === undefined ? undefined : type.parse(this.label(...places), text);
  }

  /** Every value of a key that may be repeated, in order, as text. */
  texts(...places: OptionNames): readonly string[] {
    const place = this.#first(places);
    return place === undefined ? [] : this.#texts(place, new Set());
  }

  /** The place that counts, for people. */
  label(...places: OptionNames): string {
    const [group = "", key = ""] = this.#first(places) ?? places[0] ?? [];
    return label(group, key);
  }

  #first(places: OptionNames): OptionName | undefined {
    return places.find(([group, key]) => this.#init.ini.get(group)?.has(key));
  }

  /** `within`: the places that are being looked up already. */
  #texts(place: OptionName, within: ReadonlySet<string>): readonly string[] {
    const [group, key] = place;
    const here = label(group, key);
    if (within.has(here)) throw new ConfigurationError(here, 'leads back to itself by way of its "$"');
    const lookUp = (name: string): string => {
      const value = this.#named(name, group, new Set([...within, here]));
      if (value !== undefined) return value;
      // Not which: in a password it is no name, but a part of it.
      throw new ConfigurationError(here, 'has a "$" before what is no option of this file; "$$" stands for a "$"');
    };
    const raw = this.#init.ini.get(group)?.get(key) ?? [];
    return raw.map((text) => substituted(text, lookUp));
  }

  /** `group.key`, or a key of the same group, or else one of DEFAULT (oslo_config/cfg.py:3231-3254). */
  #named(name: string, group: string, within: ReadonlySet<string>): string | undefined {
    const dot = name.indexOf(".");
    const place: OptionName = dot === -1 ? [group, name] : [name.slice(0, dot).toLowerCase(), name.slice(dot + 1)];
    return this.#known(place, within) ?? this.#known(["DEFAULT", name], within);
  }

  #known([group, key]: OptionName, within: ReadonlySet<string>): string | undefined {
    const { former, defaultText } = this.#init;
    const place = this.#first([group, former.get(group) ?? group].map((name) => [name, key]));
    return place === undefined ? defaultText(group, key) : this.#texts(place, within).at(-1);
  }
}

export function label(group: string, key: string): string {
  return `[${group}] ${key}`;
}
