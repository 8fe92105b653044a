import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FileServer extends AsyncDisposable {
  readonly url: string;
  /** What was asked, in order: "GET /path bytes=0-". */
  readonly requests: readonly string[];
}

export interface ServedFile {
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** The first answers are cut after so many bytes, one entry for each; 0 = not cut. */
  readonly cuts?: readonly number[];
  /** Default: true. */
  readonly acceptsRanges?: boolean;
}

/** A real HTTP server with ranges, redirects and broken connections. A string is a redirect. */
export async function startFileServer(
  files: Readonly<Record<string, ServedFile | string>>,
): Promise<FileServer> {
  const requests: string[] = [];
  const served = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    requests.push([request.method, path, request.headers.range].filter(Boolean).join(' '));
    const file = files[path];
    if (file === undefined) return void response.writeHead(404).end();
    if (typeof file === 'string') return void response.writeHead(302, { location: file }).end();
    const count = served.get(path) ?? 0;
    if (request.method === 'GET') served.set(path, count + 1);
    send(file, { request, response, cutAfter: file.cuts?.[count] ?? 0 });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(
  file: ServedFile,
  { request, response, cutAfter }: { request: IncomingMessage; response: ServerResponse; cutAfter: number },
): void {
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const start = asked === null || file.acceptsRanges === false ? 0 : Number(asked[1]);
  const { length } = file.bytes;
  if (start >= length && start > 0) return void response.writeHead(416).end();
  const body = file.bytes.subarray(start);
  const range = start > 0 ? { 'content-range': `bytes ${start}-${length - 1}/${length}` } : {};
  response.writeHead(start > 0 ? 206 : 200, {
    ...file.headers,
    ...range,
    'content-length': String(body.length),
  });
  if (request.method === 'HEAD') return void response.end();
  if (cutAfter === 0) return void response.end(body);
  response.write(body.subarray(0, cutAfter), () => response.destroy());
}
