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

/** The field of this name. @throws as `byId`. */
export function fieldOf(form: HTMLFormElement, name: string): HTMLInputElement | HTMLTextAreaElement {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) return field;
  throw new Error(`index.html has no field ${name} in the form ${form.id}`);
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

/** A word in a frame, coloured by what it says: a priority, or how a request went. */
export function badge(word: string): HTMLElement {
  const made = element("span", "badge", word);
  made.dataset["word"] = word;
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

/** As people write it: 12,345. */
export function counted(count: number): string {
  return count.toLocaleString("en");
}
