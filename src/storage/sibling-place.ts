import type { Siblings } from '../conversation/message.ts';

/** The place of one message among its versions. @param ordered their ids, by `seq` */
export function siblingPlace(ordered: readonly string[], index: number): Siblings {
  const [previousId, nextId] = [ordered[index - 1], ordered[index + 1]];
  return {
    index,
    count: ordered.length,
    ...(previousId === undefined ? {} : { previousId }),
    ...(nextId === undefined ? {} : { nextId }),
  };
}
