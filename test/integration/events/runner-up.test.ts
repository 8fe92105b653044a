/** `reply:alternatives` of a race: the runner-up is written to its end after the reply, and waited for. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startTestServer } from '../../support/start-test-server.ts';
import { makeTinyModel } from '../../support/tiny-model.ts';
import { openGuest } from '../../support/wire-client.ts';

it('the alternatives asked for at the end of a reply are complete', async () => {
  const modelsDirectory = await mkdtemp(join(tmpdir(), 'amity-models-'));
  await makeTinyModel(join(modelsDirectory, 'tiny-random'), { kind: 'random' });
  await using server = await startTestServer({
    modelsDirectory,
    env: { MODEL: 'tiny-random', AMITY_REPLY_TOKENS_MAX: '48' },
  });
  await using device = await openGuest(server);
  let most = 0;
  for (let turn = 0; turn < 10; turn++) {
    const { messageId } = (await device.talk(`Hello ${turn}`)).reply;
    const first = await device.call('reply:alternatives', { messageId });
    most = Math.max(most, first.alternatives.length);
    expect(await device.call('reply:alternatives', { messageId })).toEqual(first);
  }
  expect(most).toBeGreaterThan(1);
  await rm(modelsDirectory, { recursive: true });
});
