/** Charts as SVG text, for bench/results: panels below each other, readable on light and dark pages, no script, no font of its own. */

export interface Chart {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  /** Label with its unit. */
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Vertical lines with a name, in units of x. */
  readonly marks?: readonly { readonly at: number; readonly name: string }[];
}

export interface Axis {
  readonly label: string;
  /** Least range shown; data beyond it widens it. */
  readonly from?: number;
  readonly to?: number;
}

export interface Series {
  readonly name: string;
  /** steps: each value holds until the next point. */
  readonly kind: 'line' | 'points' | 'steps';
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Written beside its first point. */
  readonly label?: string;
}

const size = { width: 860, panel: 250, title: 44, left: 70, right: 170, top: 14, bottom: 46 } as const;
/** Okabe and Ito's colours, which colour-blind people tell apart; black and yellow left out, as they vanish on one kind of page. */
export const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const;
const ticksWanted = 6;

export const svgStyle =
  '<style>text{fill:#333}.grid{stroke:#8884;stroke-width:1}.axis{stroke:#888}@media(prefers-color-scheme:dark){text{fill:#ccc}}</style>';

export function renderChart({ title, panels }: Chart): string {
  const height = size.title + panels.length * size.panel;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    svgStyle,
    `<text x="${size.left}" y="24" font-size="15" font-weight="bold">${escapeXml(title)}</text>`,
    ...panels.flatMap((panel, place) => renderPanel(panel, size.title + place * size.panel)),
    '</svg>',
    '',
  ].join('\n');
}

function renderPanel({ x, y, series, marks = [] }: Panel, top: number): string[] {
  const area = {
    left: size.left,
    right: size.width - size.right,
    top: top + size.top,
    bottom: top + size.panel - size.bottom,
  };
  const xs = scaleOf(
    x,
    series.flatMap(({ points }) => points.map(([value]) => value)),
    [area.left, area.right],
  );
  const ys = scaleOf(
    y,
    series.flatMap(({ points }) => points.map(([, value]) => value)),
    [area.bottom, area.top],
  );
  const middle = (area.top + area.bottom) / 2;
  return [
    ...xs.ticks.map(
      (tick) =>
        `<line class="grid" x1="${px(xs.at(tick))}" x2="${px(xs.at(tick))}" y1="${area.top}" y2="${area.bottom}"/>` +
        `<text x="${px(xs.at(tick))}" y="${area.bottom + 16}" text-anchor="middle">${numberText(tick)}</text>`,
    ),
    ...ys.ticks.map(
      (tick) =>
        `<line class="grid" x1="${area.left}" x2="${area.right}" y1="${px(ys.at(tick))}" y2="${px(ys.at(tick))}"/>` +
        `<text x="${area.left - 6}" y="${px(ys.at(tick) + 4)}" text-anchor="end">${numberText(tick)}</text>`,
    ),
    `<path class="axis" fill="none" d="M${area.left} ${area.top}V${area.bottom}H${area.right}"/>`,
    `<text x="${(area.left + area.right) / 2}" y="${area.bottom + 36}" text-anchor="middle">${escapeXml(x.label)}</text>`,
    `<text transform="translate(16 ${middle}) rotate(-90)" text-anchor="middle">${escapeXml(y.label)}</text>`,
    ...marks.map(
      ({ at, name }) =>
        `<line class="axis" stroke-dasharray="4 3" x1="${px(xs.at(at))}" x2="${px(xs.at(at))}" y1="${area.top}" y2="${area.bottom}"/>` +
        `<text x="${px(xs.at(at) + 4)}" y="${area.top + 10}">${escapeXml(name)}</text>`,
    ),
    ...series.flatMap((one, place) => {
      const colour = colours[place % colours.length]!;
      const legend = area.top + 8 + place * 18;
      return [
        `<g stroke="${colour}" fill="${colour}">`,
        ...renderSeries(one, ([a, b]) => [xs.at(a), ys.at(b)]),
        `<circle cx="${area.right + 14}" cy="${legend}" r="4"/></g>`,
        `<text x="${area.right + 24}" y="${legend + 4}">${escapeXml(one.name)}</text>`,
      ];
    }),
  ];
}

type Point = readonly [x: number, y: number];

function renderSeries({ kind, points, label }: Series, place: (point: Point) => Point): string[] {
  const placed = points.map(place);
  const first = placed[0];
  if (first === undefined) return [];
  const text =
    label === undefined
      ? []
      : [`<text stroke="none" x="${px(first[0] + 6)}" y="${px(first[1] - 6)}">${escapeXml(label)}</text>`];
  if (kind === 'points') {
    return [
      ...placed.map(
        ([x, y]) => `<circle cx="${px(x)}" cy="${px(y)}" r="2" fill-opacity="0.6" stroke="none"/>`,
      ),
      ...text,
    ];
  }
  const path = placed
    .map(([x, y], index) => {
      if (index === 0) return `M${px(x)} ${px(y)}`;
      return kind === 'steps' ? `H${px(x)}V${px(y)}` : `L${px(x)} ${px(y)}`;
    })
    .join('');
  return [`<path fill="none" stroke-width="1.8" d="${path}"/>`, ...text];
}

function scaleOf({ from, to }: Axis, values: readonly number[], [start, end]: readonly [number, number]) {
  const finite = values.filter(Number.isFinite);
  const least = finite.reduce((a, b) => Math.min(a, b), from ?? Number.POSITIVE_INFINITY);
  const most = finite.reduce((a, b) => Math.max(a, b), to ?? Number.NEGATIVE_INFINITY);
  const low = Number.isFinite(least) ? least : 0;
  const high = most > low ? most : low + 1;
  const at = (value: number) => start + ((value - low) / (high - low)) * (end - start);
  return { at, ticks: ticksOf(low, high) };
}

/** Round numbers in a range. */
function ticksOf(low: number, high: number): number[] {
  const rough = (high - low) / ticksWanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

export const numberText = (value: number) => String(Number(value.toPrecision(6)));
const px = (value: number) => String(Math.round(value * 10) / 10);

export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
