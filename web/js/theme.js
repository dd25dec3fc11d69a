/** Light or dark: what the system says, until the person chooses. */

const PLACE = "sip-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is dark now. */
const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

/** Set up the button; `onchange` is called whenever the colours have changed. */
export function setUpTheme(button, onchange) {
  const chosen = localStorage.getItem(PLACE);
  if (chosen) document.documentElement.dataset.theme = chosen;
  const label = () => (button.textContent = isDark() ? "Light" : "Dark");
  button.setAttribute("aria-label", "Change between light and dark");
  button.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem(PLACE, next);
    label();
    onchange();
  });
  system.addEventListener("change", () => {
    label();
    onchange();
  });
  label();
}
