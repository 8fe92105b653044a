/**
 * What all engines under test have in common: a process of their own that answers requests of its parent.
 *
 * @param {(request: { prompt: number[], candidates: number, replyTokens: number }) => Promise<{ totalMs: number, decodeMs: number | null }>} generate
 */
export function serve(generate) {
  process.on('message', async (request) => {
    if (request === 'stop') process.exit(0);
    try {
      process.send(await generate(request));
    } catch (error) {
      process.send({ error: String(error.stack ?? error) });
    }
  });
  process.send('ready');
}
