import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadFile, HttpStatusError } from '../../../models/sources/download.ts';
import { startFileServer } from '../../support/file-server.ts';

const bytes = randomBytes(300_000);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const { signal } = new AbortController();

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amity-download-'));
  path = join(directory, 'file');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a download', () => {
  it('goes on where the connection was cut', async () => {
    await using server = await startFileServer({ '/file': { bytes, cuts: [100_000] } });
    await downloadFile({ url: `${server.url}/file`, path, sha256, signal });
    expect(await readFile(path)).toEqual(bytes);
    expect(server.requests[0]).toBe('GET /file');
    // How much of the 100,000 bytes arrived before the cut is the network's choice.
    expect(server.requests.at(-1)).toMatch(/^GET \/file bytes=\d+-$/);
  });

  it('goes on where an earlier process was cut', async () => {
    await using server = await startFileServer({ '/file': { bytes } });
    await writeFile(`${path}.part`, bytes.subarray(0, 123_456));
    const seen: (number | null)[][] = [];
    await downloadFile({
      url: `${server.url}/file`,
      path,
      sha256,
      signal,
      onBytes: (done, total) => void seen.push([done, total]),
    });
    expect(server.requests).toEqual(['GET /file bytes=123456-']);
    expect(await readFile(path)).toEqual(bytes);
    expect(seen[0]).toEqual([123_456, bytes.length]);
    expect(seen.at(-1)).toEqual([bytes.length, bytes.length]);
  });

  it('asks for nothing when a part was complete but for its name', async () => {
    await using server = await startFileServer({ '/file': { bytes } });
    await writeFile(`${path}.part`, bytes);
    await downloadFile({ url: `${server.url}/file`, path, sha256, signal });
    expect(await readFile(path)).toEqual(bytes);
  });

  it('starts again when the server knows no ranges', async () => {
    await using server = await startFileServer({ '/file': { bytes, acceptsRanges: false } });
    await writeFile(`${path}.part`, bytes.subarray(0, 50));
    await downloadFile({ url: `${server.url}/file`, path, sha256, signal });
    expect(await readFile(path)).toEqual(bytes);
  });

  it('starts again when no checksum can prove that both halves belong together', async () => {
    await using server = await startFileServer({ '/file': { bytes } });
    await writeFile(`${path}.part`, 'of another file');
    await downloadFile({ url: `${server.url}/file`, path, signal });
    expect(server.requests).toEqual(['GET /file']);
    expect(await readFile(path)).toEqual(bytes);
  });

  it('refuses other bytes than the expected ones, and keeps none of them', async () => {
    await using server = await startFileServer({ '/file': { bytes: randomBytes(1_000) } });
    await expect(downloadFile({ url: `${server.url}/file`, path, sha256, signal })).rejects.toThrow(
      'file came damaged',
    );
    await expect(stat(path)).rejects.toThrow('ENOENT');
    await expect(stat(`${path}.part`)).rejects.toThrow('ENOENT');
  });

  it('does not ask again for what is not there', async () => {
    await using server = await startFileServer({});
    const failed = downloadFile({ url: `${server.url}/file`, path, sha256, signal });
    await expect(failed).rejects.toBeInstanceOf(HttpStatusError);
    expect(server.requests).toHaveLength(1);
  });
});
