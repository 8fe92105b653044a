/** A generation worker that takes its process with it before it is ready. */
process.kill(process.pid, 'SIGABRT');

export default function never(): Promise<never> {
  return new Promise(() => {});
}
