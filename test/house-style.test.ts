/** The rules of ARCHITECTURE.md and CONTRIBUTING.md that a program can check in the sources, and that the checks object. */
import { describe, expect, it } from 'vitest';
import { breachesOf, impuritiesOf } from './architecture/measure-source.ts';
import { listFiles, read } from './architecture/source-files.ts';

const SOURCES = /\.(ts|tsx|js|cjs)$/;
const sources = listFiles('.', SOURCES);
const isTest = (path: string) => path.startsWith('test/');

describe('sources', () => {
  it('keep files, functions and parameter lists short, without enums and inheritance', () => {
    const breaches = sources.flatMap((path) =>
      breachesOf(path, read(path), { functionLength: !isTest(path) }),
    );
    expect(breaches).toEqual([]);
  });

  it('have no barrel files', () => {
    expect(sources.filter((path) => /(^|\/)index\.(ts|tsx|js)$/.test(path))).toEqual([]);
  });

  it('have no leftover notes', () => {
    const own = 'test/house-style.test.ts';
    const left = sources.filter((path) => path !== own && /\b(TODO|FIXME|XXX|HACK)\b/.test(read(path)));
    expect(left).toEqual([]);
  });

  it('of tests switch none off for good, and none on alone', () => {
    const switches = /\b(it|test|describe)\.(skip|only|todo|fails)\b/;
    expect(sources.filter((path) => isTest(path) && switches.test(read(path)))).toEqual([]);
  });

  it('of pure folders read no clock, randomness or process', () => {
    const pure = /^src\/(conversation|engine|ranking|reactions|std)\//;
    const files = sources.filter((path) => pure.test(path));
    expect(files.length).toBeGreaterThan(0);
    // The system clock has to be somewhere; everybody else is given one.
    const impure = files.filter((path) => path !== 'src/std/clock.ts');
    expect(impure.flatMap((path) => impuritiesOf(path, read(path)))).toEqual([]);
  });

  it('leave the environment to src/config and the command line', () => {
    const readers = listFiles('src', SOURCES).filter((path) => /\bprocess\.env\b/.test(read(path)));
    expect(readers.filter((path) => !/^src\/(cli|config)\//.test(path))).toEqual([]);
  });
});

describe('the checks of the sources', () => {
  const breaches = (text: string) => breachesOf('a.ts', text, { functionLength: true });

  it('find a file of 401 lines and let one of 400 pass', () => {
    expect(breaches('//\n'.repeat(401))).toEqual(['a.ts:1 401 lines in the file']);
    expect(breaches('//\n'.repeat(400))).toEqual([]);
  });

  it('find a function of 71 lines and let one of 70 pass', () => {
    expect(breaches(`const f = () => {\n${'//\n'.repeat(69)}};`)).toEqual(['a.ts:1 71 lines in a function']);
    expect(breaches(`const f = () => {\n${'//\n'.repeat(68)}};`)).toEqual([]);
  });

  it('find a fourth parameter, of constructors too, and let three pass', () => {
    expect(breaches('function f(a, b, c, d) {}')).toEqual(['a.ts:1 4 parameters']);
    expect(breaches('class A { constructor(a, b, c, d) {} }')).toEqual(['a.ts:1 4 parameters']);
    expect(breaches('function f(a, b, c) {}')).toEqual([]);
  });

  it('find enums and inheritance, and let errors extend errors', () => {
    expect(breaches('enum A { b }\nclass C extends D {}')).toEqual([
      'a.ts:1 an enum',
      'a.ts:2 inherits from D',
    ]);
    expect(breaches('class A extends Error {}\nclass B implements C {}')).toEqual([]);
  });

  it('find what makes a pure folder impure', () => {
    const text =
      'Date.now();\nMath.random();\nprocess.exit();\nperformance.now();\nnew Date();\nsetTimeout(f, 1);';
    expect(impuritiesOf('a.ts', text)).toHaveLength(6);
    expect(impuritiesOf('a.ts', 'clock.now();\nnew Date(time);\n// Date.now() in a comment')).toEqual([]);
  });
});
