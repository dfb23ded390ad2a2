/**
 * Returns the element with this id.
 *
 * @throws Error when index.html has no element of this type with this id.
 */
export function byId<E extends HTMLElement>(id: string, type: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`index.html has no ${type.name} with the id ${id}`);
}

/**
 * Returns the field with this name.
 *
 * @throws Error when the form has no field with this name.
 */
export function fieldOf(form: HTMLFormElement, name: string): HTMLInputElement | HTMLTextAreaElement {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) return field;
  throw new Error(`index.html has no field ${name} in the form ${form.id}`);
}

/** Creates an element. Strings among its children become text, never markup. */
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

/** Creates a word in a coloured frame: a priority, a log level or the outcome of a request. */
export function badge(word: string): HTMLElement {
  const made = element("span", "badge", word);
  made.dataset["word"] = word;
  return made;
}

/** Returns the trimmed text of the field with this name, or undefined when it is empty. */
export function typed(form: FormData, name: string): string | undefined {
  const value = form.get(name);
  return (typeof value === "string" && value.trim()) || undefined;
}

/** Creates an element with the time of day, to the millisecond. */
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

/** Formats a count with separators: 12,345. */
export function counted(count: number): string {
  return count.toLocaleString("en");
}
