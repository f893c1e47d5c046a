// The episode browser: every episode of every method, by address, in the order of events.
//
//   #/episodes?b=BENCHMARK&n=N&s=SEED&f=FILTER&q=TEXT     the list
//   #/episode/BENCHMARK/METHOD/nN-sS/PROBLEM_ID[?with=METHOD/nN-sS]   one episode, with another beside it
//
// What models said goes into the page as text alone (textContent), never as markup.
"use strict";

(() => {
  const jobs = JSON.parse(document.getElementById("episode-index").textContent);
  const browser = document.getElementById("browser");
  const report = document.getElementById("report");
  const blocks = new Map(); // name -> promise of its content
  const arrived = new Map(); // name -> what to call once a file beside the page has come
  const SECOND = "p";

  // ---- data -------------------------------------------------------------------------------------------------

  /** Base64 of a gzip of JSON, read by the browser itself. */
  async function unpack(base64) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  window.econBlock = (name, base64) => arrived.get(name)(base64);

  /** A block, from the page or from its file beside it; read once. */
  function block(name) {
    if (!blocks.has(name)) {
      const here = document.getElementById(`block-${name}`);
      const packed = here
        ? Promise.resolve(here.textContent)
        : new Promise((resolve, reject) => {
            arrived.set(name, resolve);
            const script = document.createElement("script");
            script.src = `episodes/${name}.js`;
            script.onerror = () => reject(new Error(`${script.src} is not beside the page`));
            document.head.append(script);
          });
      blocks.set(name, packed.then(unpack));
    }
    return blocks.get(name);
  }

  const nameOf = (job) => `n${job.n}-s${job.seed}`;
  const address = (job, id) => `#/episode/${job.benchmark}/${job.method}/${nameOf(job)}/${id}`;
  const find = (benchmark, method, team) =>
    jobs.find((job) => job.benchmark === benchmark && job.method === method && nameOf(job) === team);
  const entryOf = (job, id) => job.episodes.find((entry) => entry[0] === id);

  // ---- small builders ---------------------------------------------------------------------------------------

  function make(tag, className, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }
  const link = (href, text, className) => {
    const node = make("a", className, text);
    node.href = href;
    return node;
  };
  const badge = (verdict) => make("span", `badge ${verdict}`, verdict === "invalid" ? "INVALID" : verdict);
  const said = (text, className) => make("pre", className || "", text || "(nothing)");
  const round = (value, digits = 2) => (typeof value === "number" ? value.toFixed(digits) : "–");

  function folded(title, ...children) {
    return make("details", "", make("summary", "", title), ...children);
  }

  // ---- one episode ------------------------------------------------------------------------------------------

  async function episode(job, id) {
    const [content, prompts] = await Promise.all([block(job.block), block(`problems-${job.benchmark}`)]);
    const found = content.episodes[id];
    if (!found) return null;
    const prompt = prompts[id] || "";
    const text = (index) => content.texts[index].replaceAll("\u0001", prompt);
    return { job, id, found, prompt, text };
  }

  function person(call, job) {
    const named = { executor: "Executor", debater: "Debater", solver: "Sample" }[call.role];
    if (named === "Sample") return job.method === "self-consistency" ? `Sample ${call.sample + 1}` : "Solver";
    if (named) return `${named} ${call.agent + 1}`;
    if (call.role === "coordinator" && call.commits)
      return call.agent ? `Local coordinator ${call.agent}: commitment` : "Coordinator: commitment";
    if (call.role === "coordinator") return "Coordinator: strategy";
    return call.role[0].toUpperCase() + call.role.slice(1) + (call.agent ? ` ${call.agent + 1}` : "");
  }

  function settings(call) {
    const [temperature, topP, penalty] = call.sampling;
    const parts = [`T ${round(temperature)}`, `top-p ${round(topP)}`, `penalty ${round(penalty)}`];
    return `${parts.join(" · ")} · ${call.prompt_tokens} + ${call.completion_tokens} tokens · ${call.model}`;
  }

  function verdictOf(step, place) {
    if (!step || !step.answers || place >= step.answers.length) return null;
    if (step.answers[place] === null) return "invalid";
    if (!step.correct) return null;
    return step.correct[place] ? "right" : "wrong";
  }

  /** Numbers of ECON's own mechanism for one executor in one round. */
  function measures(step, agent) {
    if (!step || !step.q) return null;
    const task = step.correct ? (step.correct[agent] ? 1 : 0) : null;
    const [temperature, second] = step.actions[agent];
    const rows = [
      ["T", round(temperature)], [SECOND, round(second)],
      ["AL", round(step.AL[agent])], ["TS", task === null ? "–" : round(task)], ["CC", round(step.CC[agent])],
      ["Q", round(step.q[agent])],
    ];
    return make("span", "measures", ...rows.map(([name, value]) => make("span", "", `${name} ${value}`)));
  }

  function speech(shown, call, step) {
    const participant = ["executor", "debater", "solver", "affirmative", "negative"].includes(call.role);
    const place = call.role === "solver" ? call.sample : call.agent;
    const verdict = participant ? verdictOf(step, place) : null;
    const head = make("header", "", make("strong", "", person(call, shown.job)), verdict ? badge(verdict) : null);
    if (participant && step && step.answers && step.answers[place] != null)
      head.append(make("span", "read", `read as ${step.answers[place].slice(0, 120)}`));
    if (call.finish_reason === "length") head.append(make("span", "badge cut", "cut"));
    const card = make("article", `speech ${call.role}`, head);
    if (call.role === "executor") {
      const numbers = measures(step, call.agent);
      if (numbers) card.append(numbers);
    }
    if (call.error) card.append(said(`no answer: ${call.error}`, "wrong"));
    else if (call.commits) card.append(commitment(shown.text(call.text)));
    else card.append(said(shown.text(call.text)));
    if (call.thinking !== undefined) card.append(folded("Thinking", said(shown.text(call.thinking))));
    const asked = call.messages.flatMap(([role, index]) => [make("p", "part", role), said(shown.text(index))]);
    card.append(folded("Asked with", make("p", "part", settings(call)), ...asked));
    return card;
  }

  function commitment(text) {
    let read = null;
    try { read = JSON.parse(text); } catch { /* shown as it is */ }
    if (!read || typeof read !== "object" || !("final_answer" in read)) return said(text);
    const list = make("dl", "commitment");
    const answer = typeof read.final_answer === "string" ? read.final_answer : JSON.stringify(read.final_answer);
    const items = [["Final answer", answer], ["Confidence", round(read.confidence)],
                   ["Reasoning", read.reasoning], ["Checked", (read.checklist || []).join?.("; ")]];
    for (const [name, value] of items) if (value) list.append(make("dt", "", name), make("dd", "", String(value)));
    return list;
  }

  /** How the actions moved from one round to the next. */
  function moves(before, after) {
    const rows = before.actions.map(([t, p], agent) => {
      const [u, v] = after.actions[agent];
      const sign = (x) => (x >= 0 ? "+" : "−") + Math.abs(x).toFixed(3);
      return make("li", "", `Executor ${agent + 1}: T ${round(t)} → ${round(u)} (${sign(u - t)}), ` +
        `${SECOND} ${round(p)} → ${round(v)} (${sign(v - p)})`);
    });
    return make("div", "event", make("strong", "", "Refinement"), make("ul", "", ...rows));
  }

  const STOPS = {
    "same commitment": "the coordinator committed to the same again",
    "small step": "no executor would move by more than the threshold",
    oscillation: "commitments went back and forth",
    "max iterations": "all rounds were played",
    "no refinement": "none was asked for",
  };

  function timeline(shown) {
    const { found } = shown, steps = found.steps || [];
    const nodes = [];
    let current = null;
    for (const call of found.calls) {
      const step = steps.find((one) => one.round === call.round) || null;
      if (call.round !== current && found.rounds > 1) {
        const before = steps.find((one) => one.round === current);
        if (before && step && before.actions && step.actions) nodes.push(moves(before, step));
        nodes.push(make("h4", "", `Round ${call.round + 1}`));
      }
      current = call.round;
      nodes.push(speech(shown, call, step));
    }
    if (found.stop) {
      const why = STOPS[found.stop];
      nodes.push(make("p", "event", `Ended: ${found.stop}` + (why ? `, that is, ${why}.` : ".")));
    }
    return nodes;
  }

  /** A search's tree as nested lists: what each node says, and by which numbers it was chosen. */
  function tree(nodes) {
    const children = new Map();
    for (const node of nodes) children.set(node.parent, [...(children.get(node.parent) || []), node]);
    const branch = (parent) => {
      const list = make("ul", "tree");
      for (const node of children.get(parent) || []) {
        const about = ["action", "value", "reward", "useful", "visits"]
          .filter((name) => node[name] !== undefined && node[name] !== null)
          .map((name) => `${name} ${Number.isInteger(node[name]) || typeof node[name] === "string" ? node[name] : round(node[name])}`);
        const texts = [node.question && `Sub-question: ${node.question}`, node.text, node.answer && `Answer: ${node.answer}`];
        list.append(make("li", "", make("span", "part", about.join(" · ")),
                         said(texts.filter(Boolean).join("\n") || "(the problem)"),
                         children.has(node.id) ? branch(node.id) : null));
      }
      return list;
    };
    return branch(null);
  }

  /** A plan day by day, and what became of each constraint. */
  function plan(found) {
    let days = null;
    try { days = JSON.parse(found.answer); } catch { return null; }
    if (!Array.isArray(days)) return null;
    const keys = ["days", "current_city", "transportation", "breakfast", "attraction", "lunch", "dinner", "accommodation"];
    const head = make("tr", "", ...keys.map((key) => make("th", "", key.replace("_", " "))));
    const body = days.map((day) => make("tr", "", ...keys.map((key) => make("td", "wrap", String(day[key] ?? "–")))));
    return make("div", "scroll", make("table", "", make("thead", "", head), make("tbody", "", ...body)));
  }

  function constraints(found) {
    const all = Object.entries((found.detail || {}).constraints || {});
    if (!all.length) return null;
    const word = (value) => (value === true ? "met" : value === false ? "not met" : "does not apply");
    return folded("Constraints", make("ul", "", ...all.map(([name, value]) =>
      make("li", value === false ? "wrong" : "", `${name.replaceAll("_", " ")}: ${word(value)}`))));
  }

  const verdictOfEpisode = (found) => (found.invalid ? "invalid" : found.correct ? "right" : "wrong");

  function column(shown) {
    const { job, id, found } = shown;
    const tokens = found.calls.reduce((sum, call) => sum + call.prompt_tokens + call.completion_tokens, 0);
    const title = make("h3", "", link(address(job, id), `${job.method}, N = ${job.n}, seed ${job.seed}`), " ",
                       badge(verdictOfEpisode(found)));
    const facts = [
      found.answer === null ? `No answer: ${found.reason}` : `Answer ${found.answer.slice(0, 200)}`,
      `${found.calls.length} calls, ${tokens.toLocaleString("en")} tokens`,
    ];
    if (found.simulated) facts.unshift("SIMULATED");
    if (found.recorded) facts.unshift(`RECORDED: ${found.recorded}`);
    const node = make("div", "episode", title, make("p", "caption", facts.join(" · ")));
    const extra = [plan(found), constraints(found),
                   found.detail && found.detail.tree ? folded("Search tree", tree(found.detail.tree)) : null];
    node.append(...extra.filter(Boolean), ...timeline(shown));
    return node;
  }

  // ---- the two views ----------------------------------------------------------------------------------------

  let listed = []; // the last list, for next and previous
  let token = 0; // a view that is drawn late must not replace a newer one

  async function showEpisode(path, query) {
    const mine = ++token;
    const [benchmark, method, team, ...rest] = path;
    const id = rest.join("/"), job = find(benchmark, method, team);
    if (!job || !entryOf(job, id)) return replace(mine, [missing(path.join("/"))]);
    const shown = await episode(job, id);
    const others = jobs.filter((one) => one !== job && one.benchmark === benchmark && entryOf(one, id));
    const beside = query.get("with") ? others.find((one) => `${one.method}/${nameOf(one)}` === query.get("with")) : null;
    const second = beside ? await episode(beside, id) : null;
    const choose = make("select", "", option("", "nothing beside it"),
      ...others.map((one) => option(`${one.method}/${nameOf(one)}`, `${one.method} N = ${one.n}, seed ${one.seed}: ${entryOf(one, id)[1]}`)));
    choose.value = beside ? `${beside.method}/${nameOf(beside)}` : "";
    choose.onchange = () => { location.hash = address(job, id) + (choose.value ? `?with=${choose.value}` : ""); };
    const ids = listed.length ? listed : job.episodes.map((entry) => entry[0]);
    const at = ids.indexOf(id);
    const suffix = beside ? `?with=${beside.method}/${nameOf(beside)}` : "";
    const step = (place, text) => (at >= 0 && ids[place] ? link(address(job, ids[place]) + suffix, text, "step") : make("span", "step off", text));
    const head = make("div", "bar", link("#", "Report"), link(back(benchmark, job), "All episodes"),
      step(at - 1, "← previous"), step(at + 1, "next →"), labelled("Beside it", choose));
    const gold = shown.found.gold === null ? null : make("p", "caption", `Gold: ${shown.found.gold}`);
    const problem = make("div", "problem", make("h1", "", `${benchmark} · ${id}`), said(shown.prompt), gold);
    const columns = make("div", second ? "columns two" : "columns", column(shown), second ? column(second) : null);
    replace(mine, [head, problem, columns]);
  }

  const option = (value, text) => { const node = make("option", "", text); node.value = value; return node; };
  const labelled = (text, node) => make("label", "", `${text} `, node);
  const missing = (what) => make("p", "wrong", `There is no episode ${what} on this page.`);
  const back = (benchmark, job) => `#/episodes?b=${benchmark}&n=${job.n}&s=${job.seed}`;

  function replace(mine, nodes) {
    if (mine !== token) return;
    browser.replaceChildren(...nodes);
    browser.hidden = false;
    report.hidden = true;
    window.scrollTo(0, 0);
  }

  const FILTERS = {
    all: ["all", () => true],
    right: ["right by every method", (marks) => marks.every((entry) => entry[1] === "right")],
    wrong: ["wrong by a method", (marks) => marks.some((entry) => entry[1] === "wrong")],
    invalid: ["INVALID by a method", (marks) => marks.some((entry) => entry[1] === "invalid")],
    disagree: ["methods disagree", (marks) => new Set(marks.map((entry) => entry[1] === "right")).size > 1],
    cut: ["a call was cut", (marks) => marks.some((entry) => entry[3])],
  };

  async function showList(query) {
    const mine = ++token;
    const unique = (key, among) => [...new Set(among.map((job) => job[key]))];
    const benchmark = query.get("b") || jobs[0].benchmark;
    const here = jobs.filter((job) => job.benchmark === benchmark);
    if (!here.length) return replace(mine, [missing(benchmark)]);
    const n = Number(query.get("n") ?? here[0].n), seed = Number(query.get("s") ?? here[0].seed);
    const shown = here.filter((job) => job.n === n && job.seed === seed);
    const filter = FILTERS[query.get("f")] ? query.get("f") : "all", text = (query.get("q") || "").toLowerCase();
    const only = query.get("m") || "";
    const prompts = await block(`problems-${benchmark}`);
    const contents = text ? await Promise.all(shown.map((job) => block(job.block))) : [];
    const counted = shown.filter((job) => !only || job.method === only);
    const ids = (shown[0] ? shown[0].episodes.map((entry) => entry[0]) : []).filter((id) => {
      const marks = counted.map((job) => entryOf(job, id)).filter(Boolean);
      return marks.length && FILTERS[filter][1](marks) && (!text || mentions(id, text, prompts, shown, contents));
    });
    listed = ids;
    const go = (changes) => {
      const next = new URLSearchParams({ b: benchmark, n, s: seed, f: filter, m: only, q: query.get("q") || "", ...changes });
      location.hash = `#/episodes?${next}`;
    };
    const select = (label, key, values, value, texts) => {
      const node = make("select", "", ...values.map((one, i) => option(one, texts ? texts[i] : one)));
      node.value = value;
      node.onchange = () => go({ [key]: node.value });
      return labelled(label, node);
    };
    const search = make("input");
    search.type = "search"; search.value = query.get("q") || "";
    search.onchange = () => go({ q: search.value });
    const bar = make("div", "bar", link("#", "Report"),
      select("Benchmark", "b", unique("benchmark", jobs), benchmark), select("N", "n", unique("n", here), n),
      select("Seed", "s", unique("seed", here), seed),
      select("Method", "m", ["", ...unique("method", shown)], only, ["all", ...unique("method", shown)]),
      select("Show", "f", Object.keys(FILTERS), filter, Object.values(FILTERS).map((one) => one[0])),
      labelled("Search in texts", search));
    const head = make("tr", "", make("th", "", "Problem"), ...shown.map((job) => make("th", "", job.method)));
    const body = ids.map((id) => make("tr", "",
      make("td", "wrap", make("span", "part", id), make("br"), (prompts[id] || "").slice(0, 160)),
      ...shown.map((job) => cell(job, id))));
    const table = make("table", "episodes", make("thead", "", head), make("tbody", "", ...body));
    table.prepend(make("caption", "", `${ids.length} of ${shown[0] ? shown[0].episodes.length : 0} problems of ${benchmark}`));
    replace(mine, [bar, make("h1", "", "Episodes"), make("div", "scroll", table)]);
  }

  function mentions(id, text, prompts, shown, contents) {
    if ((prompts[id] || "").toLowerCase().includes(text) || id.toLowerCase().includes(text)) return true;
    return shown.some((job, i) => (contents[i].episodes[id]?.calls || []).some(
      (call) => contents[i].texts[call.text].toLowerCase().includes(text)));
  }

  function cell(job, id) {
    const entry = entryOf(job, id);
    if (!entry) return make("td", "", "–");
    const node = link(address(job, id), "", "");
    node.append(badge(entry[1]));
    if (entry[2] !== null) node.append(make("span", "read", ` ${entry[2].slice(0, 24)}`));
    return make("td", "", node);
  }

  function route() {
    const hash = decodeURI(location.hash.slice(1));
    const [path, queryText] = hash.split("?");
    const query = new URLSearchParams(queryText || ""), parts = path.split("/").slice(1);
    if (parts[0] === "episode") showEpisode(parts.slice(1), query).catch(failed);
    else if (parts[0] === "episodes") showList(query).catch(failed);
    else {
      token += 1;
      const was = report.hidden;
      browser.hidden = true;
      report.hidden = false;
      if (was && hash) document.getElementById(hash)?.scrollIntoView();
    }
  }

  function failed(fault) {
    replace(token, [make("p", "wrong", `This cannot be shown: ${fault.message}`), link("#", "Report")]);
  }

  window.addEventListener("hashchange", route);
  route();
})();
