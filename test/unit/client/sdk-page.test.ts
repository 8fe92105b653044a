/** docs/sdk.md names all that the client can do, and nothing that it cannot. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { createAmityClient } from '../../../src/client/amity-client.ts';

it('names every method', async () => {
  const page = await readFile(new URL('../../../docs/sdk.md', import.meta.url), 'utf8');
  const named = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  // Nothing listens there, and nothing has to.
  const client = createAmityClient({ url: 'http://127.0.0.1:9', auth: { token: 'none' } });
  client.close();
  expect(named.sort()).toStrictEqual(Object.keys(client).sort());
});
