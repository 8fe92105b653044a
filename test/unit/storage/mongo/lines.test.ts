import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  below,
  branchTo,
  type Fork,
  isOn,
  type LinePlace,
  newestOf,
  pageOf,
  rootFork,
} from '../../../../src/storage/mongo/lines.ts';

interface Node extends LinePlace {
  readonly parent: number | null;
}

/** A tree as a store makes it: the first answer to a message goes on with its line. `parents` choose among the nodes so far. */
function grow(parents: readonly number[]): { nodes: Node[]; forks: Map<number, Fork> } {
  const nodes: Node[] = [];
  const forks = new Map<number, Fork>();
  for (const choice of parents) {
    const seq = nodes.length + 1;
    const parent = choice % (nodes.length + 1) === 0 ? null : (choice % (nodes.length + 1)) - 1;
    const above = parent === null ? null : nodes[parent]!;
    const hasFollower = above === null || nodes.some((one) => one.line === above.line && one.seq > above.seq);
    if (hasFollower) forks.set(seq, above === null ? rootFork : { line: above.line, seq: above.seq });
    nodes.push({ parent, seq, line: hasFollower ? seq : above.line });
  }
  return { nodes, forks };
}

const tree = fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 30 }).map(grow);

function ancestors(nodes: readonly Node[], index: number): number[] {
  const { parent } = nodes[index]!;
  return parent === null ? [index] : [...ancestors(nodes, parent), index];
}

describe('the lines of a conversation', () => {
  it('hold a branch as its messages from the root to the leaf, and no other', () => {
    fc.assert(
      fc.property(tree, fc.nat(), ({ nodes, forks }, choice) => {
        const leaf = choice % nodes.length;
        const stretches = branchTo(forks, nodes[leaf]!);
        const found = nodes.flatMap((node, index) => (isOn(stretches, node) ? [index] : []));
        expect(found).toEqual(ancestors(nodes, leaf));
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('hold what hangs below a message, and itself', () => {
    fc.assert(
      fc.property(tree, fc.nat(), ({ nodes, forks }, choice) => {
        const top = choice % nodes.length;
        const stretches = below(forks, nodes[top]!);
        for (const [index, node] of nodes.entries())
          expect(isOn(stretches, node)).toBe(ancestors(nodes, index).includes(top));
      }),
      { numRuns: 500, seed: 2 },
    );
  });

  it('give a page the stretches that hold its newest messages before a seq', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.integer({ min: 1, max: 32 }), ({ nodes, forks }, choice, beforeSeq) => {
        const leaf = choice % nodes.length;
        const stretches = pageOf(branchTo(forks, nodes[leaf]!), beforeSeq, 3);
        const wanted = ancestors(nodes, leaf).filter((index) => nodes[index]!.seq < beforeSeq);
        const found = nodes.flatMap((node, index) => (isOn(stretches, node) ? [index] : []));
        expect(found.slice(-3)).toEqual(wanted.slice(-3));
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it('are cut to their newest places', () => {
    const stretches = [
      { line: 20, from: 20, to: 23 },
      { line: 1, from: 1, to: 9 },
    ];
    expect(newestOf(stretches, 3)).toEqual([{ line: 20, from: 21, to: 23 }]);
    expect(newestOf(stretches, 4)).toEqual([{ line: 20, from: 20, to: 23 }]);
    expect(newestOf(stretches, 6)).toEqual([
      { line: 20, from: 20, to: 23 },
      { line: 1, from: 8, to: 9 },
    ]);
    expect(newestOf(stretches, 99)).toEqual(stretches);
  });

  it('fail where nobody knows a line', () => {
    expect(() => branchTo(new Map(), { line: 4, seq: 5 })).toThrow(/line 4/);
  });
});
