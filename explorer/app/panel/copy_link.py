"""A button that copies the page's address, which holds the whole experiment."""

from __future__ import annotations

import streamlit as st

__all__ = ["copy_link_button"]

_CSS = """
.gx-copy { font: 400 1rem/1 var(--st-font); height: 2.5rem; padding: 0 0.9rem; cursor: pointer;
  color: var(--st-text-color); background: transparent;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); }
.gx-copy:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.gx-copy:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
"""

_JS = """
function copyByHand(text) {
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

export default function mountCopyLink({ parentElement }) {
  const button = parentElement.querySelector("button");
  let timer = 0;
  button.onclick = async () => {
    const address = window.location.href;
    let done = true;
    try {
      await navigator.clipboard.writeText(address); // only on https and localhost
    } catch {
      done = copyByHand(address);
    }
    button.textContent = done ? "Copied" : "Copy the address bar instead";
    clearTimeout(timer);
    timer = setTimeout(() => { button.textContent = "Copy link"; }, 1500);
  };
  return () => clearTimeout(timer);
}
"""

_COPY_LINK = st.components.v2.component(
    "explorer_copy_link",
    html='<button type="button" class="gx-copy" aria-live="polite">Copy link</button>',
    css=_CSS,
    js=_JS,
    isolate_styles=False,
)


def copy_link_button(key: str) -> None:
    """Show a "Copy link" button; it says "Copied" for a moment."""
    _COPY_LINK(key=key, width="content")
