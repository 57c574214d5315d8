/*! The widget's page. Foreign words are only ever set as text. */
(() => {
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const config = JSON.parse($("config").textContent);
  const { hostOrigin, strings: words } = config;

  const OPEN = "\uFDD0", SHUT = "\uFDD1"; // around marked words

  const joined = (sign, ...parts) => parts.flat().filter(Boolean).join(sign);

  // Else a date among Arabic words would be turned around.
  const apart = (text) => (text && config.dir === "rtl" ? `\u2068${text}\u2069` : text);

  const say = (key, values) => words[key].replace(/{(\w+)}/g, (_, name) => apart(values[name]));

  const place = (title, heading) => joined(" › ", title, heading);

  const about = ({ kind, publisher, published, notices }, full) =>
    joined(" · ", [words[`kind_${kind}`] || kind, publisher, published, full && notices].flat().map(apart));

  // The server counts characters.
  function quoted({ passage, start, end }) {
    const all = [...passage.text], from = start - passage.start, to = end - passage.start;
    return joined("", all.slice(0, from), OPEN, all.slice(from, to), SHUT, all.slice(to));
  }

  const doubted = ({ text, statements }) => statements.filter((one) => !one.supported).reduce((text, one) => {
    const sought = one.text.match(/[\p{L}\p{N}]+/gu)?.join("(?:[^\\p{L}\\p{N}]|\\[\\d+\\])+");
    const found = sought && text.match(new RegExp(`${sought}[.!?]*`, "u"));
    const part = OPEN + (found || [one.text])[0] + SHUT;
    return found ? text.replace(found[0], () => part) : `${text}\n${part}`;
  }, text);

  const proof = ({ proof: p }) => p.quotes ? [
    say("proof_quotes", { a: p.exact, b: p.quotes }),
    say("proof_statements", { a: p.supported, b: p.statements }),
  ] : [];

  const doubt = (checked) => words[`unsupported_${checked}`];

  const checkedOf = ({ statements }) => statements.find((one) => !one.supported)?.checked;

  const footnotes = (answer) => joined("\n\n", answer.notices, doubted(answer).replaceAll(OPEN, "").replaceAll(SHUT, ` (${doubt(checkedOf(answer))})`), answer.citations.map((c) =>
    `[${c.number}] “${c.quote}” — ${place(c.document.title, c.passage.heading)} · ${about(c.document, 1)} ${new URL(c.permalink, location)}`),
  proof(answer));

  function inTime(seconds) {
    const size = (seconds > 90) + (seconds > 5400);
    return new Intl.RelativeTimeFormat(config.lang).format(Math.ceil(seconds / 60 ** size), ["second", "minute", "hour"][size]);
  }

  function h(kind, props, ...children) {
    const [name, className = ""] = kind.split(".");
    const node = Object.assign(document.createElement(name), { className }, props);
    node.append(...children.flat(3).filter(Boolean));
    return node;
  }

  const button = (kind, label, onclick) => h("button" + kind, { type: "button", onclick }, label);

  const named = (node, ariaLabel) => Object.assign(node, { ariaLabel, title: ariaLabel });

  const notice = (text) => text && h("p.notice", {}, text);

  const list = (kind, items, draw) => items.length && h("ul" + kind, {}, items.map((item) => h("li", {}, draw(item))));

  // `marker` draws [n], `mark` marked words, `end` what follows.
  function body(text, marker, mark, end) {
    const all = h("div.text");
    let on;
    for (const line of text.split("\n")) {
      const item = line.replace(/^(\uFDD0?)\s*[-•] /, "$1"), nodes = [];
      for (const part of item.replaceAll(" [", "\xA0[").split(/(\[\d+]|[\uFDD0\uFDD1])/)) {
        if (part === SHUT && end) nodes.push(end());
        if (part === OPEN || part === SHUT) on = part === OPEN;
        else if (/^\[\d+]$/.test(part)) nodes.push(marker(part.slice(1, -1)));
        else nodes.push(on && part ? mark(part) : part);
      }
      if (item === line) line && all.append(h("p", { dir: "auto" }, nodes));
      else {
        if (all.lastChild?.localName !== "ul") all.append(h("ul", { dir: "auto" }));
        all.lastChild.append(h("li", {}, nodes));
      }
    }
    return all;
  }

  const drawn = (text, marker, checked) =>
    body(text, marker, (part) => h("span.unsure", {}, part), () => [" ", h("small", {}, doubt(checked))]);

  const number = (n) => h("span.marker", {}, n);

  const talk = $("talk"), box = $("question"), source = $("source"), form = $("form"), exact = $("exact").firstChild;
  let token = config.token, exchanges = [], running, opener, held;

  const tell = (text) => $("status").textContent = text;

  // On a phone the keyboard would cover the text.
  const rest = () => (matchMedia("(pointer: coarse)").matches ? $("title") : box).focus();

  const failure = (key, seconds) => Object.assign(Error(), { told: say(`error_${key}`, { when: inTime(seconds || 30) }) });

  async function call(path, sent, signal, renewed = path === "session") {
    const response = await fetch(path, {
      method: sent ? "POST" : "GET",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: sent && JSON.stringify(sent),
      signal,
      credentials: "omit",
      referrerPolicy: "strict-origin", // with none the browser would hide the origin, too
    }).catch((error) => { throw signal?.aborted ? error : failure("offline"); });
    if (response.ok) return response;
    if (response.status === 401 && !renewed) {
      token = (await (await call("session", {}, signal)).json()).token;
      return call(path, sent, signal, true);
    }
    throw failure({ 401: "expired", 403: "closed", 429: "quota", 503: "busy" }[response.status] || "failed",
      response.headers.get("Retry-After"));
  }

  async function answerTo(sent, signal, hear) {
    const reader = (await call("ask", sent, signal)).body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = "", end; !end;) {
      const { done, value = "" } = await reader.read().catch(() => ({ done: true }));
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      end = done;
      for (const part of parts) {
        const [, type, json] = part.match(/^event: (\w+)\ndata: (.*)/) || [];
        if (type === "done") return JSON.parse(json);
        if (type === "error") throw failure("failed");
        if (type) hear(type, JSON.parse(json));
      }
    }
    throw failure("cut");
  }

  function busy(control) {
    running = control;
    form.className = control ? "busy" : "";
    named($("send"), words[control ? "stop" : "send"]);
  }

  async function ask(question) {
    if (running) return tell(words.busy);
    const reply = h("div.answer", {}, h("p.wait", {}, words.searching));
    const article = h("article", {}, h("h2.you", { dir: "auto" }, h("span.sr", {}, words.you, " "), question), reply);
    const control = new AbortController();
    // A long answer is read from its beginning.
    const show = (...nodes) => {
      if (nodes.length) reply.replaceChildren(...nodes.flat().filter(Boolean));
      if (!held) talk.scrollTop = article.offsetTop - 12;
    };
    const history = exchanges.slice(-6).flatMap((one) => [
      { role: "user", content: one.question }, { role: "assistant", content: one.answer.text },
    ]);
    const mode = config.modes[1] && (exact.checked ? "quotation" : "written");
    let text = "", checked;
    closeSource();
    talk.querySelectorAll(".latest").forEach((node) => node.remove());
    talk.append(article);
    $("start").hidden = true;
    $("new").hidden = held = false;
    busy(control);
    rest();
    tell(words.searching);
    show();
    try {
      const answer = await answerTo({ question, history, mode }, control.signal, (type, data) => {
        if (type === "evidence") show(h("p.wait", {}, say("reading", { n: data.evidence.length })));
        if (type === "delta" && data.text) {
          if (!data.supported) checked = data.checked;
          show(drawn(text += data.supported ? data.text : OPEN + data.text + SHUT, number, checked));
        }
      });
      exchanges.push({ article, question, answer });
      show(...shown(answer, retry(question, article)));
      tell(`${words.ready} ${answer.text.replace(/\[\d+]/g, "")}`);
    } catch (error) {
      const why = control.signal.aborted ? words.stopped : error.told || words.error_failed;
      show(text && drawn(text, number, checked), notice(why), h("div.actions latest", {}, retry(question, article)));
      tell(why);
    }
    if (running === control) busy();
  }

  const retry = (question, article) => button(".latest", words.retry, () => {
    exchanges = exchanges.filter((one) => one.article !== article);
    article.remove();
    ask(question);
  });

  function restart() {
    running?.abort();
    exchanges = [];
    talk.querySelectorAll("article").forEach((node) => node.remove());
    closeSource();
    $("start").hidden = false;
    $("new").hidden = true;
    rest();
  }

  // An answer

  function shown(answer, retry) {
    const { abstention, citations, differences, mode, nearest, followups, notices } = answer;
    const marker = (n) => {
      const cited = citations[n - 1], label = say("marker", { n, title: cited.document.title });
      return named(button(".marker", n, (event) => openSource(event.target, label, cited)), label);
    };
    const places = Object.values(Object.groupBy(citations, (c) => place(c.document.title, c.passage.heading)));
    return [
      h("span.sr", {}, words.answer),
      abstention && h("h3", {}, words.no_answer),
      notices.map(notice),
      mode === "written" && notice(words.written),
      drawn(doubted(answer), marker, checkedOf(answer)),
      differences.map((d) => h("p.notice", {}, say("differ", d), " ", d.citations.map(marker))),
      citations[0] && h("h3", {}, words.sources),
      list(".sources", places, (all) => [
        all.map((c) => marker(c.number)), " ", h("bdi", {}, place(all[0].document.title, all[0].passage.heading)),
        h("p.small", {}, about(all[0].document, 1)),
      ]),
      h("p.proof small", {}, proof(answer).map((line) => h("span", {}, line))),
      abstention && nearest[0] && [h("h3", {}, words.nearest), list(".chips", nearest, near)],
      h("div.actions", {}, copier(answer), retry, config.feedback && thumbs(answer)),
      followups[0] && h("div.answer latest", {}, h("h3", {}, words.next), questions(followups)),
    ];
  }

  const questions = (all) => list(".chips", all, (text) => button("", text, () => ask(text)));

  const near = (hit) => button("", place(hit.title, hit.heading), async ({ target }) => {
    try {
      openSource(target, words.passage, await (await call(`passages/${hit.passage_id}`)).json());
    } catch (error) {
      target.after(notice(tell(error.told)));
    }
  });

  const copier = (answer) => button("", words.copy, async ({ target }) => {
    try {
      await navigator.clipboard.writeText(footnotes(answer));
      tell(target.textContent = words.copied);
    } catch {
      tell(target.textContent = words.not_copied);
    }
    setTimeout(() => { target.textContent = words.copy; }, 2500);
  });

  function thumbs(answer) {
    const id = crypto.getRandomValues(new BigUint64Array(2)).join("-");
    const rate = (pressed, rating, reason) => {
      for (const one of both) one.ariaPressed = one === pressed;
      why.hidden = rating === "good" || reason;
      const documents = [...new Set(answer.citations.map((c) => c.document.id))];
      call("feedback", { id, rating, reason, generation: answer.index.generation, documents })
        .then(() => tell(joined(" ", words.thanks, !why.hidden && words.why)), (error) => why.after(notice(tell(error.told))));
    };
    const both = ["good", "poor"].map((name) => named(
      button(`.${name}`, $("thumb").content.cloneNode(true), ({ currentTarget }) => rate(currentTarget, name)), words[name]));
    const why = h("div.why", { hidden: true }, h("h3", {}, words.why), list(".chips",
      ["wrong", "source_mismatch", "incomplete", "off_topic", "unclear", "other"],
      (reason) => button("", words[reason], () => { rate(both[1], "poor", reason); both[1].focus(); })));
    return [both, why].flat();
  }

  // The source of a marker

  function openSource(from, label, { passage, document: cited, quote, start, end, permalink }) {
    const link = (label, href) => h("a", { href, target: "_blank", rel: "noopener", title: words.new_tab }, label);
    closeSource();
    opener = from;
    from.ariaExpanded = true;
    source.hidden = false;
    source.ariaLabel = label;
    source.scrollTop = 0;
    talk.inert = form.inert = !matchMedia("(min-width: 860px)").matches;
    source.replaceChildren(...[
      button(".back", words.back, closeSource),
      h("h2", { tabIndex: -1 }, cited.title),
      h("p.small", {}, place(about(cited), passage.heading)),
      cited.notices.map(notice),
      Object.assign(body(quote ? quoted({ passage, start, end }) : passage.text, (n) => `[${n}]`,
        (part) => h("mark", { tabIndex: -1 }, part)), { lang: cited.language }),
      h("div", {}, link(words.library, permalink + (quote ? `?start=${start - passage.start}&end=${end - passage.start}` : "")),
        /^https:/.test(cited.url) && link(words.original, cited.url)),
    ].flat());
    const first = source.querySelector("mark");
    (first || source.querySelector("h2")).focus({ preventScroll: true });
    first?.scrollIntoView({ block: "center" });
  }

  function closeSource() {
    if (source.hidden) return;
    source.hidden = true;
    talk.inert = form.inert = false;
    opener.ariaExpanded = false;
    opener.focus();
  }

  // The page around

  const post = (type) => hostOrigin && parent.postMessage({ rc: 1, type }, hostOrigin);

  addEventListener("message", ({ origin, source: sender, data }) => {
    if (!hostOrigin || origin !== hostOrigin || sender !== parent || data?.rc !== 1) return;
    if (data.type === "theme") root.dataset.theme = data.theme;
    if (data.type === "focus") rest();
  });

  addEventListener("keydown", ({ key, isComposing }) => {
    if (key !== "Escape" || isComposing) return;
    if (!source.hidden) closeSource();
    else post("close");
  });

  function submit(event) {
    event.preventDefault();
    const question = box.value.trim();
    if (running) return event.submitter ? running.abort() : tell(words.busy);
    box.value = "";
    if (question) ask(question);
  }

  form.onsubmit = submit;
  box.onkeydown = (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event); };
  talk.onwheel = talk.ontouchmove = talk.onkeydown = () => { held = true; };

  root.style = `--day: ${config.accent}; --night: ${config.accentDark}`;
  if (config.starters[0]) $("start").lastElementChild.before(h("h2.small", {}, words.examples), questions(config.starters));
  $("new").onclick = restart;
  $("close").onclick = () => post("close");
  busy();
  $("send").disabled = false;
  post("ready");
})();
