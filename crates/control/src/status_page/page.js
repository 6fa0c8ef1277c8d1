"use strict";
// What the page shows with a key. The key lives in one variable and goes nowhere but to /api of this
// origin; everything that comes back is put in as text, never as markup.
(() => {
  const at = (id) => document.getElementById(id);
  const EVERY = 15000, PATIENCE = 150, ROWS = 20;
  let key = "", timer = 0, loaded = 0;

  const make = (tag, className, ...parts) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...parts.filter((part) => part !== null && part !== undefined && part !== ""));
    return element;
  };
  const glyph = (className) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 10 10");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", className);
    const shapes = { bad: "M1 1h8v8h-8z", warn: "M5 .5 9.6 9.2H.4z" };
    const kind = shapes[className] ? "path" : "circle";
    const shape = document.createElementNS("http://www.w3.org/2000/svg", kind);
    const places = kind === "path" ? { d: shapes[className] } : { cx: 5, cy: 5, r: 4 };
    for (const [name, value] of Object.entries(places)) shape.setAttribute(name, value);
    svg.append(shape);
    return svg;
  };
  const state = (className, words) => make("span", "st", glyph(className), words);

  const figure = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
  const count = (n) => n === null || n === undefined ? "—" : n < 1e6 ? figure.format(n) : `${(n / 1e6).toPrecision(3)} M`;
  const dollars = (n, places) => n === null || n === undefined ? "—" : `$${n.toFixed(places)}`;
  const span = (ms) => ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
  const clock = (text) => new Date(text).toLocaleTimeString(undefined, { hour12: false });

  class Refused extends Error {
    constructor(message, code, next) { super(message); this.code = code; this.next = next; }
  }
  const get = async (path) => {
    let answer;
    try {
      answer = await fetch(path, { headers: { authorization: `Bearer ${key}` }, cache: "no-store", credentials: "omit" });
    } catch {
      throw new Refused("The gateway does not answer.", "unreachable", "See whether it still runs; what is below was true when it was read.");
    }
    const body = await answer.json().catch(() => null);
    if (answer.ok && body) return body;
    const error = body && body.error;
    const next = answer.status === 401 || answer.status === 403 ? "Enter a key with the scope manage." : "The log on the gateway's terminal says more.";
    throw new Refused(error ? error.message : `The gateway answered with ${answer.status}.`, error && error.details ? error.details.code : String(answer.status), next);
  };

  const table = (caption, heads, rows) => {
    const head = make("tr", "", ...heads.map(([words, className]) => {
      const cell = make("th", className, words);
      cell.scope = "col";
      return cell;
    }));
    const body = rows.map((cells) => make("tr", "", ...cells.map((cell, n) => {
      const made = make("td", heads[n][1], cell);
      if (typeof cell === "string" && cell.length > 24) made.title = cell;
      return made;
    })));
    const made = make("table", "", make("thead", "", head), make("tbody", "", ...body));
    made.setAttribute("aria-label", caption);
    return made;
  };
  const empty = (words, command) => make("div", "empty", make("p", "", words), make("p", "quiet", make("code", "", command)));

  const accountState = (account) => {
    if (!account.isActive) return state("off", "off");
    if (account.testStatus === "failed") return state("bad", account.lastError || "the last test failed");
    return state(account.testStatus === "ok" ? "" : "off", account.testStatus === "ok" ? "ready" : "not tested");
  };
  const showAccounts = ({ connections }) => {
    at("n-accounts").textContent = connections.length ? String(connections.length) : "";
    const heads = [["Name", "name"], ["Models begin with", "mono"], ["State", ""], ["Key", "mono wide"], ["Priority", "num wide"]];
    const rows = connections.map((account) => [account.name, `${account.prefix}/`, accountState(account), account.keyHint ? `…${account.keyHint}` : "—", String(account.priority)]);
    at("accounts").replaceChildren(connections.length ? table("Accounts", heads, rows)
      : empty("No account is connected; demo/echo answers without one.", "omniroute providers add openai"));
  };

  const showToday = (sums) => {
    const notes = [];
    if (sums.unpricedRequests) notes.push(`${count(sums.unpricedRequests)} unpriced`);
    if (sums.estimatedRequests) notes.push("tokens partly est.");
    const figures = [
      [count(sums.totalRequests), "requests"],
      [count(sums.totalErrors), "errors"],
      [count(sums.totalPromptTokens), "tokens in"],
      [count(sums.totalCompletionTokens), "tokens out"],
      [dollars(sums.totalCost, 2), ["cost at list price", ...notes].join(" · ")],
    ];
    at("today").replaceChildren(...figures.map(([value, name]) => make("div", "stat", make("div", "v", value), make("div", "k", name))));
  };

  const ending = (request) => {
    if (request.outcome === "ok") return state("", "answered");
    if (request.outcome === "client_closed") return state("off", "the tool hung up");
    const code = request.error && request.error.code;
    return state("bad", `${request.status}${code ? ` ${code}` : ""}`);
  };
  const showRequests = ({ items, total }) => {
    at("n-requests").textContent = total > items.length ? `${items.length} of ${count(total)}` : "";
    const heads = [["Time", ""], ["Key", "wide"], ["Model", "mono"], ["Answered by", "wide"], ["End", ""], ["In", "num"], ["Out", "num"], ["Cost", "num"], ["Took", "num"]];
    const rows = items.map((request) => [
      clock(request.at),
      request.apiKeyName || "—",
      request.askedModel || "—",
      [request.provider, request.accountName].filter(Boolean).join(" · ") || "—",
      ending(request),
      count(request.tokens.input),
      count(request.tokens.output),
      make("span", "", dollars(request.cost, 4), make("span", "note", request.costMark === "reported" ? "" : request.costMark === "estimated" ? "est." : "unpriced")),
      span(request.durationMs),
    ]);
    at("requests").replaceChildren(items.length ? table("Last requests", heads, rows)
      : empty("No tool has sent anything yet.", "the curl line above is a first request"));
  };

  const bones = () => make("div", "bones", ...[1, 2, 3, 4].map(() => make("div", "bone")));
  const midnight = () => new Date().setHours(0, 0, 0, 0);

  const load = async () => {
    // Data that is known stays; the first time the shape of what comes is shown, if it takes a while.
    const waiting = loaded ? 0 : setTimeout(() => {
      at("facts").hidden = false;
      for (const id of ["today", "accounts", "requests"]) at(id).replaceChildren(bones());
    }, PATIENCE);
    at("again").disabled = true;
    try {
      const [accounts, sums, requests] = await Promise.all([
        get("/api/providers"), get(`/api/usage/stats?since=${midnight()}`), get(`/api/usage/logs?limit=${ROWS}`),
      ]);
      showToday(sums);
      showAccounts(accounts);
      showRequests(requests);
      loaded = Date.now();
      at("age").textContent = `read at ${clock(loaded)}`;
      at("facts").hidden = false;
      at("enter").hidden = true;
      at("problem").hidden = true;
    } catch (why) {
      at("problem-text").textContent = why.message;
      at("problem-next").textContent = why.next || "";
      at("problem-code").textContent = why.code || "page";
      at("problem").hidden = false;
      if (!loaded) at("facts").hidden = true;
      if (why.code === "invalid_api_key" || why.code === "scope_missing") forget();
    } finally {
      clearTimeout(waiting);
      at("again").disabled = false;
    }
  };
  const forget = () => {
    key = "";
    loaded = 0;
    clearInterval(timer);
    at("facts").hidden = true;
    at("enter").hidden = false;
    at("key").focus();
  };

  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    key = at("key").value.trim();
    at("key").value = "";
    if (!key) return;
    clearInterval(timer);
    timer = setInterval(() => document.hidden || load(), EVERY);
    load();
  });
  at("again").addEventListener("click", load);
  at("forget").addEventListener("click", () => { at("problem").hidden = true; forget(); });
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = at(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        at("copied").textContent = "Copied.";
      } catch {
        getSelection().selectAllChildren(source);
        at("copied").textContent = "Selected; copy it with the keyboard.";
      }
      setTimeout(() => { at("copied").textContent = ""; }, 4000);
    });
  }
})();
