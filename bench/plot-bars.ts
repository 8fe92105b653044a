/** Horizontal bars in groups, as SVG text in the manner of plot.ts. */
import { colours, escapeXml, numberText, svgStyle } from './plot.ts';

export interface BarChart {
  readonly title: string;
  readonly groups: readonly {
    readonly name: string;
    readonly bars: readonly { readonly name: string; readonly value: number }[];
  }[];
}

const size = { width: 860, title: 44, bar: 20, gap: 14, left: 250, right: 90 } as const;

/** One scale for all groups; each bar ends with its number. */
export function renderBars({ title, groups }: BarChart): string {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const lines: string[] = [];
  let y = size.title;
  for (const { name, bars } of groups) {
    lines.push(`<text x="12" y="${y + 14}" font-weight="bold">${escapeXml(name)}</text>`);
    bars.forEach(({ name: label, value }, place) => {
      const width = Math.max(1, ((size.width - size.left - size.right) * value) / most);
      lines.push(
        `<text x="${size.left - 8}" y="${y + 14}" text-anchor="end">${escapeXml(label)}</text>`,
        `<rect x="${size.left}" y="${y + 2}" width="${width.toFixed(1)}" height="${size.bar - 4}" fill="${colours[place % colours.length]}"/>`,
        `<text x="${(size.left + width + 6).toFixed(1)}" y="${y + 14}">${numberText(value)}</text>`,
      );
      y += size.bar;
    });
    y += size.gap;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${y}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    svgStyle,
    `<text x="12" y="24" font-size="15" font-weight="bold">${escapeXml(title)}</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}
