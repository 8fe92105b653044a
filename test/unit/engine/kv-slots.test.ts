/** Slot bookkeeping against a cache that holds what was written into it: whoever moves must find its own again. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KvSlots, type SlotHolder } from '../../../src/engine/kv-slots.ts';

interface Holder extends SlotHolder {
  readonly name: string;
}

const createHolder = (name: string, cached = 3): Holder => ({ name, slot: null, cached });

/** Slots with a cache of names; `write` is what a prefill does. */
function createSlots(capacity: number) {
  const cache = new Array<string>(capacity).fill('');
  const copies: string[] = [];
  const slots = new KvSlots<Holder>(capacity, (from, to, length) => {
    cache[to] = cache[from]!;
    copies.push(`${from}>${to}:${length}`);
  });
  const write = (holder: Holder) => {
    cache[holder.slot!] = holder.name;
  };
  /** Lets holders in one by one, each prefilled and in the batch. */
  const enter = (...holders: readonly Holder[]) => {
    for (const holder of holders) {
      slots.take(holder);
      write(holder);
      slots.join([holder]);
    }
  };
  return { slots, cache, copies, write, enter };
}

test('slots are given in order, and the batch is what has joined', () => {
  const { slots, enter } = createSlots(4);
  const [a, b, c] = [createHolder('a'), createHolder('b'), createHolder('c')];
  enter(a, b);
  slots.take(c);
  expect(slots.decoding).toEqual([a, b]);
  expect([a.slot, b.slot, c.slot]).toEqual([0, 1, 2]);
  expect([slots.used, slots.free]).toEqual([3, 1]);
});

test('the last of the batch is copied into a gap, and the last of all into the place that it leaves', () => {
  const { slots, cache, copies, enter, write } = createSlots(5);
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => createHolder(name)) as [
    Holder,
    Holder,
    Holder,
    Holder,
    Holder,
  ];
  enter(a, b, c);
  for (const holder of [d, e]) {
    slots.take(holder);
    write(holder);
  }
  slots.release([a]);
  expect(copies).toEqual(['2>0:3', '4>2:3']);
  expect(cache.slice(0, 4)).toEqual(['c', 'b', 'e', 'd']);
  expect(slots.decoding).toEqual([c, b]);
  slots.join([d, e]);
  expect(slots.decoding).toEqual([c, b, e, d]);
});

test('those that leave together are not copied about', () => {
  const { slots, copies, enter } = createSlots(4);
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => createHolder(name)) as [
    Holder,
    Holder,
    Holder,
    Holder,
  ];
  enter(a, b, c, d);
  slots.release([b, d, c]);
  expect(copies).toEqual([]);
  slots.release([a]);
  expect(slots.used).toBe(0);
});

test('an empty slot is moved without a copy', () => {
  const { slots, copies, enter } = createSlots(3);
  const [a, empty] = [createHolder('a'), createHolder('empty', 0)];
  enter(a);
  slots.take(empty);
  slots.release([a]);
  expect(copies).toEqual([]);
  expect(empty.slot).toBe(0);
});

test('a slot is freed once: a second time is a bug', () => {
  const { slots, enter } = createSlots(2);
  const [a, b] = [createHolder('a'), createHolder('b')];
  enter(a, b);
  slots.release([a]);
  expect(() => slots.release([a])).toThrow('does not hold its slot');
  expect(() => slots.release([b, b])).toThrow('does not hold its slot');
});

test('what never took a slot cannot free the one it names', () => {
  const { slots, enter } = createSlots(2);
  enter(createHolder('a'));
  const stranger: Holder = { name: 'stranger', slot: 0, cached: 1 };
  expect(() => slots.release([stranger])).toThrow('does not hold its slot');
});

test('taking twice, taking beyond the capacity and joining out of turn are bugs', () => {
  const { slots } = createSlots(2);
  const [a, b] = [createHolder('a'), createHolder('b')];
  slots.take(a);
  expect(() => slots.take(a)).toThrow('has a slot already');
  slots.take(b);
  expect(() => slots.take(createHolder('c'))).toThrow('no slot is free');
  expect(() => slots.join([b])).toThrow('not the first one behind the batch');
});

test('through any comings and goings everybody finds its own cache, without gaps', () => {
  const actions = fc.array(
    fc.record({ takes: fc.boolean(), size: fc.integer({ min: 1, max: 3 }), pick: fc.nat() }),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(actions, (steps) => {
      const { slots, cache, write } = createSlots(7);
      const inside: Holder[] = [];
      /** The block behind the batch, if there is one. */
      let block: Holder[] = [];
      let names = 0;
      for (const { takes, size, pick } of steps) {
        if (takes && block.length === 0 && slots.free >= size) {
          block = Array.from({ length: size }, () => createHolder(`${names++}`));
          for (const holder of block) {
            slots.take(holder);
            write(holder);
          }
          inside.push(...block);
        } else if (block.length > 0 && pick % 2 === 0) {
          slots.join(block);
          block = [];
        } else if (inside.length > 0) {
          const leaving = inside.filter((_, index) => (pick >> index) % 2 === 1);
          // A request that is half prefilled leaves as a whole.
          const all = leaving.some((holder) => block.includes(holder))
            ? [...new Set([...leaving, ...block])]
            : leaving;
          slots.release(all);
          for (const holder of all) inside.splice(inside.indexOf(holder), 1);
          if (all.some((holder) => block.includes(holder))) block = [];
        }
        expect(inside.map(({ slot }) => slot).sort((a, b) => a! - b!)).toEqual([...inside.keys()]);
        for (const { name, slot } of inside) expect(cache[slot!]).toBe(name);
        expect(slots.decodingCount).toBe(inside.length - block.length);
        slots.decoding.forEach((holder, slot) => {
          expect(holder.slot).toBe(slot);
        });
      }
      slots.release(inside);
      expect(slots.totals.freed).toBe(slots.totals.taken);
    }),
    { seed: 42, numRuns: 500 },
  );
});
