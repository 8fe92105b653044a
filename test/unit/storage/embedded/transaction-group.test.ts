/** What cannot be seen from outside: a store that cannot take one failed write back loses the whole group, and says so. */
import { expect, it } from 'vitest';
import { TransactionGroup } from '../../../../src/storage/embedded/transaction-group.ts';

function openGroup(fails: string) {
  const executed: string[] = [];
  const group = new TransactionGroup({
    inTransaction: true,
    exec(sql) {
      executed.push(sql);
      if (sql.startsWith(fails)) throw new Error('disk I/O error');
    },
    commitWith: () => {},
    committed: () => executed.push('committed'),
  });
  /** A write that throws. */
  const fail = () =>
    group.write('FULL', () => {
      throw new Error('this one only');
    });
  return { group, executed, fail };
}

it('takes a write that failed back alone', () => {
  const { group, executed, fail } = openGroup('nothing');
  group.write('FULL', () => 'first');
  expect(fail).toThrow();
  group.write('FULL', () => 'third');
  group.commit();
  expect(executed.filter((sql) => sql.startsWith('ROLLBACK'))).toStrictEqual([
    'ROLLBACK TO one; RELEASE one',
  ]);
  expect(executed.slice(-2)).toStrictEqual(['COMMIT', 'committed']);
});

it('commits nothing any more when a write that failed cannot be taken back', () => {
  const { group, executed, fail } = openGroup('ROLLBACK TO');
  group.write('FULL', () => 'first');
  expect(fail).toThrow();
  expect(() => group.write('FULL', () => 'third')).toThrow();
  expect(() => group.read(() => 'fourth')).toThrow();
  expect(() => group.commit()).toThrow();
  expect(executed).not.toContain('COMMIT');
});
