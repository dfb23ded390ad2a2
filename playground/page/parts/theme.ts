import { keep, kept } from "./kept.js";

const THEMES = ["auto", "light", "dark"] as const;

export type Theme = (typeof THEMES)[number];

export function keptTheme(): Theme {
  const name = kept("theme");
  return THEMES.find((theme) => theme === name) ?? "auto";
}

/** `auto` is what the browser prefers. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
}

/** The switch of the colours. `onChange` comes whenever they change, by whomever. */
export function themeSwitch(radios: HTMLElement, onChange: () => void): void {
  const present = keptTheme();
  for (const radio of radios.querySelectorAll("input")) {
    radio.checked = radio.value === present;
    radio.addEventListener("change", () => {
      keep("theme", radio.value);
      applyTheme(keptTheme());
      onChange();
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
}
