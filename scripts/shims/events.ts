type Listener = (...args: unknown[]) => void;

const LISTENERS = Symbol("listeners");

/**
 * The part of Node's EventEmitter that rhea and its control plane use. rhea's objects inherit from its prototype without
 * calling its constructor, so the map is created on first use.
 */
export class EventEmitter {
  declare [LISTENERS]: Map<string, Listener[]>;

  on(name: string, listener: Listener): this {
    if (!Object.hasOwn(this, LISTENERS)) this[LISTENERS] = new Map();
    this[LISTENERS].set(name, [...this.listeners(name), listener]);
    return this;
  }

  listeners(name: string): readonly Listener[] {
    return Object.hasOwn(this, LISTENERS) ? (this[LISTENERS].get(name) ?? []) : [];
  }

  emit(name: string, ...args: unknown[]): boolean {
    const listeners = this.listeners(name);
    if (listeners.length === 0 && name === "error") throw args[0];
    for (const listener of listeners) listener.apply(this, args);
    return listeners.length > 0;
  }
}
