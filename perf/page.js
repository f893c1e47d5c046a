// Tells how long the page takes: run at its end by perf/page.py, which listens at PORT.
const wait = (test) => new Promise((done) => { const look = () => (test() ? done() : setTimeout(look, 1)); look(); });
addEventListener("load", () => setTimeout(async () => {
  await wait(() => document.querySelector("#figure-tradeoff canvas"));
  const told = { ready: performance.now(), list: 0, fresh: [], same: [] };
  const jobs = JSON.parse(document.getElementById("episode-index").textContent);
  const title = () => document.querySelector("#browser h1")?.textContent;
  const go = async (hash, test) => {
    const start = performance.now(); location.hash = hash; await wait(test); return performance.now() - start;
  };
  told.list = await go("#/episodes?b=" + jobs[0].benchmark, () => title() === "Episodes");
  for (const job of jobs.filter((_, i) => i % 7 === 0))
    for (const [name, at] of [["fresh", 3], ["same", 5], ["same", 6]]) {
      const id = job.episodes[at][0];
      const shown = () => title()?.endsWith(`· ${id}`) && document.querySelector("#browser h3")?.textContent.startsWith(job.method + ",");
      told[name].push(await go(`#/episode/${job.benchmark}/${job.method}/n${job.n}-s${job.seed}/${id}`, shown));
    }
  navigator.sendBeacon("http://127.0.0.1:PORT/", JSON.stringify(told));
}, 0));
