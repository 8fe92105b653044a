/** Nothing comes of a reply after the answer that says how it ended, however slowly the device reads. */
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Reply } from '../../../src/conversation/reply.ts';
import type { Call } from '../../../src/gateway/handler.ts';
import { generationResume } from '../../../src/gateway/handlers/generation-resume.ts';
import { type AmitySocket, Session } from '../../../src/gateway/session.ts';
import { systemClock } from '../../../src/std/clock.ts';
import { aTurn } from '../../support/builders.ts';

/** A device whose connection has more to write until it drains. */
function slowDevice() {
  const told: string[] = [];
  const conn = Object.assign(new EventEmitter(), { writeBuffer: [{ data: 'x' }], transport: {} });
  return { told, conn, emit: (event: string) => told.push(event) };
}

it('the end of a reply that a slow device follows comes before the answer, and once', async () => {
  const device = slowDevice();
  const session = new Session(device as unknown as AmitySocket, {
    ...{ userId: 'ada', expiresAt: Date.now() + 3_600_000, clock: systemClock },
    devices: () => [],
  });
  const turn = aTurn('slow');
  const { generationId, companion } = turn;
  const reply = new Reply(turn);
  session.follow(reply);
  reply.stream.finish({
    kind: 'end',
    finishReason: 'stop',
    message: { ...companion, text: 'Hi', status: 'done' },
  });
  const call = {
    session,
    store: { generation: async () => ({ messageId: companion.messageId, endedAt: 1 }) },
    replies: { find: () => reply },
  } as unknown as Call;
  const answered = generationResume(call, { generationId, offset: 0 }, ({ text, message }) => {
    device.told.push(`answer: ${text}, ${message?.status}`);
  });
  await nextTurn();
  device.conn.writeBuffer.length = 0;
  device.conn.emit('drain');
  await answered;
  await nextTurn();
  expect(device.told).toEqual(['typing:update', 'reply:end', 'typing:update', 'answer: Hi, done']);
  session.close();
});
