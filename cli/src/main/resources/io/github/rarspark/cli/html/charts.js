"use strict";

// Draws each chart into the figure that holds its data as JSON: title, x, ticks, xs, lines of name and values.
{
  const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
  const HEIGHT = 320;
  const MOST_POINTS = 50; // with more, a line without dots is clearer

  for (const figure of document.querySelectorAll("figure.chart")) {
    const { title, x, ticks, xs, lines } = JSON.parse(figure.querySelector("script").textContent);
    const named = ticks.length > 0;
    const padded = (plot, low, high) => {
      const margin = named ? 0.5 : 0.04 * (high - low || 1);
      return [low - margin, high + margin];
    };
    const plot = new uPlot(
      {
        title,
        width: figure.clientWidth,
        height: HEIGHT,
        scales: { x: { time: false, range: padded } },
        axes: [
          named ? { label: x, splits: () => ticks.map((_, i) => i), values: () => ticks } : { label: x },
          { size: 80 },
        ],
        series: [
          { label: x, value: (_, value) => (value == null ? "" : named ? ticks[value] : String(value)) },
          ...lines.map((line, i) => ({
            label: line.name,
            stroke: COLORS[i % COLORS.length],
            dash: i < COLORS.length ? [] : [6, 4],
            width: 2,
            spanGaps: true,
            points: { show: xs.length <= MOST_POINTS },
          })),
        ],
      },
      [xs, ...lines.map((line) => line.values)],
      figure,
    );
    addEventListener("resize", () => plot.setSize({ width: figure.clientWidth, height: HEIGHT }));
  }
}
