/**
 * The element with this id.
 *
 * @throws when there is none of this kind: index.html and the scripts have parted.
 */
export function byId<E extends HTMLElement>(id: string, type: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`index.html has no ${type.name} with the id ${id}`);
}

/** A new element. Texts among its children stay texts, whatever they hold. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.append(...children);
  return made;
}

/** What was typed into the field of this name, without spaces around it; undefined when that is nothing. */
export function typed(form: FormData, name: string): string | undefined {
  const value = form.get(name);
  return (typeof value === "string" && value.trim()) || undefined;
}

/** The time of day, to milliseconds. */
export function clock(date: Date): HTMLTimeElement {
  const time = element(
    "time",
    "quiet",
    date.toTimeString().slice(0, 8),
    `.${String(date.getMilliseconds()).padStart(3, "0")}`,
  );
  time.dateTime = date.toISOString();
  return time;
}
