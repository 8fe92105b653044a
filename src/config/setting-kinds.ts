/** The kinds of value a setting can have. `parse` throws an Error whose message completes "NAME ...". */
export interface Setting<T> {
  readonly parse: (raw: string) => T;
  /** undefined: absent stays absent, or follows other settings (then `fallbackNote` says how). */
  readonly fallback: T;
  readonly fallbackNote: string | undefined;
  readonly unit: string | undefined;
  readonly doc: string;
  /** Never shown; may also come from the file named by NAME_FILE. */
  readonly secret: boolean;
  /** What may be written, for the documentation. */
  readonly accepts: string;
}

interface Common {
  readonly doc: string;
  readonly unit?: string;
  readonly fallbackNote?: string;
  readonly secret?: boolean;
}

const common = (own: Common) => ({
  doc: own.doc,
  unit: own.unit,
  fallbackNote: own.fallbackNote,
  secret: own.secret ?? false,
});

interface Range extends Common {
  readonly min: number;
  readonly max: number;
  readonly fallback: number;
}

export function integer(own: Range): Setting<number> {
  const parse = (raw: string) => {
    if (!/^[+-]?\d+$/.test(raw)) throw new Error(`must be a whole number, not "${raw}"`);
    return withinRange(Number(raw), own);
  };
  return { ...common(own), parse, fallback: own.fallback, accepts: `whole number, ${own.min} to ${own.max}` };
}

export function decimal(own: Range): Setting<number> {
  const parse = (raw: string) => {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(raw)) throw new Error(`must be a number, not "${raw}"`);
    return withinRange(Number(raw), own);
  };
  return { ...common(own), parse, fallback: own.fallback, accepts: `number, ${own.min} to ${own.max}` };
}

function withinRange(value: number, { min, max }: { min: number; max: number }): number {
  if (value < min || value > max) throw new Error(`must be between ${min} and ${max}, not ${value}`);
  return value;
}

export function choice<const C extends string>(
  own: Common & { readonly choices: readonly C[]; readonly fallback: NoInfer<C> },
): Setting<C>;
export function choice<const C extends string>(
  own: Common & { readonly choices: readonly C[] },
): Setting<C | undefined>;
export function choice<const C extends string>(
  own: Common & { readonly choices: readonly C[]; readonly fallback?: NoInfer<C> },
): Setting<C | undefined> {
  const parse = (raw: string) => {
    const found = own.choices.find((one) => one === raw);
    if (found === undefined) throw new Error(`must be one of ${own.choices.join(', ')}, not "${raw}"`);
    return found;
  };
  return { ...common(own), parse, fallback: own.fallback, accepts: own.choices.join(' \\| ') };
}

export function flag(own: Common & { readonly fallback: boolean }): Setting<boolean> {
  const parse = (raw: string) => {
    if (raw !== 'on' && raw !== 'off') throw new Error(`must be on or off, not "${raw}"`);
    return raw === 'on';
  };
  return { ...common(own), parse, fallback: own.fallback, accepts: 'on \\| off' };
}

export function text(own: Common & { readonly fallback: string }): Setting<string>;
export function text(own: Common): Setting<string | undefined>;
export function text(own: Common & { readonly fallback?: string }): Setting<string | undefined> {
  const parse = (raw: string) => raw;
  return { ...common(own), parse, fallback: own.fallback, accepts: 'text' };
}

export function url(own: Common & { readonly fallback: string }): Setting<string>;
export function url(own: Common): Setting<string | undefined>;
export function url(own: Common & { readonly fallback?: string }): Setting<string | undefined> {
  const parse = (raw: string) => {
    if (!URL.canParse(raw) || !/^https?:/.test(raw)) throw new Error(`must be an http(s) URL, not "${raw}"`);
    return raw.replace(/\/+$/, '');
  };
  return { ...common(own), parse, fallback: own.fallback, accepts: 'http(s) URL' };
}

export function list(own: Common & { readonly fallback: readonly string[] }): Setting<readonly string[]> {
  const parse = (raw: string) =>
    raw
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
  return { ...common(own), parse, fallback: own.fallback, accepts: 'list, separated by commas' };
}
