import { keep, kept } from "./kept.js";

const THEMES = ["auto", "light", "dark"] as const;

export type Theme = (typeof THEMES)[number];

export function keptTheme(): Theme {
  const name = kept("theme");
  return THEMES.find((theme) => theme === name) ?? "auto";
}

/** Applies a theme to the page. `auto` follows the browser's setting. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
}

/** Sets up the theme's radio buttons. `onChange` is called when the user or the browser changes the colours. */
export function themeSwitch(radios: HTMLElement, onChange: () => void): void {
  const current = keptTheme();
  for (const radio of radios.querySelectorAll("input")) {
    radio.checked = radio.value === current;
    radio.addEventListener("change", () => {
      keep("theme", radio.value);
      applyTheme(keptTheme());
      onChange();
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
}
