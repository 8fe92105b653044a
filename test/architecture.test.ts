/**
 * The borders between folders hold, and every rule that says so objects when its border is crossed: the rules are run
 * over this repository, and over small trees made for the purpose.
 */
import { describe, expect, it } from 'vitest';
import { allowed, crossingsOf } from './architecture/border-cases.ts';
import { judge, root, ruleNames, violationsOf } from './architecture/cruise-cases.ts';

describe('borders between folders', () => {
  it('hold in this repository', async () => {
    expect(await violationsOf(root)).toEqual([]);
  });

  it('have a forbidden import for every rule in the table of cases', () => {
    expect(
      crossingsOf(ruleNames)
        .map(({ rule }) => rule)
        .sort(),
    ).toEqual([...ruleNames].sort());
  });

  it('object when they are crossed, each with its own rule', async () => {
    const cases = crossingsOf(ruleNames);
    const violations = await judge(cases);
    const silent = cases.filter(
      ({ rule, file }) => !violations.some((one) => one.rule === rule && one.from === file),
    );
    expect(silent.map(({ rule, file }) => `${rule}: ${file}`)).toEqual([]);
  });

  it('let through what the design allows', async () => {
    expect(await judge(allowed)).toEqual([]);
  });
});
