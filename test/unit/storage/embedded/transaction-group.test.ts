/** What cannot be seen from outside: a write that fails breaks a group off, and nothing of it is committed. */
import { expect, it } from 'vitest';
import { TransactionGroup } from '../../../../src/storage/embedded/transaction-group.ts';

function openGroup() {
  const executed: string[] = [];
  const group = new TransactionGroup({
    exec: (sql) => executed.push(sql),
    commitWith: (durability) => executed.push(durability),
    committed: () => executed.push('committed'),
  });
  return { group, executed };
}

it('commits nothing any more when a write has failed, and does nothing', () => {
  const { group, executed } = openGroup();
  group.write('FULL', () => 'first');
  const fail = () =>
    group.write('FULL', () => {
      throw new Error('this one only');
    });
  expect(fail).toThrow('this one only');
  const done = () => executed.push('third');
  expect(() => group.write('FULL', done)).toThrow('this one only');
  expect(() => group.read(done)).toThrow('this one only');
  expect(() => group.commit()).toThrow('this one only');
  expect(executed).toStrictEqual(['FULL', 'BEGIN IMMEDIATE']);
});

it('goes on when a read has failed', () => {
  const { group, executed } = openGroup();
  group.write('FULL', () => 'first');
  const fail = () =>
    group.read(() => {
      throw new Error('this one only');
    });
  expect(fail).toThrow('this one only');
  expect(group.write('FULL', () => 'third')).toBe('third');
  group.commit();
  expect(executed).toStrictEqual(['FULL', 'BEGIN IMMEDIATE', 'COMMIT', 'committed']);
});
