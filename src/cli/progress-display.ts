import type { WriteStream } from 'node:tty';
import { log, type ProgressResult, progress } from '@clack/prompts';
import type { PullProgress } from '../../models/sources/source.ts';

export interface ProgressDisplay extends Disposable {
  readonly show: (progress: PullProgress) => void;
  finish(text: string): void;
}

/** A bar on a terminal; elsewhere one line for every tenth, so that a log stays short. */
export function openProgressDisplay(output: NodeJS.WriteStream): ProgressDisplay {
  return output.isTTY ? openBars(output) : openLines(output);
}

interface Measure {
  readonly label: string;
  /** 0 to 1; null when the end is unknown. */
  readonly fraction: number | null;
  readonly detail: string;
}

function toMeasure(progress: Exclude<PullProgress, { kind: 'note' }>): Measure {
  if (progress.kind === 'convert') {
    const { tensors, tensorsTotal } = progress;
    return {
      label: 'Converting',
      fraction: tensorsTotal === 0 ? 1 : tensors / tensorsTotal,
      detail: `${tensors} of ${tensorsTotal} tensors`,
    };
  }
  const { file, bytes, bytesTotal } = progress;
  const megabytes = (value: number) => (value / 1e6).toFixed(1);
  return {
    label: `Downloading ${file}`,
    fraction: bytesTotal === null ? null : bytes / Math.max(1, bytesTotal),
    detail:
      bytesTotal === null ? `${megabytes(bytes)} MB` : `${megabytes(bytes)} of ${megabytes(bytesTotal)} MB`,
  };
}

const BAR_STEPS = 100;

function openBars(output: WriteStream | NodeJS.WriteStream): ProgressDisplay {
  let bar: { label: string; result: ProgressResult; at: number } | null = null;
  const close = () => {
    if (bar !== null) bar.result.stop(bar.label);
    bar = null;
  };
  return {
    show(event) {
      if (event.kind === 'note') {
        close();
        log.info(event.text, { output });
        return;
      }
      const { label, fraction, detail } = toMeasure(event);
      if (bar?.label !== label) {
        close();
        bar = { label, result: progress({ max: BAR_STEPS, output }), at: 0 };
        bar.result.start(label);
      }
      const at = Math.floor((fraction ?? 0) * BAR_STEPS);
      if (at > bar.at) bar.result.advance(at - bar.at, `${label}: ${detail}`);
      bar.at = Math.max(at, bar.at);
    },
    finish(text) {
      close();
      log.success(text, { output });
    },
    [Symbol.dispose]: close,
  };
}

function openLines(output: NodeJS.WriteStream): ProgressDisplay {
  let label = '';
  let tenth = -1;
  return {
    show(event) {
      if (event.kind === 'note') {
        output.write(`${event.text}\n`);
        return;
      }
      const measure = toMeasure(event);
      const reached = Math.floor((measure.fraction ?? 0) * 10);
      if (measure.label === label && reached <= tenth) return;
      label = measure.label;
      tenth = reached;
      const share = measure.fraction === null ? '' : ` ${Math.floor(measure.fraction * 100)} %`;
      output.write(`${label}:${share} (${measure.detail})\n`);
    },
    finish: (text) => void output.write(`${text}\n`),
    [Symbol.dispose]() {},
  };
}
