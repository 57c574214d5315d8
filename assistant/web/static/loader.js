/*! Rapporteur: <rapporteur-chat site="pub_…"> is a button, or inline a panel, for a chat in a frame. */
(() => {
  const { src } = document.currentScript, host = new URL(src).origin, name = "rapporteur-chat";

  const WORDS = {
    en: ["Ask a question", "Close chat", "The chat can’t be shown here. Open it in a new tab."],
    fr: ["Poser une question", "Fermer le chat", "Le chat ne peut pas s’afficher ici. L’ouvrir dans un nouvel onglet."],
    es: ["Hacer una pregunta", "Cerrar el chat", "El chat no se puede mostrar aquí. Abrirlo en una pestaña nueva."],
    ar: ["اطرح سؤالًا", "إغلاق المحادثة", "يتعذّر عرض المحادثة هنا. افتحها في علامة تبويب جديدة."],
    ru: ["Задать вопрос", "Закрыть чат", "Чат нельзя показать здесь. Открыть его в новой вкладке."],
    zh: ["提问", "关闭对话", "此处无法显示对话。请在新标签页中打开。"],
  };

  const look = new CSSStyleSheet();
  look.replaceSync(`
    :host { font: 16px/1.5 var(--rapporteur-font, system-ui, sans-serif); }
    * { box-sizing: border-box; }
    div { height: var(--rapporteur-height, 640px); overflow: hidden; outline: 1px solid #8886; border-radius: 16px; background: Canvas; }
    button, .bubble { position: fixed; z-index: 2147483000; inset-inline: auto 20px; bottom: 20px; box-shadow: 0 6px 24px #0004; }
    .bubble { bottom: 88px; width: 400px; max-height: calc(100dvh - 108px); }
    :host([position=start]) * { inset-inline: 20px auto; }
    button { height: 52px; padding: 0 20px; border: 1px solid transparent; border-radius: 26px; background: var(--rapporteur-accent, #1d4f8c); color: var(--rapporteur-on-accent, #fff); font: inherit; font-weight: 600; cursor: pointer; }
    iframe { display: block; width: 100%; height: 100%; border: 0; isolation: isolate; }
    :has(iframe)::before { content: "…" / ""; display: block; height: 0; font-size: 40px; text-align: center; }
    a { display: block; padding: 24px; }
    @media (max-width: 480px) { .bubble { inset: 0 !important; width: auto; height: auto; max-height: none; border-radius: 0; } }`);

  const make = (name, props) => Object.assign(document.createElement(name), props);

  class RapporteurChat extends HTMLElement {
    static observedAttributes = ["label", "theme"];
    #button = make("button", {
      onclick: () => { this.#panel.hidden ? this.open() : this.close(); },
      onkeydown: ({ key }) => { if (key === "Escape") this.close(); },
    });
    #panel = make("div");
    #root = this.attachShadow({ mode: "open" });
    #frame;
    #ready;
    #timer;

    connectedCallback() {
      const inline = this.#get("mode") === "inline";
      this.#root.adoptedStyleSheets = [look];
      this.#root.append(this.#button, this.#panel);
      this.#button.hidden = inline;
      this.#panel.hidden = !inline;
      this.#panel.className = inline ? "" : "bubble";
      addEventListener("message", this);
      this.#draw();
      if (inline) new IntersectionObserver(([seen]) => seen.isIntersecting && this.#load()).observe(this);
    }

    disconnectedCallback() {
      removeEventListener("message", this);
      this.#fill();
    }

    attributeChangedCallback() {
      this.#draw();
      this.#post("theme");
    }

    open() {
      this.#panel.hidden = false;
      this.#load();
      this.#focus();
      this.#tell("open");
    }

    close() {
      if (this.#button.hidden || this.#panel.hidden) return;
      this.#panel.hidden = true;
      this.#button.focus();
      this.#tell("close");
    }

    handleEvent({ origin, source, data }) {
      if (origin !== host || source !== this.#frame?.contentWindow || data?.rc !== 1) return;
      if (data.type === "close") this.close();
      if (data.type !== "ready") return;
      clearTimeout(this.#timer);
      this.#ready = true;
      this.#post("theme");
      if (!this.#button.hidden) this.#focus();
      this.#tell("ready");
    }

    #get(name) {
      return this.getAttribute(name) || "";
    }

    get #lang() {
      return this.closest("[lang]")?.lang || navigator.language;
    }

    get #words() {
      return WORDS[this.#lang.slice(0, 2)] || WORDS.en;
    }

    #draw() {
      const { hidden } = this.#panel;
      this.#button.textContent = hidden ? this.#get("label") || this.#words[0] : this.#words[1];
      this.#button.ariaExpanded = !hidden;
    }

    #load() {
      if (this.#frame) return;
      const asked = new URLSearchParams({ site: this.#get("site"), lang: this.#lang, theme: this.#get("theme"), o: location.origin, mode: this.#panel.className });
      this.#fill(make("iframe", {
        title: this.#get("label") || this.#words[0],
        allow: "clipboard-write",
        src: `${new URL("frame", src)}?${asked}`,
        // A refused frame loads too; never ready.
        onload: () => { this.#timer = this.#ready || setTimeout(() => this.#fail(), 2000); },
      }));
      this.#frame = this.#panel.firstChild;
    }

    #fail() {
      this.#fill(make("a", { href: host + "/chat/", target: "_blank", textContent: this.#words[2] }));
      this.#tell("error");
    }

    #fill(node = "") {
      clearTimeout(this.#timer);
      this.#panel.replaceChildren(node);
      this.#frame = this.#ready = this.#timer = null;
    }

    #post(type) {
      if (this.#ready) this.#frame.contentWindow.postMessage({ rc: 1, type, theme: this.#get("theme") }, host);
    }

    #focus() {
      if (!this.#ready) return;
      this.#frame.focus();
      this.#post("focus");
    }

    #tell(type) {
      this.#draw();
      this.dispatchEvent(new Event(`${name}:${type}`, { bubbles: true, composed: true }));
    }
  }

  if (!customElements.get(name)) customElements.define(name, RapporteurChat);
})();
