// What the chat page adds to Gradio: markers that open the source panel, copying,
// saving, and what a screen reader is told. No dependency, no storage, no cookie;
// foreign text is parsed as a document and moved over, never written as markup.
"use strict";

(() => {
  const NARROW = "(max-width: 900px)";
  const READY = "The answer is ready.";
  const PLACE = /^#source:([a-z0-9-]+)(?::(\d+)-(\d+))?$/;
  const DOCUMENT = /^#document:([a-z0-9-]+)$/;
  const COPY = /^#copy:(\d+)$/;

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  // --- What the page keeps -------------------------------------------------------

  function stored() {
    const box = document.querySelector("#conversation textarea, #conversation input");
    return box ? box.value : "";
  }

  function exchanges() {
    const text = stored();
    return text ? JSON.parse(text).exchanges : [];
  }

  // --- Telling -------------------------------------------------------------------

  const spoken = element("div", { className: "only-spoken" });
  spoken.setAttribute("role", "status");

  function say(text) {
    spoken.textContent = text;
  }

  // --- The source panel ----------------------------------------------------------

  const title = element("p", { className: "panel-name", textContent: "Source" });
  const closer = element("button", { type: "button", className: "panel-close", textContent: "Close" });
  const content = element("div", { className: "panel-content", tabIndex: 0 });
  content.setAttribute("role", "region");
  content.setAttribute("aria-label", "Text of the source");
  const panel = element("dialog", { id: "source-panel" }, element("div", { className: "panel-bar" }, title, closer), content);
  panel.setAttribute("aria-label", "Source");

  let opener = null;
  let latest = 0;

  function markersTo(href) {
    return [...document.querySelectorAll("#chat-log a, #shelf a")].filter(
      (anchor) => anchor.getAttribute("href") === href,
    );
  }

  function remember(anchor) {
    const href = anchor.getAttribute("href");
    opener = { anchor, href, index: markersTo(href).indexOf(anchor) };
  }

  function giveFocusBack() {
    if (!opener) return;
    // The chat may have been drawn anew while the panel was open.
    const same = markersTo(opener.href);
    const target = opener.anchor.isConnected ? opener.anchor : same[opener.index] || same[0];
    opener = null;
    const box = document.querySelector("#question textarea");
    (target || box)?.focus();
  }

  function show() {
    const narrow = matchMedia(NARROW).matches;
    if (panel.open) return;
    if (narrow) panel.showModal();
    else panel.show();
    document.documentElement.classList.toggle("panel-beside", !narrow);
  }

  function close() {
    if (panel.open) panel.close();
  }

  async function open(address, name) {
    const turn = ++latest;
    title.textContent = name;
    content.replaceChildren(element("p", { textContent: "Fetching the text…" }));
    show();
    let nodes;
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "omit" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = page.querySelector("article") || page.querySelector("main");
      nodes = part ? [document.adoptNode(part)] : [];
    } catch {
      nodes = [];
    }
    if (turn !== latest) return;
    if (!nodes.length) {
      nodes = [element("p", { textContent: "The text can't be fetched now. Please try again." })];
    }
    content.replaceChildren(...nodes);
    content.scrollTop = 0;
    const heading = content.querySelector("h1, h2");
    if (heading) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    } else {
      closer.focus();
    }
    content.querySelector("mark, .context p:not(:has(.dim))")?.scrollIntoView({ block: "center" });
  }

  panel.addEventListener("close", () => {
    latest += 1;
    document.documentElement.classList.remove("panel-beside");
    giveFocusBack();
  });
  closer.addEventListener("click", close);

  // --- Links that do something ---------------------------------------------------

  function follow(anchor) {
    const href = anchor.getAttribute("href") || "";
    const place = PLACE.exec(href);
    const whole = DOCUMENT.exec(href);
    const copied = COPY.exec(href);
    if (place) {
      const query = new URLSearchParams({ fragment: "1" });
      if (place[2]) {
        query.set("start", place[2]);
        query.set("end", place[3]);
      }
      remember(anchor);
      const number = /^\[\d+\]$/.exec(anchor.textContent.trim());
      open(`/passages/${place[1]}?${query}`, number ? `Source ${number[0]}` : "Source");
    } else if (whole) {
      remember(anchor);
      open(`/documents/${whole[1]}?fragment=1`, "Document");
    } else if (copied) {
      copy(anchor, Number(copied[1]));
    } else {
      return false;
    }
    return true;
  }

  async function copy(anchor, index) {
    const exchange = exchanges()[index];
    if (!exchange) return;
    const done = await toClipboard(exchange.copy_text);
    const before = anchor.dataset.label || anchor.textContent;
    anchor.dataset.label = before;
    anchor.textContent = done ? "Copied" : "Copying isn't allowed here";
    say(anchor.textContent);
    setTimeout(() => { anchor.textContent = before; }, 2500);
  }

  async function toClipboard(text) {
    if (navigator.clipboard) {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch {
        // Not allowed: the older way below may be.
      }
    }
    const focused = document.activeElement;
    const box = element("textarea", { value: text, className: "only-spoken" });
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    focused?.focus();
    return done;
  }

  async function save() {
    if (!exchanges().length) {
      say("There is nothing to save yet.");
      return;
    }
    let file = null;
    try {
      const answer = await fetch("/conversation", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: stored(),
        credentials: "omit",
      });
      if (answer.ok) file = await answer.blob();
    } catch {
      // Told below.
    }
    if (!file) {
      say("The conversation can't be saved now. Please try again.");
      return;
    }
    const address = URL.createObjectURL(file);
    const link = element("a", { href: address, download: "conversation.md" });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    say("The conversation is saved.");
  }

  function anchorOf(event) {
    return event.composedPath().find((node) => node instanceof HTMLAnchorElement);
  }

  // While an answer is written, Gradio would take a second question for a failed one.
  function busy() {
    const stop = document.querySelector("#stop");
    return Boolean(stop && stop.offsetParent);
  }

  function within(event, selector) {
    return event.composedPath().some((node) => node instanceof Element && node.matches(selector));
  }

  function swallow(event) {
    event.preventDefault();
    event.stopPropagation();
  }

  document.addEventListener("click", (event) => {
    const anchor = anchorOf(event);
    if (busy() && within(event, "#chat-log .message-buttons, #chat-log button.option")) {
      swallow(event);
    } else if (anchor && !event.ctrlKey && !event.metaKey && follow(anchor)) {
      swallow(event);
    } else if (within(event, "#save")) {
      save();
    }
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.open) {
      swallow(event);
      close();
    } else if (event.key === "Enter" && !event.shiftKey && within(event, "#question") && busy()) {
      swallow(event);
      say("An answer is being written. Stop it first, or wait.");
    } else if (event.key === " ") {
      const anchor = anchorOf(event);
      if (anchor?.getAttribute("role") === "button") {
        event.preventDefault();
        anchor.click();
      }
    }
  }, true);

  // --- What Gradio leaves out ----------------------------------------------------

  function set(node, name, value) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }

  let status = "";

  function mend() {
    set(document.documentElement, "lang", "en");
    for (const anchor of document.querySelectorAll('#chat-log a[href^="#"], #shelf a[href^="#"]')) {
      const href = anchor.getAttribute("href");
      const number = /^\[(\d+)\]$/.exec(anchor.textContent.trim());
      if (PLACE.test(href) || DOCUMENT.test(href) || COPY.test(href)) set(anchor, "role", "button");
      if (number) {
        anchor.classList.add("marker");
        set(anchor, "aria-label", `Source ${number[1]}`);
      }
    }
    const log = document.querySelector("#chat-log [role=log]");
    if (log) {
      set(log, "aria-live", "off"); // the end of an answer is told below, not every step of it
      set(log, "aria-label", "Conversation");
    }
    // Holds the raw source of the message, addresses included.
    for (const bubble of document.querySelectorAll('#chat-log [data-testid="user"], #chat-log [data-testid="bot"]')) {
      const who = bubble.dataset.testid === "user" ? "You" : "Rapporteur";
      if (bubble.hasAttribute("aria-label")) set(bubble, "aria-label", who);
    }
    const now = document.querySelector("#status")?.textContent.trim() || "";
    if (now !== status) {
      status = now;
      const last = now.startsWith(READY) ? exchanges().at(-1) : null;
      say(last ? `${now} ${last.text}` : now);
      if (now) showLastQuestion();
      keepFocus();
    }
  }

  // A long answer is read from its beginning: the question goes to the top.
  function showLastQuestion() {
    const row = [...document.querySelectorAll("#chat-log .user-row")].at(-1);
    const log = row?.closest("[role=log]");
    if (log) log.scrollTop += row.getBoundingClientRect().top - log.getBoundingClientRect().top - 40;
  }

  // A button that was pressed may be gone: with a keyboard one would start from the top.
  function keepFocus() {
    if (document.activeElement !== document.body || !matchMedia("(pointer: fine)").matches) return;
    document.querySelector("#question textarea")?.focus({ preventScroll: true });
  }

  let due = false;

  function soon() {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      mend();
    });
  }

  document.body.append(panel, spoken);
  new MutationObserver(soon).observe(document.body, { childList: true, subtree: true, characterData: true });
  soon();
})();
