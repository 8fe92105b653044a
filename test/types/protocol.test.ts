/** The wire's types say no to what the wire would refuse; `npm run check` compiles this file. */
import type { Socket } from 'socket.io-client';
import { expectTypeOf, test } from 'vitest';
import type {
  Ack,
  ClientEvent,
  ClientToServerEvents,
  Payload,
  ServerToClientEvents,
  Value,
  WireMessage,
} from '../../src/protocol/events.ts';

type Device = Socket<ServerToClientEvents, ClientToServerEvents>;

test('payloads and answers are typed by the name of the event', () => {
  expectTypeOf<Payload<'message:send'>>().toExtend<{ clientMessageId: string; text: string }>();
  expectTypeOf<Value<'message:send'>>().toExtend<{ seq: number; duplicate: boolean }>();
  expectTypeOf<Value<'generation:resume'>['status']>().toEqualTypeOf<
    'queued' | 'running' | 'done' | 'cancelled' | 'failed'
  >();
  expectTypeOf<Payload<'message:edit'>>().toEqualTypeOf<{
    clientMessageId: string;
    messageId: string;
    text: string;
  }>();
  expectTypeOf<Value<'message:edit'>>().toEqualTypeOf<Value<'message:send'>>();
  expectTypeOf<Value<'reply:regenerate'>>().toEqualTypeOf<{ generationId: string; duplicate: boolean }>();
  expectTypeOf<Value<'reply:alternatives'>['alternatives'][number]>().toEqualTypeOf<{
    candidateId: string;
    text: string;
    rank: number;
    shown: boolean;
  }>();
  expectTypeOf<Value<'branch:select'>['messages'][number]>().toEqualTypeOf<WireMessage>();
  expectTypeOf<'message:sned'>().not.toExtend<ClientEvent>();
});

test('an answer is a value or an error, never both', () => {
  expectTypeOf<Extract<Ack<number>, { ok: true }>>().toEqualTypeOf<{ ok: true; value: number }>();
  expectTypeOf<Extract<Ack<number>, { ok: false }>>().not.toHaveProperty('value');
});

test('a device can only send what the table has, and hear what the server says', () => {
  const use = (device: Device) => {
    device.emit('generation:cancel', { generationId: 'g' }, (answer) => {
      if (answer.ok) expectTypeOf(answer.value.status).toExtend<string>();
    });
    device.on('message:updated', ({ message }) => expectTypeOf(message).toEqualTypeOf<WireMessage>());
    device.on('reply:delta', ({ offset }) => expectTypeOf(offset).toBeNumber());
    // @ts-expect-error there is no such event
    device.emit('generation:stop', { generationId: 'g' });
    // @ts-expect-error a choice names a candidate
    device.emit('reply:choose', { messageId: 'm' }, () => undefined);
    // @ts-expect-error a reaction has a kind
    device.emit('reaction:set', { messageId: 'm' }, () => undefined);
  };
  expectTypeOf(use).toBeFunction();
});
