import { ConfigurationError } from "../driver/exceptions.js";
import type { OptionType } from "../driver/options/option-types.js";
import type { Ini } from "./ini.js";
import { substituted } from "./substitution.js";

/** Places where an option may be set. The first place that has it is used. */
export type OptionNames = readonly OptionName[];
type OptionName = readonly [group: string, key: string];

export interface OptionFileInit {
  ini: Ini;
  /** Where else an option may be set: a `$name` is looked up there too. */
  otherPlaces: (group: string, key: string) => OptionNames;
  /** Value of a `$name` that the file does not set. Undefined: unknown option. */
  defaultText: (group: string, key: string) => string | undefined;
}

/** The options of a file, with each `$name` replaced by the value of that option. */
export class OptionFile {
  readonly #init: OptionFileInit;

  constructor(init: OptionFileInit) {
    this.#init = init;
  }

  keys(group: string): readonly string[] {
    return [...(this.#init.ini.get(group)?.keys() ?? [])];
  }

  /**
   * The last value of an option, parsed. Undefined when it is omitted.
   *
   * @throws ConfigurationError naming group and key.
   */
  value<T>(type: OptionType<T>, ...places: OptionNames): T | undefined {
    const text = this.texts(...places).at(-1);
    return text === undefined ? undefined : type.parse(this.label(...places), text);
  }

  /** All values of a repeatable key, in order, as text. */
  texts(...places: OptionNames): readonly string[] {
    const place = this.#first(places);
    return place === undefined ? [] : this.#texts(place, new Set());
  }

  /** `[group] key` of the place that is used, for messages. */
  label(...places: OptionNames): string {
    const [group = "", key = ""] = this.#first(places) ?? places[0] ?? [];
    return label(group, key);
  }

  #first(places: OptionNames): OptionName | undefined {
    return places.find(([group, key]) => this.#init.ini.get(group)?.has(key));
  }

  /** `within`: places whose lookup is in progress, to detect cycles. */
  #texts(place: OptionName, within: ReadonlySet<string>): readonly string[] {
    const [group, key] = place;
    const here = label(group, key);
    if (within.has(here)) throw new ConfigurationError(here, 'refers to itself through its "$"');
    const lookUp = (name: string): string => {
      const value = this.#named(name, group, new Set([...within, here]));
      if (value !== undefined) return value;
      // The name is not shown: it may be part of a password.
      throw new ConfigurationError(here, 'has a "$" before an unknown option: write "$$" for a "$"');
    };
    const raw = this.#init.ini.get(group)?.get(key) ?? [];
    return raw.map((text) => substituted(text, lookUp));
  }

  /** Looks up `group.key`, else a key of the same group, else one of DEFAULT (oslo_config/cfg.py:3231-3254). */
  #named(name: string, group: string, within: ReadonlySet<string>): string | undefined {
    const dot = name.indexOf(".");
    const place: OptionName = dot === -1 ? [group, name] : [name.slice(0, dot).toLowerCase(), name.slice(dot + 1)];
    return this.#known(place, within) ?? this.#known(["DEFAULT", name], within);
  }

  #known([group, key]: OptionName, within: ReadonlySet<string>): string | undefined {
    const { otherPlaces, defaultText } = this.#init;
    const place = this.#first([[group, key], ...otherPlaces(group, key)]);
    return place === undefined ? defaultText(group, key) : this.#texts(place, within).at(-1);
  }
}

export function label(group: string, key: string): string {
  return `[${group}] ${key}`;
}
