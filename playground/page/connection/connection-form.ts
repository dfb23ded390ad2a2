import type { TransportURL } from "oslo-messaging";
import { byId, fieldOf, typed } from "../parts/elements.js";
import type { BusLocation } from "../view.js";
import { busUrl, loginIn } from "./bus-url.js";

/** Names of the form fields of one URL. */
interface UrlFields {
  url: string;
  user: string;
  password: string;
}

const FIELDS: UrlFields = { url: "url", user: "user", password: "password" };
const NOTIFICATIONS_FIELDS: UrlFields = {
  url: "notificationsUrl",
  user: "notificationsUser",
  password: "notificationsPassword",
};

/** Form in which the user selects a message bus. A typed password is stored only in its field. */
export class ConnectionForm {
  readonly #form = byId("connection-form", HTMLFormElement);
  readonly #connect = byId("connect", HTMLButtonElement);
  readonly #hybrid = byId("hybrid", HTMLInputElement);

  /** @param embeddedUrl URL of the embedded router; undefined hides that choice. */
  constructor(embeddedUrl: string | undefined, onSubmit: () => void) {
    byId("embedded-choice", HTMLElement).hidden = embeddedUrl === undefined;
    byId("embedded-url", HTMLElement).textContent = embeddedUrl ?? "";
    const first = embeddedUrl === undefined ? "page" : "embedded";
    for (const radio of this.#radios()) radio.checked = radio.value === first;
    this.#form.addEventListener("input", () => {
      this.urge(true);
      this.#showDefaultUsers();
    });
    this.#form.addEventListener("change", () => {
      this.#moveLogins();
      this.#showFields();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#moveLogins();
      onSubmit();
    });
    this.#showFields();
    this.#showDefaultUsers(); // after a reload the browser may restore the fields
  }

  get place(): BusLocation {
    const chosen = this.#radios().find(({ checked }) => checked)?.value;
    return chosen === "embedded" || chosen === "url" ? chosen : "page";
  }

  /** Highlights Connect while pressing it would change the connection. */
  urge(hasChanges: boolean): void {
    this.#connect.classList.toggle("main", hasChanges);
  }

  /**
   * URLs of RPC and of notifications, with credentials. Marks and focuses the field of a URL that is invalid or missing.
   *
   * @throws InvalidTransportURL when a URL is invalid.
   * @throws Error when a URL is missing.
   */
  urls(): { rpc: TransportURL; notifications: TransportURL } {
    const rpc = this.#url(FIELDS);
    return { rpc, notifications: this.#hybrid.checked ? this.#url(NOTIFICATIONS_FIELDS) : rpc };
  }

  #url(fields: UrlFields): TransportURL {
    const form = new FormData(this.#form);
    const text = typed(form, fields.url);
    const field = fieldOf(this.#form, fields.url);
    try {
      if (text === undefined) throw new Error(`Type a URL, such as ${field.placeholder}`);
      const url = busUrl(text, { user: typed(form, fields.user), password: typed(form, fields.password) });
      field.removeAttribute("aria-invalid");
      return url;
    } catch (error) {
      field.setAttribute("aria-invalid", "true");
      field.focus();
      throw error;
    }
  }

  /** Moves a user and a password from a typed URL to their own fields, where the password is hidden. */
  #moveLogins(): void {
    for (const { url, user, password } of [FIELDS, NOTIFICATIONS_FIELDS]) {
      const field = fieldOf(this.#form, url);
      const found = loginIn(field.value.trim());
      if (found === undefined) continue;
      field.value = found.rest;
      fieldOf(this.#form, user).value = found.user ?? "";
      fieldOf(this.#form, password).value = found.password ?? "";
    }
  }

  /** Shows the user of a URL without one. */
  #showDefaultUsers(): void {
    for (const { url, user } of [FIELDS, NOTIFICATIONS_FIELDS]) {
      const isRabbit = /^(rabbit|kombu)\b/i.test(fieldOf(this.#form, url).value.trim());
      fieldOf(this.#form, user).placeholder = isRabbit ? "guest" : "anonymous";
    }
  }

  #radios(): HTMLInputElement[] {
    return [...byId("place", HTMLFieldSetElement).querySelectorAll("input")];
  }

  #showFields(): void {
    for (const part of this.#form.querySelectorAll<HTMLElement>(".place")) {
      part.hidden = part.dataset["place"] !== this.place;
    }
    byId("notifications-fields", HTMLElement).hidden = !this.#hybrid.checked;
  }
}
