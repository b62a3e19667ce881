"use strict";
// Draws what is in #data: {charts: [{title, stepped, gaps, series: [{name, points: [[seconds, value], …]}]}]}.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const colours = ["#2f7ed8", "#d9822b", "#2a9d62", "#a855c7", "#c0392b", "#7f8c3a", "#0f8b8d", "#8d6e63", "#5c6bc0"];
  const place = document.getElementById("charts");
  const ink = () => getComputedStyle(document.body).color;
  const rule = () => getComputedStyle(document.body).getPropertyValue("--rule").trim();
  const clock = (seconds) => {
    const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60, rest = Math.floor(seconds % 60);
    const two = (n) => String(n).padStart(2, "0");
    return hours ? hours + ":" + two(minutes) + ":" + two(rest) : minutes + ":" + two(rest);
  };
  // Steps of the clock, in seconds.
  const whole = [1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 604800];
  const plots = [];

  function makeBox(chart) {
    const box = document.createElement("div");
    box.className = "chart";
    const heading = document.createElement("h3");
    heading.textContent = chart.title;
    box.append(heading);
    place.append(box);
    return [chart, box];
  }

  function draw([chart, box]) {
    const times = [...new Set(chart.series.flatMap((series) => series.points.map((point) => point[0])))].sort((a, b) => a - b);
    const columns = chart.series.map((series) => {
      const known = new Map(series.points);
      return times.map((time) => (known.has(time) ? known.get(time) : null));
    });
    const axis = { stroke: ink, grid: { stroke: rule }, ticks: { stroke: rule } };
    const plot = new uPlot({
      width: box.clientWidth || 300,
      height: 220,
      scales: { x: { time: false } },
      series: [{ label: "time", value: (_, seconds) => (seconds === null ? "" : clock(seconds)) }].concat(
        chart.series.map((series, index) => ({ label: series.name, stroke: colours[index % colours.length], width: 2, spanGaps: !chart.gaps,
          paths: chart.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
          points: { show: times.length < 3 } }))),
      axes: [Object.assign({ values: (_, ticks) => ticks.map(clock), incrs: whole }, axis), Object.assign({ size: 70 }, axis)],
    }, [times, ...columns], box);
    plots.push([plot, box]);
  }

  // All boxes before the first plot: how wide one is depends on how many there are.
  data.charts.filter((chart) => chart.series.length > 0).map(makeBox).forEach(draw);
  addEventListener("resize", () => plots.forEach(([plot, box]) => plot.setSize({ width: box.clientWidth, height: 220 })));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach(([plot]) => plot.redraw()));
  // For the page's test.
  document.body.dataset.charts = String(plots.length);
  document.body.dataset.points = String(plots.reduce((sum, [plot]) => sum + plot.data[0].length, 0));
})();
